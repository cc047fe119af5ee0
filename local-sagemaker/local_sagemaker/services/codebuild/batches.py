"""Batch builds: started, looked up, stopped, run again, deleted."""

from __future__ import annotations

import copy
from dataclasses import asdict
from functools import partial

from local_sagemaker.api.operations import Request, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.codebuild.batchspec import SOURCE_TASK
from local_sagemaker.records.delivery_members import BuildBatchRecord
from local_sagemaker.records.delivery_status import BuildStatus
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.codebuild.batch_run import BatchRun
from local_sagemaker.services.codebuild.batch_store import BatchPhases, BatchStore
from local_sagemaker.services.codebuild.build_run import BuildServices
from local_sagemaker.services.codebuild.builds import Builds, PipelineOrder, override
from local_sagemaker.services.codebuild.errors import InvalidInput
from local_sagemaker.services.codebuild.projects import check, check_roles, check_variables
from local_sagemaker.services.codebuild.requests import refuse_source_of_pipeline
from local_sagemaker.services.codebuild.runs import RunResource

LOST = (
    "The local service ended while this batch ran, and the environments of its builds with it. RetryBuildBatch runs it "
    "again."
)
DEFAULTS = {"restrictions": {"maximumBuildsAllowed": 100}, "timeoutInMins": 480}
"""Of a batch's configuration, as a response of AWS's has them (AWS CLI, ``batch-get-build-batches``)."""
_SHOWN = ("source", "secondarySources", "secondarySourceVersions", "cache", "environment", "serviceRole",
          "queuedTimeoutInMinutes", "encryptionKey")  # fmt: skip


class BuildBatches(RunResource[BatchRun]):
    """The operations on batch builds. Each running batch has a thread."""

    noun, status = "buildBatches", "buildBatchStatus"

    def __init__(self, *, store: BatchStore, builds: Builds, services: BuildServices) -> None:
        super().__init__(services.store.records)
        self._store, self._builds, self._services = store, builds, services

    def find(self, identity: str) -> Body | None:
        """The batch with this id."""
        return self._store.find(identity)

    def show(self, body: Body) -> Body:
        """A batch as responses have it."""
        return public(body)

    def resume(self) -> None:
        """Batches of a killed service have lost their builds: they end, and say so."""
        for batch in self._store.batches():
            lost = not self.runs(batch["id"]) and batch["startTime"] < self._begun
            if batch["buildBatchStatus"] == BuildStatus.IN_PROGRESS and lost:
                BatchPhases(self._store, batch["id"]).fail_all(LOST)

    @operation("StartBuildBatch")
    def start(self, request: Request) -> Response:
        """Starts a batch build of a project, with the request's overrides."""
        project = self._services.store.project(request["projectName"])
        refuse_source_of_pipeline(project, request)
        if earlier := self._earlier("StartBuildBatch", request, project["name"]):
            return {"buildBatch": public(earlier)}
        wanted = override(project, request)
        check(wanted)
        check_roles(wanted, self._services.roles)
        add = partial(self._add, project, wanted, {"initiator": "local"}, request)
        return {"buildBatch": public(self._begin_once("StartBuildBatch", request, project["name"], add, self._tokens))}

    def start_for(self, project_name: str, order: PipelineOrder) -> str:
        """Starts a batch for a pipeline's action, once for each token, and returns its id."""
        project = self._services.store.project(project_name)
        check_variables(order.variables)
        wanted = copy.deepcopy(project)
        wanted["buildBatchConfig"] = {**wanted.get("buildBatchConfig", {}), "combineArtifacts": order.combined}
        private = {**BuildBatchRecord(_order=asdict(order)), "initiator": order.initiator}
        request: Request = {"environmentVariablesOverride": order.variables, "sourceVersion": order.version}
        add = partial(self._add, project, wanted, private, request)
        return str(self._begin_once("batch", {"token": order.token}, project["name"], add, self._orders)["id"])

    def _add(self, project: Body, wanted: Body, private: Body, request: Request) -> Body:
        config = {**DEFAULTS, **wanted.get("buildBatchConfig", {})}
        if not config.get("serviceRole"):
            raise InvalidInput("Invalid project: batch builds need a service role in buildBatchConfig.")
        if config.get("combineArtifacts") and wanted.get("secondaryArtifacts"):
            raise InvalidInput("LocalUnsupported: combineArtifacts with secondaryArtifacts is not executed here.")
        body = {
            "currentPhase": "SUBMITTED", "buildBatchStatus": BuildStatus.IN_PROGRESS, "complete": False, "phases": [],
            "artifacts": {"location": ""}, "logConfig": wanted.get("logsConfig", {}),
            "buildTimeoutInMinutes": wanted["timeoutInMinutes"], "buildBatchConfig": config,
            "buildGroups": [{"identifier": SOURCE_TASK, "ignoreFailure": False}],
            **{name: copy.deepcopy(wanted[name]) for name in _SHOWN if name in wanted}, **private,
            **BuildBatchRecord(_wanted=wanted, _overrides=request.get("environmentVariablesOverride", [])),
        }  # fmt: skip
        version = request.get("sourceVersion") or wanted.get("sourceVersion")
        if version:
            body["sourceVersion"] = version
        if request.get("secondarySourcesVersionOverride"):
            body["secondarySourceVersions"] = request["secondarySourcesVersionOverride"]
            wanted["secondarySourceVersions"] = request["secondarySourcesVersionOverride"]
        return self._store.add(project, body)

    def begin_run(self, body: Body, kept: frozenset[str] = frozenset()) -> None:
        """Starts the thread of a batch that was added; the builds of the groups in `kept` stay as they are."""
        self._launch(BatchRun(body, self._services, self._store, self._builds, self._forget_run, kept))

    @operation("BatchGetBuildBatches")
    def batch(self, request: Request) -> Response:
        """Several batches; the ids of those that do not exist."""
        return self._look_up(request)

    @operation("ListBuildBatches")
    def list(self, request: Request) -> Response:
        """The ids of all batches, the newest first."""
        return self._page(self._store.batches(), request)

    @operation("ListBuildBatchesForProject")
    def list_of_project(self, request: Request) -> Response:
        """The ids of a project's batches, the newest first."""
        if "projectName" not in request:  # optional in the model
            raise InvalidInput("Project name must be specified.")
        return self._page(self._store.batches(self._services.store.project(request["projectName"])["name"]), request)

    @operation("StopBuildBatch")
    def stop(self, request: Request) -> Response:
        """Ends a running batch and its builds; one that has ended stays as it is."""
        self.halt(self._store.require(request["id"])["id"])
        return {"buildBatch": public(self._store.require(request["id"]))}

    @operation("RetryBuildBatch")
    def retry(self, request: Request) -> Response:
        """Runs a batch that did not succeed again, under its id: all of its builds, or those that did not succeed."""
        if "id" not in request:  # optional in the model
            raise InvalidInput("Build batch ID must be specified.")
        batch = self._store.require(request["id"])
        if earlier := self._earlier("RetryBuildBatch", request, batch["projectName"]):
            return {"buildBatch": public(earlier)}
        _refuse_retry(batch)
        failed_only = request.get("retryType") == "RETRY_FAILED_BUILDS"
        if failed_only and batch["buildBatchConfig"].get("combineArtifacts"):
            raise InvalidInput("LocalUnsupported: RETRY_FAILED_BUILDS with combineArtifacts is not executed here.")
        kept = _succeeded(batch) if failed_only and "_batchspec" in batch else frozenset()

        def begin_again(body: Body) -> None:
            _refuse_retry(body)
            body["phases"][-1].update(
                phaseStatus="RETRY", endTime=now(), durationInSeconds=int(now() - body["endTime"])
            )
            body.update(buildBatchStatus=BuildStatus.IN_PROGRESS, currentPhase="SUBMITTED", complete=False)
            body.pop("endTime")

        fresh = self._begin_once(
            "RetryBuildBatch", request, batch["projectName"],
            lambda: self._store.change(batch["id"], begin_again) or self._store.require(batch["id"]), self._tokens,
            begin=partial(self.begin_run, kept=kept),
        )  # fmt: skip
        return {"buildBatch": public(fresh)}

    @operation("DeleteBuildBatch", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes a batch that has ended, and its builds."""
        batch = self._store.find(request["id"])
        if batch is None:
            return {"statusCode": "BATCH_NOT_FOUND", "buildsDeleted": [], "buildsNotDeleted": []}
        if batch["buildBatchStatus"] == BuildStatus.IN_PROGRESS:
            return {"statusCode": "BATCH_IN_PROGRESS", "buildsDeleted": [], "buildsNotDeleted": []}
        builds = [build for build in self._services.store.builds(batch["projectName"])
                  if build.get("buildBatchArn") == batch["arn"]]  # fmt: skip
        outcome = self._builds.delete({"ids": [build["id"] for build in builds]})
        self._store.remove(batch["id"])
        return {"statusCode": "BATCH_DELETED", **outcome}


def _refuse_retry(batch: Body) -> None:
    """Raises CodeBuild's error for a batch that runs or succeeded."""
    if batch["buildBatchStatus"] in (BuildStatus.IN_PROGRESS, BuildStatus.SUCCEEDED):
        raise InvalidInput(f"Build batch {batch['id']} is {batch['buildBatchStatus']}: only failed ones are retried.")


def _succeeded(batch: Body) -> frozenset[str]:
    """The identifiers of the groups whose build succeeded."""
    return frozenset(
        group["identifier"] for group in batch["buildGroups"]
        if group.get("currentBuildSummary", {}).get("buildStatus") == BuildStatus.SUCCEEDED
    )  # fmt: skip
