"""The results of Lambda actions' functions."""

from __future__ import annotations

from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.records.delivery_status import ActionStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.codepipeline.errors import PipelineError
from local_sagemaker.services.codepipeline.pipeline_store import JOB, PipelineStore


class JobResults(Resource):
    """PutJobSuccessResult, PutJobFailureResult, GetJobDetails."""

    def __init__(self, *, store: PipelineStore) -> None:
        self._store = store

    def _find(self, identity: str) -> tuple[str, Body]:
        for key, body in self._store.records.items(JOB):
            if body["id"] == identity:
                return key, body
        raise PipelineError(f"The job {identity} does not exist.", code="JobNotFoundException")

    @operation("PutJobSuccessResult", atomic=True)
    def succeed(self, request: Request) -> Response:
        """The job has succeeded; with a continuation token, it is to be invoked again."""
        details = request.get("executionDetails", {})
        members: dict[str, Any] = {"status": ActionStatus.SUCCEEDED}
        if request.get("continuationToken"):
            members = {"continuationToken": request["continuationToken"]}
        members |= {"outputVariables": request.get("outputVariables", {}), "summary": details.get("summary", ""),
                    "externalExecutionId": details.get("externalExecutionId")}  # fmt: skip
        return self._end(request["jobId"], members)

    @operation("PutJobFailureResult", atomic=True)
    def fail(self, request: Request) -> Response:
        """The job has failed."""
        return self._end(request["jobId"], {"status": ActionStatus.FAILED, "failure": request["failureDetails"]})

    def _end(self, identity: str, members: dict[str, Any]) -> Response:
        key, body = self._find(identity)
        if body["status"] != ActionStatus.IN_PROGRESS:
            text = f"The job {identity} is in the state {body['status']}."
            raise PipelineError(text, code="InvalidJobStateException")
        self._store.records.put(JOB, key, {**body, **members})
        return {}

    @operation("GetJobDetails")
    def details(self, request: Request) -> Response:
        """What a job was invoked with."""
        _, body = self._find(request["jobId"])
        return {"jobDetails": {"id": body["id"], "data": body["data"], "accountId": self._store.arns.account}}
