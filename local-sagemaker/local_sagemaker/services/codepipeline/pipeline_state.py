"""GetPipelineState: what each stage and each action did last; and the results of approvals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.records.delivery_members import own_action, own_delivery, own_delivery_pipeline, own_stage
from local_sagemaker.records.delivery_status import ActionStatus, ApprovalResult, DeliveryStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.codepipeline.errors import PipelineError
from local_sagemaker.services.codepipeline.pipeline_store import PipelineStore


class PipelineStates(Resource):
    """GetPipelineState and PutApprovalResult."""

    def __init__(self, *, store: PipelineStore, wake: Callable[[], None], caller: str) -> None:
        self._store, self._wake, self._caller = store, wake, caller

    @operation("GetPipelineState")
    def get(self, request: Request) -> Response:
        """The state of all stages."""
        name = request["name"]
        body = self._store.pipeline(name)
        structure = self._store.structure(name, body["version"])
        executions, actions = self._store.executions(name), self._store.all_actions(name)
        return {
            "pipelineName": name, "pipelineVersion": body["version"], "created": body["created"],
            "updated": body["updated"],
            "stageStates": [
                self._stage(stage, number, body, executions, actions)
                for number, stage in enumerate(structure["stages"])
            ],
        }  # fmt: skip

    def _stage(
        self, stage: dict[str, Any], number: int, pipeline: Body, executions: list[Body], actions: list[Body]
    ) -> dict[str, Any]:
        name = stage["name"]
        waiting = [
            {
                "pipelineExecutionId": body["pipelineExecutionId"],
                "status": body["status"],
                "type": body["executionType"],
            }
            for body in executions
            if not DeliveryStatus(body["status"]).is_final
            and not own_delivery(body)["_entered"]
            and own_delivery(body)["_stage"] == number
        ]
        transition = own_delivery_pipeline(pipeline)["_transitions"].get(name, {"enabled": True})
        state: dict[str, Any] = {
            "stageName": name, "inboundTransitionState": transition, "inboundExecutions": waiting,
            "actionStates": [self._action(action, name, actions) for action in stage["actions"]],
        }  # fmt: skip
        if waiting:
            state["inboundExecution"] = waiting[-1]
        latest = next((r for b in reversed(executions) if (r := self._store.stage(b, name))), None)
        if latest:
            kinds = {body["pipelineExecutionId"]: body["executionType"] for body in executions}
            identity = latest["pipelineExecutionId"]
            state["latestExecution"] = {
                "pipelineExecutionId": identity, "status": latest["status"], "type": kinds[identity],
            }  # fmt: skip
            for place, conditions in latest["conditions"].items():
                state[f"{place}ConditionState"] = conditions
            if "_retry" in latest:
                state["retryStageMetadata"] = own_stage(latest)["_retry"]
        return state

    @staticmethod
    def _action(action: dict[str, Any], stage: str, actions: list[Body]) -> dict[str, Any]:
        state: dict[str, Any] = {"actionName": action["name"]}
        own = [row for row in actions if (row["stageName"], row["actionName"]) == (stage, action["name"])]
        if not own:
            return state
        body = own[-1]
        outcome = body["output"].get("executionResult", {})
        latest = {
            "actionExecutionId": body["actionExecutionId"], "status": body["status"],
            "lastStatusChange": body["lastUpdateTime"], "summary": outcome.get("externalExecutionSummary"),
            "externalExecutionId": outcome.get("externalExecutionId"), "errorDetails": outcome.get("errorDetails"),
            "lastUpdatedBy": body.get("updatedBy"),
        }  # fmt: skip
        if (
            "_token" in body
            and body["status"] == ActionStatus.IN_PROGRESS
            and own_action(body)["_token"] != outcome.get("externalExecutionId")
        ):
            latest["token"] = own_action(body)["_token"]
        state["latestExecution"] = {key: value for key, value in latest.items() if value is not None}
        revision = own_action(body).get("_revision")
        if revision:
            state["currentRevision"] = {
                "revisionId": revision["revisionId"], "revisionChangeId": revision["revisionId"],
                "created": body["lastUpdateTime"],
            }  # fmt: skip
        link = action["configuration"].get("ExternalEntityLink")
        return {**state, **({"entityUrl": link} if link else {})}

    @operation("PutApprovalResult", atomic=True)
    def approve(self, request: Request) -> Response:
        """Approves or rejects what waits."""
        name = request["pipelineName"]
        self._check_names(request)
        own = [
            row for row in self._store.all_actions(name)
            if (row["stageName"], row["actionName"]) == (request["stageName"], request["actionName"])
        ]  # fmt: skip
        matches = [row for row in own if own_action(row).get("_token") == request["token"]]
        if not matches:
            raise PipelineError(
                "The approval token provided in the request is not valid for this approval action.",
                code="InvalidApprovalTokenException",
            )
        response = ApprovalResult(request["result"]["status"])

        def change(body: Body) -> None:
            if body["status"] != ActionStatus.IN_PROGRESS:
                text = "The approval action has already been approved or rejected."
                raise PipelineError(text, code="ApprovalAlreadyCompletedException")
            outcome = {
                **body["output"].get("executionResult", {}), "externalExecutionSummary": request["result"]["summary"],
            }  # fmt: skip
            if response is ApprovalResult.REJECTED:
                text = f"Approval was rejected. {request['result']['summary']}".strip()
                outcome["errorDetails"] = {"code": "JobFailed", "message": text}  # type: ignore[assignment]
            body.update(
                status=ActionStatus.SUCCEEDED if response is ApprovalResult.APPROVED else ActionStatus.FAILED,
                updatedBy=self._caller,
            )
            body["output"] = {"executionResult": outcome, "outputArtifacts": [], "outputVariables": {}}

        self._store.change_action(matches[0], change)
        self._wake()
        return {"approvedAt": now()}

    def _check_names(self, request: Request) -> None:
        name = request["pipelineName"]
        structure = self._store.structure(name, self._store.pipeline(name)["version"])
        stages = {row["name"]: [action["name"] for action in row["actions"]] for row in structure["stages"]}
        if request["stageName"] not in stages:
            text = f"Pipeline '{name}' does not have a stage with name '{request['stageName']}'"
            raise PipelineError(text, code="StageNotFoundException")
        if request["actionName"] not in stages[request["stageName"]]:
            text = f"Stage '{request['stageName']}' does not have an action with name '{request['actionName']}'"
            raise PipelineError(text, code="ActionNotFoundException")
