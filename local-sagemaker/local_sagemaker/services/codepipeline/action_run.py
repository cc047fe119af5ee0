"""Actions as they run: each in a thread, which starts the work at its provider, waits for it, and writes how it ended.

What is started at a provider is written down first, and found there by the action's id: after a restart a running
action is looked for, never started twice. Approvals have no thread: they wait for PutApprovalResult.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.background import log_failure
from local_sagemaker.clock import now
from local_sagemaker.codepipeline.variables import UnresolvedVariable, resolve_all
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.delivery_members import DeliveryActionRecord, own_action, own_delivery
from local_sagemaker.records.delivery_status import ActionStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.codepipeline.actions.action import ActionResult, ActionWork, Provider
from local_sagemaker.services.codepipeline.actions.manual_approval import Approvals
from local_sagemaker.services.codepipeline.errors import ActionEnded, ActionFailure
from local_sagemaker.services.codepipeline.pipeline_store import PipelineStore

log = logging.getLogger(__name__)


class ActionRuns:
    """Starts actions, and takes up those that a stop of the service interrupted."""

    def __init__(
        self, store: PipelineStore, providers: Mapping[tuple[str, str], Provider], approvals: Approvals,
        wake: Callable[[], None],
    ) -> None:  # fmt: skip
        self._store, self._providers, self._approvals, self._wake = store, providers, approvals, wake
        self._ended = threading.Event()

    def open(self) -> None:
        """Actions may run."""
        self._ended.clear()

    def close(self) -> None:
        """Gives all work up; it is taken up at the next start."""
        self._ended.set()

    def start(self, execution: Body, stage: str, action: dict[str, Any], attempt: int) -> None:
        """Writes an action down, and begins it."""
        body: Body = {
            "stageName": stage, "actionName": action["name"], **DeliveryActionRecord(_attempt=attempt),
            "input": {
                "actionTypeId": action["actionTypeId"], "configuration": action["configuration"],
                "inputArtifacts": self._inputs(execution, action), "region": self._store.arns.region,
                **{name: action[name] for name in ("roleArn", "namespace") if name in action},
            },
        }  # fmt: skip
        try:
            body["input"]["resolvedConfiguration"] = resolve_all(action["configuration"], namespaces(execution))
        except UnresolvedVariable as error:
            body["input"]["resolvedConfiguration"] = {}
            if failed := self._store.add_action(execution, body):
                self._write(failed, ActionResult(failure=ActionFailure(str(error), "InvalidVariable")))
            return
        if action["actionTypeId"]["category"] == "Approval":
            own_action(body)["_token"] = str(uuid.uuid4())
            if execution["executionMode"] == "PARALLEL":  # the token is found by ListActionExecutions only
                body["output"] = {"executionResult": {"externalExecutionId": own_action(body)["_token"]}}
            minutes = action.get("timeoutInMinutes", 7 * 24 * 60)
            own_action(body)["_expires"] = now() + 60 * minutes
        if added := self._store.add_action(execution, body):
            (self._approvals.announce if "_token" in added else self._begin)(added)

    def resume(self, action: Body) -> None:
        """Takes an action in progress up again."""
        if action["input"]["actionTypeId"]["category"] != "Approval":
            self._begin(action)

    def _inputs(self, execution: Body, action: dict[str, Any]) -> list[dict[str, Any]]:
        artifacts = []
        for artifact in action["inputArtifacts"]:
            place = own_delivery(execution)["_artifacts"].get(artifact["name"], {})
            location = {"bucket": place.get("bucket", ""), "key": place.get("key", "")}
            artifacts.append({"name": artifact["name"], "s3location": location})
        return artifacts

    def _begin(self, action: Body) -> None:
        name = f"action {action['actionName']}"
        threading.Thread(target=self._run, args=(action,), name=name, daemon=True).start()

    def _run(self, action: Body) -> None:
        execution = self._store.execution(own_action(action)["_name"], action["pipelineExecutionId"])
        structure = self._store.structure(own_action(action)["_name"], action["pipelineVersion"])
        stage = next(row for row in structure["stages"] if row["name"] == action["stageName"])
        declared = next(row for row in stage["actions"] if row["name"] == action["actionName"])
        kind = action["input"]["actionTypeId"]
        work = ActionWork(
            execution=execution, structure=structure, declared=declared, action=action, ended=self._ended,
            note=lambda external: self._note(action, external), waits=lambda: self._waits(action),
        )  # fmt: skip
        result = ActionResult(failure=ActionFailure("The local service failed; its log says why.", "InternalError"))
        with log_failure(log, "action %s of %s", action["actionName"], own_action(action)["_name"]):
            try:
                result = self._providers[kind["category"], kind["provider"]](work)
            except ActionFailure as failure:
                result = ActionResult(failure=failure, external=work.external)
            except ServiceError as error:
                result = ActionResult(
                    failure=ActionFailure(error.message, "ConfigurationError"), external=work.external
                )
            except ActionEnded:
                return
        with log_failure(log, "the end of action %s of %s", action["actionName"], own_action(action)["_name"]):
            self._write(action, result)

    def _waits(self, action: Body) -> bool:
        current = self._store.find_action(action)
        return current is not None and current["status"] == ActionStatus.IN_PROGRESS

    def _note(self, action: Body, external: dict[str, str]) -> None:
        self._store.change_action(action, lambda body: body["output"].update(executionResult=external))

    def _write(self, action: Body, result: ActionResult) -> None:
        """The action's end, and what the execution has of it."""
        with self._store.records.transaction():
            current = self._store.find_action(action)
            if current is None or current["status"] != ActionStatus.IN_PROGRESS:
                return
            self._store.change_action(action, lambda body: finish(body, result))
            execution = self._store.execution(own_action(action)["_name"], action["pipelineExecutionId"])
            self._store.change_execution(execution, lambda body: take_in(body, current, result))
        self._wake()

    def expire(self, execution: Body) -> bool:
        """Fails the approvals whose time is over; whether there were any."""
        over = [
            action
            for action in self._store.actions(execution)
            if action["status"] == ActionStatus.IN_PROGRESS and own_action(action).get("_expires", now() + 1) <= now()
        ]
        for action in over:
            failure = ActionFailure("Approval was not given in time.", "TimeoutError")
            self._write(action, ActionResult(failure=failure))
        return bool(over)


def namespaces(execution: Body) -> dict[str, dict[str, str]]:
    """All variables that actions of the execution may refer to."""
    return {
        "variables": {row["name"]: row["resolvedValue"] for row in execution["variables"]},
        "codepipeline": {"PipelineExecutionId": execution["pipelineExecutionId"]},
        **own_delivery(execution)["_outputs"],
    }


def finish(body: Body, result: ActionResult) -> None:
    """Sets an action's record to how it ended."""
    outcome = {**body["output"].get("executionResult", {}), **result.external}
    if result.failure:
        body["status"] = ActionStatus.FAILED
        outcome["errorDetails"] = {"code": result.failure.code, "message": result.failure.message}
    else:
        body["status"] = ActionStatus.SUCCEEDED
    if result.summary:
        outcome["externalExecutionSummary"] = result.summary
    artifacts = [
        {"name": name, "s3location": {"bucket": place["bucket"], "key": place["key"]}}
        for name, place in result.artifacts.items()
    ]
    body["output"] = {"executionResult": outcome, "outputArtifacts": artifacts, "outputVariables": result.variables}
    if result.revision:
        own_action(body)["_revision"] = result.revision


def take_in(execution: Body, action: Body, result: ActionResult) -> None:
    """What an execution has of an action that ended: artifacts, variables, revisions."""
    if result.failure:
        return
    own_delivery(execution)["_artifacts"].update(result.artifacts)
    namespace = action["input"].get("namespace")
    if namespace:
        own_delivery(execution)["_outputs"][namespace] = result.variables
    if result.revision:
        name = next(iter(result.artifacts), action["actionName"])
        revision = {key: value for key, value in result.revision.items() if value}
        execution["artifactRevisions"].append({"name": name, **revision, "created": now()})
        own_delivery(execution)["_sources"].append({"actionName": action["actionName"], **revision})
