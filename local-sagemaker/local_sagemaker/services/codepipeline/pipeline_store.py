"""The records of pipelines, their executions, and the stages and actions of those."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from local_sagemaker.arns import Arns
from local_sagemaker.clock import now
from local_sagemaker.records import Records
from local_sagemaker.records.delivery_members import (
    DeliveryActionRecord,
    DeliveryExecutionRecord,
    DeliveryStageRecord,
    own_action,
)
from local_sagemaker.records.delivery_status import ActionStatus, DeliveryStatus
from local_sagemaker.records.kinds import DELIVERY_ACTION, DELIVERY_EXECUTION, DELIVERY_STAGE
from local_sagemaker.records.store import Body
from local_sagemaker.services.codepipeline.errors import PipelineError

PIPELINE, VERSION, JOB = "codepipeline-pipeline", "codepipeline-version", "codepipeline-job"
POLLED = "codepipeline-polled"
"""The version of an object that was last seen by polling, by ``pipeline/action``."""
RULE = "codepipeline-rule"
"""What became of a condition's rule, by ``pipeline/execution/number``."""
EXECUTION, STAGE, ACTION = DELIVERY_EXECUTION.kind, DELIVERY_STAGE.kind, DELIVERY_ACTION.kind
Change = Callable[[Body], None]


class PipelineStore:
    """Pipelines by name; executions by ``name/id``, stages by ``name/id/stage``, actions by ``name/id/number``."""

    def __init__(self, records: Records, arns: Arns) -> None:
        self.records, self.arns = records, arns

    def arn(self, name: str) -> str:
        """A pipeline's ARN."""
        return self.arns.of("codepipeline", name)

    def pipeline(self, name: str) -> Body:
        """A pipeline. Raises PipelineNotFoundException."""
        body = self.records.get(PIPELINE, name)
        if body is None:
            text = f"Account '{self.arns.account}' does not have a pipeline with name '{name}'"
            raise PipelineError(text, code="PipelineNotFoundException")
        return body

    def structure(self, name: str, version: int) -> dict[str, Any]:
        """A version of a pipeline's structure."""
        body = self.records.get(VERSION, f"{name}/{version:08}")
        if body is None:
            text = f"The pipeline {name} has no version {version}"
            raise PipelineError(text, code="PipelineVersionNotFoundException")
        return body

    def put(self, name: str, structure: Body, body: Body) -> None:
        """Writes a pipeline and its version."""
        with self.records.transaction():
            self.records.put(VERSION, f"{name}/{structure['version']:08}", structure)
            self.records.put(PIPELINE, name, body)

    def change_pipeline(self, name: str, change: Change) -> None:
        """Changes a pipeline's record in place."""
        self.records.update(PIPELINE, name, change)

    def delete(self, name: str) -> None:
        """Removes a pipeline with all that ran."""
        with self.records.transaction():
            self.records.delete(PIPELINE, name)
            for kind in (VERSION, EXECUTION, STAGE, ACTION, RULE, JOB, POLLED):
                self.records.delete_all(kind, f"{name}/")

    def executions(self, name: str) -> list[Body]:
        """All executions of a pipeline, the oldest first."""
        return self.records.list(EXECUTION, f"{name}/")

    def add_rule(self, execution: Body, body: Body) -> None:
        """Writes down what became of a rule; nothing when its pipeline has been deleted while it was checked."""
        self._put_below(RULE, execution, body["ruleExecutionId"], body)

    def _put_below(self, kind: str, execution: Body, rest: str, body: Body) -> bool:
        """Writes a record of an execution. False, and nothing is written, when its pipeline is deleted by now."""
        with self.records.transaction():
            exists = self.records.get(EXECUTION, _key(execution)) is not None
            if exists:
                self.records.put(kind, _key(execution, rest), body)
        return exists

    def rules(self, name: str, execution: str | None) -> list[Body]:
        """What became of the rules of a pipeline or one of its executions, the oldest first."""
        return self.records.list(RULE, f"{name}/{execution}/" if execution else f"{name}/")

    def active(self, name: str) -> list[Body]:
        """The executions that run or wait."""
        return [body for body in self.executions(name) if not DeliveryStatus(body["status"]).is_final]

    def execution(self, name: str, identity: str) -> Body:
        """An execution. Raises PipelineExecutionNotFoundException."""
        self.pipeline(name)
        body = self.records.get(EXECUTION, f"{name}/{identity}")
        if body is None:
            text = f"The pipeline {name} has no execution with the id {identity}"
            raise PipelineError(text, code="PipelineExecutionNotFoundException")
        return body

    def change_execution(self, execution: Body, change: Change) -> Body:
        """Changes an execution's record in place, and its time."""

        def both(body: Body) -> None:
            change(body)
            body["lastUpdateTime"] = now()

        return self.records.update(EXECUTION, _key(execution), both) or execution

    def is_in_progress(self, execution: Body) -> bool:
        """Whether an execution still is, and nobody has stopped it."""
        body = self.records.get(EXECUTION, _key(execution))
        return body is not None and body["status"] == DeliveryStatus.IN_PROGRESS

    def add_execution(self, body: Body) -> None:
        """Adds an execution."""
        own = DeliveryExecutionRecord(_name=body["pipelineName"], _arn=self.arn(body["pipelineName"]))
        self.records.insert(EXECUTION, _key(body), {**body, **own})

    def stage(self, execution: Body, name: str) -> Body | None:
        """A stage of an execution, None when it was not reached."""
        return self.records.get(STAGE, _key(execution, name))

    def put_stage(self, execution: Body, name: str, **members: Any) -> Body:
        """Sets members of a stage of an execution; of none whose pipeline was deleted in the meantime."""
        pipeline, moment = execution["pipelineName"], now()
        new = {
            **DeliveryStageRecord(_name=pipeline, _arn=self.arn(pipeline), _attempt=1, _from=1), "stageName": name,
            "pipelineExecutionId": execution["pipelineExecutionId"], "pipelineVersion": execution["pipelineVersion"],
            "startTime": moment, "conditions": {},
        }  # fmt: skip
        with self.records.transaction():
            body = {**(self.stage(execution, name) or new), **members, "lastUpdateTime": moment}
            self._put_below(STAGE, execution, name, body)
        return body

    def actions(self, execution: Body, stage: str | None = None) -> list[Body]:
        """The actions of an execution (of a stage) that were started, in order."""
        bodies = self.records.list(ACTION, f"{_key(execution)}/")
        return [body for body in bodies if stage is None or body["stageName"] == stage]

    def all_actions(self, name: str) -> list[Body]:
        """The actions of all executions of a pipeline, in order."""
        return self.records.list(ACTION, f"{name}/")

    def add_action(self, execution: Body, body: Body) -> Body | None:
        """Adds an action that starts now. None when its pipeline was deleted in the meantime."""
        identity = str(uuid.uuid4())
        name = execution["pipelineName"]
        whole = {
            **DeliveryActionRecord(_name=name, _arn=self.arn(name)),
            "pipelineExecutionId": execution["pipelineExecutionId"],
            "actionExecutionId": identity, "pipelineVersion": execution["pipelineVersion"], "startTime": now(),
            "lastUpdateTime": now(), "status": ActionStatus.IN_PROGRESS, "output": {}, **body,
        }  # fmt: skip
        return whole if self._put_below(ACTION, execution, identity, whole) else None

    def change_action(self, action: Body, change: Change) -> Body:
        """Changes an action's record in place, and its time."""

        def both(body: Body) -> None:
            change(body)
            body["lastUpdateTime"] = now()

        key = f"{own_action(action)['_name']}/{action['pipelineExecutionId']}/{action['actionExecutionId']}"
        return self.records.update(ACTION, key, both) or action

    def find_action(self, action: Body) -> Body | None:
        """The action's record as it is now."""
        return self.records.get(
            ACTION, f"{own_action(action)['_name']}/{action['pipelineExecutionId']}/{action['actionExecutionId']}"
        )

    def running_actions(self) -> list[Body]:
        """The actions in progress of all pipelines."""
        return [body for body in self.records.list(ACTION) if body["status"] == ActionStatus.IN_PROGRESS]

    def names(self) -> list[str]:
        """The names of all pipelines."""
        return [key for key, _ in self.records.items(PIPELINE)]


def _key(execution: Body, *rest: str) -> str:
    return "/".join((execution["pipelineName"], execution["pipelineExecutionId"], *rest))
