"""Executions: started, stopped, retried, rolled back, listed; their actions."""

from __future__ import annotations

from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.records.delivery_members import own_delivery, own_stage
from local_sagemaker.records.delivery_status import DeliveryStatus, StageStatus
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.codepipeline.engine import Engine
from local_sagemaker.services.codepipeline.errors import PipelineError, invalid_token
from local_sagemaker.services.codepipeline.execution_start import ExecutionStart, Trigger
from local_sagemaker.services.codepipeline.pipeline_store import PipelineStore
from local_sagemaker.services.pagination import page_rows
from local_sagemaker.services.request_tokens import RequestTokens, TokenRules

DELIVERY = "event-delivery"
"""The records of events on their way to targets: such a delivery's key is the token of what it starts."""


class DeliveryExecutions(Resource):
    """The operations on executions. The engine begins and ends with the service."""

    def __init__(self, *, store: PipelineStore, starter: ExecutionStart, engine: Engine) -> None:
        self._store, self._starter, self._engine = store, starter, engine
        self._tokens = RequestTokens(store.records, TokenRules("clientRequestToken", mismatch=None))

    def resume(self) -> None:
        """Resumes what runs."""
        self._engine.start()

    def reset(self) -> None:
        """Ends all work, for a service that continues empty."""
        self._engine.stop()
        self._engine.start()

    def close(self) -> None:
        """Ends all work; it is taken up at the next start."""
        self._engine.stop()

    @operation("StartPipelineExecution", atomic=True)
    def start(self, request: Request) -> Response:
        """Starts an execution of the newest version."""
        name, token = request["name"], request.get("clientRequestToken")
        self._store.pipeline(name)
        variables = {row["name"]: row["value"] for row in request.get("variables", [])}
        revisions = {row["actionName"]: row for row in request.get("sourceRevisions", [])}
        delivery = self._store.records.get(DELIVERY, token) if token else None
        kind, detail = "StartPipelineExecution", self._starter.caller
        if delivery:
            kind, detail = "CloudWatchEvent", delivery["arn"]
        trigger = Trigger(kind, detail, variables, revisions)
        response, new = self._tokens.once(
            "codepipeline", request, lambda: {"pipelineExecutionId": self._starter.add(name, trigger)}, scope=name
        )  # fmt: skip
        if new:
            self._engine.wake()
        return response

    @operation("StopPipelineExecution", atomic=True)
    def stop(self, request: Request) -> Response:
        """Stops an execution: after its running actions, or at once."""
        execution = self._store.execution(request["pipelineName"], request["pipelineExecutionId"])
        abandon = bool(request.get("abandon"))
        if execution["status"] == DeliveryStatus.STOPPING and (own_delivery(execution).get("_abandon") or not abandon):
            text = "The pipeline execution is already in a Stopping state."
            raise PipelineError(text, code="DuplicatedStopRequestException")
        if DeliveryStatus(execution["status"]).is_final:
            text = f"The pipeline execution is in the state {execution['status']} and can't be stopped."
            raise PipelineError(text, code="PipelineExecutionNotStoppableException")
        reason = {"reason": request.get("reason", "")}
        self._store.change_execution(
            execution, lambda body: body.update(status=DeliveryStatus.STOPPING, _abandon=abandon, stopTrigger=reason)
        )
        self._engine.wake()
        return {"pipelineExecutionId": execution["pipelineExecutionId"]}

    @operation("RetryStageExecution", atomic=True)
    def retry(self, request: Request) -> Response:
        """Runs the failed stage of an execution again."""
        name, stage = request["pipelineName"], request["stageName"]
        execution = self._store.execution(name, request["pipelineExecutionId"])
        self._check_stage(name, stage)
        record = self._store.stage(execution, stage)
        if record is None or record["status"] not in (StageStatus.FAILED, StageStatus.STOPPED):
            text = f"The stage {stage} of the execution did not fail, so that it can't be retried."
            raise PipelineError(text, code="StageNotRetryableException")
        if execution["executionMode"] != "PARALLEL":
            self._check_latest(name, stage, execution)
        self._engine.retry(execution, stage, request["retryMode"], "ManualStageRetry")
        return {"pipelineExecutionId": execution["pipelineExecutionId"]}

    def _check_stage(self, name: str, stage: str) -> dict[str, Any]:
        structure = self._store.structure(name, self._store.pipeline(name)["version"])
        for row in structure["stages"]:
            if row["name"] == stage:
                return dict(row)
        text = f"Pipeline '{name}' does not have a stage with name '{stage}'"
        raise PipelineError(text, code="StageNotFoundException")

    def _check_latest(self, name: str, stage: str, execution: Body) -> None:
        for other in reversed(self._store.executions(name)):
            if other["pipelineExecutionId"] == execution["pipelineExecutionId"]:
                return
            if self._store.stage(other, stage):
                text = f"A newer execution has entered the stage {stage}: {other['pipelineExecutionId']}"
                raise PipelineError(text, code="NotLatestPipelineExecutionException")

    @operation("RollbackStage", atomic=True)
    def roll_back(self, request: Request) -> Response:
        """Runs a stage with what an earlier execution succeeded with there."""
        name, stage = request["pipelineName"], request["stageName"]
        self._check_stage(name, stage)
        target = self._store.execution(name, request["targetPipelineExecutionId"])
        record = self._store.stage(target, stage)
        version = self._store.pipeline(name)["version"]
        problems = {
            "the target execution did not succeed in the stage": not record
            or record["status"] != StageStatus.SUCCEEDED,
            "the target execution is a rollback itself": target["executionType"] == "ROLLBACK",
            "the target execution is of another version of the pipeline": target["pipelineVersion"] != version,
            "there is no rollback in the execution mode PARALLEL": target["executionMode"] == "PARALLEL",
        }
        for text, is_so in problems.items():
            if is_so:
                raise PipelineError(f"The stage can't be rolled back: {text}", code="UnableToRollbackStageException")
        trigger = Trigger("ManualRollback", self._starter.caller)
        return {"pipelineExecutionId": self._starter.roll_back(name, stage, target, trigger)}

    @operation("OverrideStageCondition", atomic=True)
    def override(self, request: Request) -> Response:
        """Lets a stage pass whose condition failed."""
        name, stage = request["pipelineName"], request["stageName"]
        declared = self._check_stage(name, stage)
        execution = self._store.execution(name, request["pipelineExecutionId"])
        place = {"BEFORE_ENTRY": "beforeEntry", "ON_SUCCESS": "onSuccess"}[request["conditionType"]]
        record = self._store.stage(execution, stage)
        conditions = declared.get(place, {}).get("conditions", [])
        failed = (
            record
            and record["conditions"].get(place, {}).get("latestExecution", {}).get("status") == StageStatus.FAILED
        )
        if not record or not failed or any(row.get("result") == "SKIP" for row in conditions):
            text = f"There is no condition of the stage {stage} to override."
            raise PipelineError(text, code="ConditionNotOverridableException")
        stages = [row["name"] for row in self._store.structure(name, execution["pipelineVersion"])["stages"]]
        states = {**record["conditions"], place: {**record["conditions"][place], "latestExecution":
                                                  {"status": "Overridden"}}}  # fmt: skip
        self._store.put_stage(
            execution,
            stage,
            _overridden=[*own_stage(record).get("_overridden", []), place],
            conditions=states,
            status=StageStatus.IN_PROGRESS,
        )
        number = stages.index(stage)
        self._store.change_execution(
            execution,
            lambda body: body.update(status=DeliveryStatus.IN_PROGRESS, _stage=number, _entered=place == "onSuccess"),
        )
        self._engine.wake()
        return {}

    @operation("GetPipelineExecution")
    def get(self, request: Request) -> Response:
        """One execution."""
        execution = self._store.execution(request["pipelineName"], request["pipelineExecutionId"])
        members = ("pipelineName", "pipelineVersion", "pipelineExecutionId", "status", "statusSummary",
                   "artifactRevisions", "variables", "trigger", "executionMode", "executionType",
                   "rollbackMetadata")  # fmt: skip
        return {"pipelineExecution": {name: execution[name] for name in members if name in execution}}

    @operation("ListPipelineExecutions")
    def list(self, request: Request) -> Response:
        """The executions of a pipeline, the newest first."""
        name = request["pipelineName"]
        self._store.pipeline(name)
        bodies = self._store.executions(name)[::-1]
        wanted = request.get("filter", {}).get("succeededInStage", {}).get("stageName")
        if wanted:
            bodies = [
                body
                for body in bodies
                if (self._store.stage(body, wanted) or {}).get("status") == StageStatus.SUCCEEDED
            ]
        rows, more = page_rows([_summary(body) for body in bodies], request, invalid_token)
        return {"pipelineExecutionSummaries": rows, **more}

    @operation("ListActionExecutions")
    def actions(self, request: Request) -> Response:
        """The runs of a pipeline's actions, the newest first."""
        self._store.pipeline(request["pipelineName"])
        bodies = self._store.all_actions(request["pipelineName"])[::-1]
        chosen = request.get("filter", {})
        latest = chosen.get("latestInPipelineExecution", {})
        identity = chosen.get("pipelineExecutionId") or latest.get("pipelineExecutionId")
        if identity:
            self._store.execution(request["pipelineName"], identity)
            bodies = [body for body in bodies if body["pipelineExecutionId"] == identity]
        if latest:
            first: dict[tuple[str, str], Body] = {}
            for body in bodies:
                first.setdefault((body["stageName"], body["actionName"]), body)
            bodies = list(first.values())
        rows, more = page_rows([public(body) for body in bodies], request, invalid_token)
        return {"actionExecutionDetails": rows, **more}


def _summary(body: Body) -> Body:
    members = ("pipelineExecutionId", "status", "statusSummary", "startTime", "lastUpdateTime", "trigger",
               "stopTrigger", "executionMode", "executionType", "rollbackMetadata")  # fmt: skip
    return {**{name: body[name] for name in members if name in body}, "sourceRevisions": own_delivery(body)["_sources"]}
