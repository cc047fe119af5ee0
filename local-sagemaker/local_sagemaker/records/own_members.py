"""The service's own members of records, by kind: what a record has beside what Describe returns.

A record is an AWS-shaped dict; members whose names start with an underscore never leave the service. They are read and
set through a view of the same dict that has their types: ``own_rule(rule)["_targets"]``; new ones are written as
``RuleRecord(_targets=[])``. Those of the delivery's services: `delivery_members`. Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypedDict, TypeVar, cast

from local_sagemaker.records.schema import Body
from local_sagemaker.records.store import public

Own = TypeVar("Own")


def view(kind: type[Own]) -> Callable[[Mapping[str, Any]], Own]:
    """Makes a typed view: a function that returns the same dict, as `kind`."""
    del kind
    return lambda body: cast("Own", body)


class PipelineRecord(TypedDict, total=False):
    """`_version` is the number of its newest version."""

    _version: int


own_pipeline = view(PipelineRecord)


class PipelineVersionRecord(TypedDict, total=False):
    """`_definition` is the JSON document as it was given."""

    _definition: str


own_pipeline_version = view(PipelineVersionRecord)


class PipelineExecutionRecord(TypedDict, total=False):
    """`_pipeline` is the name in the pipeline's own case; `_values` are the parameters with their types; `_attempts`
    says which attempt of a step the last retry of the execution ended with; `_metrics` are those of property files, by
    ``Name`` and ``Value``.
    """

    _pipeline: str
    _values: dict[str, Any]
    _attempts: dict[str, int]
    _metrics: list[dict[str, str]]


own_execution = view(PipelineExecutionRecord)


class StepRecord(TypedDict, total=False):
    """`_type` is the step's; `_job` the name of what the attempt makes, and `_request` its whole request; `_notes` are
    the step type's own; `_retries` counts those of the retry policies; `_cache` says why the cache hit or missed.
    """

    _type: str
    _job: str
    _request: dict[str, Any]
    _notes: dict[str, Any]
    _retries: int
    _cache: str


own_step = view(StepRecord)


class StepOutputs(TypedDict, total=False):
    """Of a Lambda or Callback step's part of ``Metadata``: `_types` are the declared types of its outputs."""

    _types: dict[str, str]


own_outputs = view(StepOutputs)


def public_step(record: Mapping[str, Any]) -> Body:
    """A step as clients see it: without own members, those of the parts of its ``Metadata`` included."""
    shown = public(dict(record))
    if "Metadata" in shown:
        shown["Metadata"] = {name: public(part) for name, part in shown["Metadata"].items()}
    return shown


class TrainingJobRecord(TypedDict, total=False):
    """`_metrics` are the last values with all that is known of them."""

    _metrics: list[dict[str, Any]]


own_training_job = view(TrainingJobRecord)


class TuningJobRecord(TypedDict, total=False):
    """`_seed` is that of its choices where the request has none; `_combinations` how many there are, if that is finite;
    `_parents` and `_best` are what a warm start takes over: points with results, and the best training jobs.
    """

    _seed: int
    _combinations: int
    _parents: list[dict[str, Any]]
    _best: list[Body]


own_tuning_job = view(TuningJobRecord)


class TunedTrainingJobRecord(TypedDict, total=False):
    """A tuning job's training job: `_number` counts from 1, as ``000001``; `_definition` is its definition's place."""

    _number: str
    _definition: int


own_tuned_job = view(TunedTrainingJobRecord)


class EndpointSpecs(TypedDict):
    """An endpoint's specification, and the configuration that it was made from."""

    spec: dict[str, Any]
    config: Body


class EndpointRecord(TypedDict, total=False):
    """`_config` and `_spec` are what runs, `_next` what an update in progress leads to, and `_deployment` how far that
    is; `_changed` is when its status last became another one by a request, `_resolved` when its images were resolved.
    """

    _deployment: str
    _changed: float
    _config: Body
    _spec: dict[str, Any]
    _next: EndpointSpecs
    _resolved: float


own_endpoint = view(EndpointRecord)


class ModelPackageGroupRecord(TypedDict, total=False):
    """`_last_version` stays when versions are deleted: their numbers are not used again."""

    _last_version: int


own_package_group = view(ModelPackageGroupRecord)


class ModelPackageRecord(TypedDict, total=False):
    """`_updated` counts the updates, and names the members that the last one changed."""

    _updated: tuple[int, list[str]]


own_package = view(ModelPackageRecord)


class MonitoringScheduleRecord(TypedDict, total=False):
    """`_due` is when it starts next, None for never; `_missed` counts the times at which the service did not run."""

    _due: float | None
    _missed: int


own_monitoring_schedule = view(MonitoringScheduleRecord)


class MonitoringExecutionRecord(TypedDict, total=False):
    """`_phase` is ``new``, ``merge`` or ``analysis``; `_window` the time that it looks at, from and to; `_config` the
    schedule's as it was; `_ending` is in its jobs' names, `_place` in its reports' folder.
    """

    _phase: str
    _config: Body
    _window: list[float]
    _ending: str
    _place: str


own_monitoring_run = view(MonitoringExecutionRecord)


class ProjectRecord(TypedDict, total=False):
    """`_stack` and `_id` are the name and id of its stack, `_verb` is what is done to it (Create, Update, Delete),
    `_sent` says whether CloudFormation has been called for that, and `_message` what it returned.
    """

    _stack: str
    _id: str
    _verb: str
    _sent: bool
    _message: str


own_project = view(ProjectRecord)


class HeldActions(TypedDict):
    """The change of an alarm's state whose actions wait."""

    before: str
    state: str
    reason: str


class AlarmRecord(TypedDict, total=False):
    """`_by_client`: SetAlarmState set the state, for the data `_points`; `_held` and `_suppression` are a composite
    alarm's actions that wait, and what they wait for.
    """

    _by_client: bool
    _points: list[Any]
    _held: HeldActions
    _suppression: dict[str, Any]


own_alarm = view(AlarmRecord)


class RuleRecord(TypedDict, total=False):
    """`_archive` is the archive whose rule it is."""

    _tags: dict[str, str]
    _targets: list[Body]
    _archive: str


own_rule = view(RuleRecord)


class DeliveredTarget(TypedDict, total=False):
    """A rule's target while an event is delivered: `_delivery` is the same when that is tried again."""

    _delivery: str


own_target = view(DeliveredTarget)


class ArchiveRecord(TypedDict, total=False):
    """`_id` is another one than that of an earlier archive of the same name."""

    _id: str


own_archive = view(ArchiveRecord)


class ReplayRecord(TypedDict, total=False):
    """`_place` is that of the last event sent: minute, time of archiving, id."""

    _place: tuple[int, float, str] | list[Any]


own_replay = view(ReplayRecord)


class ScheduleRecord(TypedDict, total=False):
    """`_due` is when it fires next, None for never; `_first` when it first did."""

    _due: float | None
    _first: float


own_schedule = view(ScheduleRecord)


class ScheduleGroupRecord(TypedDict, total=False):
    """A group's tags, by their keys."""

    _tags: dict[str, str]


own_schedule_group = view(ScheduleGroupRecord)


class FunctionRecord(TypedDict, total=False):
    """`_code` names its archive, `_versions` counts those published; `_policy` has the statements by qualifier."""

    _tags: dict[str, str]
    _code: str
    _versions: int
    _policy: dict[str, list[Body]]


own_function = view(FunctionRecord)


class MappingRecord(TypedDict, total=False):
    """An event source mapping's tags, by their keys; those of earlier versions have none."""

    _tags: dict[str, str]


own_mapping = view(MappingRecord)


class FunctionVersionRecord(TypedDict, total=False):
    """`_of` is the revision of the function that it is a version of."""

    _code: str
    _of: str


own_function_version = view(FunctionVersionRecord)


class RestApiRecord(TypedDict, total=False):
    """Resources by their id, stages by their name."""

    _resources: dict[str, Body]
    _stages: dict[str, Body]


own_api = view(RestApiRecord)


class ApiDeploymentRecord(TypedDict, total=False):
    """The resources and the binary media types as they were deployed."""

    _resources: dict[str, Body]
    _binary: list[str]


own_deployment = view(ApiDeploymentRecord)


class AsynchronousInvocationRecord(TypedDict, total=False):
    """A queued request: `_received` is when it came, `_body` its inline body as Latin-1, `_notify` the topics."""

    _id: str
    _received: float
    _body: str
    _notify: dict[str, Any]


own_invocation = view(AsynchronousInvocationRecord)
