"""Lambda actions: a function is invoked with a job, and says itself how the job ended."""

from __future__ import annotations

import json
import time
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.records.delivery_status import ActionStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.codepipeline.actions.action import ActionResult, ActionWork
from local_sagemaker.services.codepipeline.errors import ActionEnded, ActionFailure
from local_sagemaker.services.codepipeline.pipeline_store import JOB, PipelineStore

LONGEST = 20 * 60.0
"""Seconds that a job may take (user guide, "Quotas")."""


class FunctionAction:
    """Invokes a function once, and waits for PutJobSuccessResult or PutJobFailureResult."""

    def __init__(self, call: Call, store: PipelineStore, account: str) -> None:
        self._call, self._store, self._account = call, store, account

    def __call__(self, work: ActionWork) -> ActionResult:
        """The job's outcome is the action's."""
        key = f"{work.structure['name']}/{work.token}"
        job = self._store.records.get(JOB, key)
        if job is None:
            job = {"status": ActionStatus.IN_PROGRESS, "id": work.token, "data": self._data(work)}
            with self._store.records.transaction():
                if self._store.find_action(work.action) is None:  # the pipeline was deleted in the meantime
                    raise ActionEnded
                self._store.records.put(JOB, key, job)
            self._invoke(work, job)
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            job = self._store.records.get(JOB, key) or job
            if job.get("continuationToken"):
                self._invoke(work, self._store.records.update(JOB, key, _take_token) or job)
            elif job["status"] != ActionStatus.IN_PROGRESS:
                return self._result(work, job)
            work.pause()
        raise ActionFailure("The function did not report a result in time.", "JobTimedOut")

    def _data(self, work: ActionWork) -> Body:
        def rows(names: dict[str, Any]) -> list[dict[str, Any]]:
            return [
                {"name": name, "revision": None,
                 "location": {"type": "S3", "s3Location": {"bucketName": bucket, "objectKey": key}}}
                for name, (bucket, key) in names.items()
            ]  # fmt: skip

        outputs = {name: (place["bucket"], place["key"]) for name in work.outputs for place in [work.place(name)]}
        settings = work.configuration
        wanted = {name: settings[name] for name in ("FunctionName", "UserParameters") if name in settings}
        return {
            "actionConfiguration": {"configuration": wanted}, "inputArtifacts": rows(dict(work.inputs)),
            "outputArtifacts": rows(outputs),
        }  # fmt: skip

    def _invoke(self, work: ActionWork, job: Body) -> None:
        name = work.configuration["FunctionName"]
        event = {"CodePipeline.job": {"id": job["id"], "accountId": self._account, "data": job["data"]}}
        self._call(
            "lambda:Invoke", {"FunctionName": name, "InvocationType": "Event", "Payload": json.dumps(event).encode()}
        )

    @staticmethod
    def _result(work: ActionWork, job: Body) -> ActionResult:
        external = {"externalExecutionId": job.get("externalExecutionId") or job["id"]}
        if job["status"] == ActionStatus.FAILED:
            raise ActionFailure(job["failure"]["message"], job["failure"]["type"])
        places = {name: work.place(name) for name in work.outputs}
        variables = job.get("outputVariables", {})
        return ActionResult(external=external, artifacts=places, variables=variables, summary=job.get("summary", ""))


def _take_token(job: Body) -> None:
    """The next invocation gets the token that the last one left."""
    job["data"]["continuationToken"] = job.pop("continuationToken")
