"""Pipelines themselves: made, changed, described, listed, tagged, deleted; their transitions."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.api.tag_numbers import count_tags
from local_sagemaker.clock import now
from local_sagemaker.records.delivery_members import DeliveryPipelineRecord, own_delivery_pipeline
from local_sagemaker.records.store import Body
from local_sagemaker.services.codepipeline.errors import PipelineError, invalid_token
from local_sagemaker.services.codepipeline.execution_start import ExecutionStart, Trigger
from local_sagemaker.services.codepipeline.pipeline_checks import check
from local_sagemaker.services.codepipeline.pipeline_store import PIPELINE, PipelineStore
from local_sagemaker.services.pagination import page_rows

_MOST_TAGS = 50


class DeliveryPipelines(Resource):
    """The operations on pipelines. A new pipeline runs once, as on AWS."""

    def __init__(self, *, store: PipelineStore, starter: ExecutionStart, wake: Callable[[], None]) -> None:
        self._store, self._starter, self._wake = store, starter, wake

    @operation("CreatePipeline", atomic=True)
    def create(self, request: Request) -> Response:
        """Makes a pipeline and starts it."""
        structure = _fill_defaults(request["pipeline"])
        name = structure["name"]
        if self._store.records.get(PIPELINE, name) is not None:
            text = f"A pipeline with the name '{name}' already exists in account '{self._store.arns.account}'"
            raise PipelineError(text, code="PipelineNameInUseException")
        check(structure, self._store.arns.account)
        structure["version"] = 1
        tags = {tag["key"]: tag["value"] for tag in request.get("tags", [])}
        _check_number(tags, self._store.arn(name))
        body = {
            "name": name,
            "version": 1,
            "created": now(),
            "updated": now(),
            **DeliveryPipelineRecord(_tags=tags, _transitions={}),
        }
        self._store.put(name, structure, body)
        if all("defaultValue" in row for row in structure.get("variables", [])):  # else who starts it has to say them
            self._starter.start(name, Trigger("CreatePipeline", self._starter.caller))
        return {"pipeline": structure, "tags": [{"key": key, "value": value} for key, value in tags.items()]}

    @operation("UpdatePipeline", atomic=True)
    def update(self, request: Request) -> Response:
        """Changes the structure: another version."""
        structure = _fill_defaults(request["pipeline"])
        before = self._store.pipeline(structure["name"])
        check(structure, self._store.arns.account)
        structure["version"] = before["version"] + 1
        body = {**before, "version": structure["version"], "updated": now()}
        self._store.put(structure["name"], structure, body)
        self._wake()
        return {"pipeline": structure}

    @operation("GetPipeline")
    def get(self, request: Request) -> Response:
        """The structure of a pipeline, of a version if one is named."""
        body = self._store.pipeline(request["name"])
        structure = self._store.structure(request["name"], request.get("version") or body["version"])
        arn = self._store.arn(request["name"])
        return {
            "pipeline": structure,
            "metadata": {"pipelineArn": arn, "created": body["created"], "updated": body["updated"]},
        }

    @operation("ListPipelines")
    def list(self, request: Request) -> Response:
        """All pipelines."""
        with self._store.records.transaction():  # one may be deleted at the same time
            bodies, more = page_rows(self._store.records.list(PIPELINE), request, invalid_token, most=1000)
            return {"pipelines": [self._summary(body) for body in bodies], **more}

    def _summary(self, body: Body) -> dict[str, Any]:
        structure = self._store.structure(body["name"], body["version"])
        kinds = {name: structure[name] for name in ("pipelineType", "executionMode")}
        return {name: body[name] for name in ("name", "version", "created", "updated")} | kinds

    @operation("DeletePipeline", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes a pipeline with its executions; an unknown one is removed already."""
        self._store.delete(request["name"])
        self._wake()
        return {}

    @operation("DisableStageTransition", atomic=True)
    def disable(self, request: Request) -> Response:
        """Keeps executions from entering a stage."""
        return self._set_transition(request, enabled=False, reason=request["reason"])

    @operation("EnableStageTransition", atomic=True)
    def enable(self, request: Request) -> Response:
        """Lets executions enter a stage again."""
        return self._set_transition(request, enabled=True)

    def _set_transition(self, request: Request, *, enabled: bool, reason: str | None = None) -> Response:
        name, stage = request["pipelineName"], request["stageName"]
        body = self._store.pipeline(name)
        stages = [row["name"] for row in self._store.structure(name, body["version"])["stages"]]
        if stage not in stages:
            text = f"Pipeline '{name}' does not have a stage with name '{stage}'"
            raise PipelineError(text, code="StageNotFoundException")
        if request["transitionType"] != "Inbound":
            raise PipelineError("Only inbound transitions can be changed here.", code="ValidationException")
        state = {"enabled": enabled, "lastChangedBy": self._starter.caller, "lastChangedAt": now()}
        state |= {} if enabled else {"disabledReason": reason}

        def change(row: Body) -> None:
            own_delivery_pipeline(row)["_transitions"][stage] = state

        self._store.change_pipeline(name, change)
        self._wake()
        return {}

    def _name(self, arn: str) -> str:
        """The pipeline of an ARN. Where there is none, operations on tags have an error of their own."""
        name = arn.split(":")[-1]
        if self._store.records.get(PIPELINE, name) is None:
            text = (
                f"The account with id '{self._store.arns.account}' does not include a pipeline with the name '{name}'"
            )
            raise PipelineError(text, code="ResourceNotFoundException")
        return name

    @operation("TagResource", atomic=True)
    def tag(self, request: Request) -> Response:
        """Adds tags."""
        added = {tag["key"]: tag["value"] for tag in request["tags"]}

        def change(body: Body) -> None:
            tags = own_delivery_pipeline(body)["_tags"]
            _check_number({*tags, *added}, request["resourceArn"])
            tags.update(added)

        self._store.change_pipeline(self._name(request["resourceArn"]), change)
        return {}

    @operation("UntagResource", atomic=True)
    def untag(self, request: Request) -> Response:
        """Takes tags away."""

        def change(body: Body) -> None:
            own_delivery_pipeline(body)["_tags"] = {
                key: value
                for key, value in own_delivery_pipeline(body)["_tags"].items()
                if key not in request["tagKeys"]
            }

        self._store.change_pipeline(self._name(request["resourceArn"]), change)
        return {}

    @operation("ListTagsForResource")
    def tags(self, request: Request) -> Response:
        """The tags of a pipeline."""
        tags = own_delivery_pipeline(self._store.pipeline(self._name(request["resourceArn"])))["_tags"]
        rows = [{"key": key, "value": value} for key, value in tags.items()]
        chosen, more = page_rows(rows, request, invalid_token)
        return {"tags": chosen, **more}


def _fill_defaults(pipeline: dict[str, Any]) -> dict[str, Any]:
    """The structure as AWS shows it: with the defaults."""
    structure = copy.deepcopy(pipeline)
    structure.setdefault("pipelineType", "V1")
    structure.setdefault("executionMode", "SUPERSEDED")
    for stage in structure["stages"]:
        for action in stage["actions"]:
            for member, default in (("runOrder", 1), ("configuration", {}), ("inputArtifacts", []),
                                    ("outputArtifacts", [])):  # fmt: skip
                action.setdefault(member, default)
    return structure


def _check_number(tags: Collection[str], arn: str) -> None:
    if count_tags(tags) > _MOST_TAGS:
        raise PipelineError(f"Tag limit exceeded for resource [{arn}].", code="TooManyTagsException")
