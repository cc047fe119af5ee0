"""The service's own members of the records of the delivery's services, by kind (see `own_members`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from local_sagemaker.records.own_members import view
from local_sagemaker.records.schema import Body


class RepositoryRecord(TypedDict, total=False):
    """A repository of CodeCommit."""

    _tags: dict[str, str]


own_repository = view(RepositoryRecord)


class ConnectionRecord(TypedDict, total=False):
    """A connection to a provider of repositories."""

    _tags: dict[str, str]


own_connection = view(ConnectionRecord)


class BuildProjectRecord(TypedDict, total=False):
    """How many builds and batches it has had: their numbers."""

    _builds: int
    _batches: int


own_build_project = view(BuildProjectRecord)


class RequestedRecord(TypedDict, total=False):
    """Of builds and batches: `_order` is what a pipeline's action wants, `_overrides` are the request's variables."""

    _order: dict[str, Any]
    _overrides: list[Body]


class BuildRecord(RequestedRecord, total=False):
    """`_artifacts` are the project's, the primary first, `_logs` where its log goes. In a batch, `_task` is its
    identifier there, `_hold` the file that keeps its artifact, and `_held` that one's name. `_retries`
    counts the runs before it, and `_again` is the id of the one after it.
    """

    _artifacts: list[Body]
    _logs: Body
    _task: str
    _hold: str
    _held: str
    _retries: int
    _again: str


own_build = view(BuildRecord)


class BuildBatchRecord(RequestedRecord, total=False):
    """`_wanted` is the project with the request's overrides, `_batchspec` the specification's text once
    the source is fetched, and `_name` that of the combined artifact.
    """

    _wanted: Body
    _batchspec: str
    _name: str


own_batch = view(BuildBatchRecord)


class DeliveryPipelineRecord(TypedDict, total=False):
    """`_transitions` are the stages' inbound ones, by the stage's name."""

    _tags: dict[str, str]
    _transitions: dict[str, Body]


own_delivery_pipeline = view(DeliveryPipelineRecord)


class DeliveryExecutionRecord(TypedDict, total=False):
    """`_name` and `_arn` are the pipeline's; `_stage` is the place of the stage that it is in or before (`_entered`),
    and `_last` of its last one; `_attempt` changes with each retry of a stage; `_revisions` are those it was started
    with, `_sources` those it took; `_artifacts` and `_outputs` are by name and by namespace; `_abandon` ends running
    actions.
    """

    _name: str
    _arn: str
    _stage: int
    _last: int
    _entered: bool
    _attempt: int
    _revisions: dict[str, Any]
    _sources: list[Body]
    _artifacts: dict[str, Body]
    _outputs: dict[str, dict[str, str]]
    _abandon: bool


own_delivery = view(DeliveryExecutionRecord)


class DeliveryStageRecord(TypedDict, total=False):
    """`_attempt` counts its runs, `_from` is the first whose actions count; `_retry` is what GetPipelineState shows of
    retries, and `_retried` says that the automatic one has been used; `_overridden` are places of conditions.
    """

    _name: str
    _arn: str
    _attempt: int
    _from: int
    _retry: Body
    _retried: bool
    _overridden: list[str]


own_stage = view(DeliveryStageRecord)


class DeliveryActionRecord(TypedDict, total=False):
    """`_attempt` is that of its stage; an approval has a `_token` and `_expires`; a source's is its `_revision`."""

    _name: str
    _arn: str
    _attempt: int
    _token: str
    _expires: float
    _revision: Mapping[str, Any]


own_action = view(DeliveryActionRecord)


class StackRecord(TypedDict, total=False):
    """`_template` is the text, `_values` are the parameters as given, `_imports` the exports that it uses; `_token` is
    the request's, `_on_failure` what a failed creation leads to. During an update, `_next` are the coming members,
    `_before_body` the earlier ones and `_before` the earlier resources, `_policy_during` its stack policy and
    `_policy_next` the one behind it, `_cancelling` that it is to be taken back; `_skip` and `_retained` are what a
    rollback and a deletion leave alone. `_policy` is the stack policy. `_stored` marks, in one request, a stack that
    exists.
    """

    _template: str
    _values: dict[str, str]
    _imports: list[str]
    _token: str | None
    _on_failure: str
    _next: Body
    _before_body: Body
    _before: dict[str, Body]
    _skip: list[str]
    _retained: list[str]
    _stored: bool
    _policy: str
    _policy_during: str
    _policy_next: str
    _cancelling: bool


own_stack = view(StackRecord)


class StackResourceRecord(TypedDict, total=False):
    """`_properties` are those it was made with and `_wanted` those that an update leads to; `_names` were made for it;
    `_led_to` are digests of what dynamic references led to, by their text;
    `_reference` and `_attributes` are what Ref and Fn::GetAtt give; `_policies` its DeletionPolicy and
    UpdateReplacePolicy. `_creating`: it may exist or not, `_foreign`: what has its name is not the stack's, or has
    not been looked for. `_replaced` are the ones before it that are still to be deleted.
    """

    _properties: dict[str, Any]
    _wanted: dict[str, Any]
    _names: dict[str, Any]
    _led_to: dict[str, str]
    _reference: str
    _attributes: dict[str, Any]
    _policies: list[str]
    _creating: bool
    _foreign: bool
    _replaced: list[Body]


own_resource = view(StackResourceRecord)


class ChangeSetRecord(TypedDict, total=False):
    """`_wanted` are the stack's coming members, `_kind` is CREATE or UPDATE."""

    _wanted: Body
    _kind: str


own_change_set = view(ChangeSetRecord)
