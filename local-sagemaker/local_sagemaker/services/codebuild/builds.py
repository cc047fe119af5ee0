"""Builds: started, looked up, stopped, run again."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field
from functools import partial

from local_sagemaker.api.operations import Request, Response, operation
from local_sagemaker.records.delivery_members import BuildRecord, own_build
from local_sagemaker.records.delivery_status import BuildStatus
from local_sagemaker.records.kinds import BUILD
from local_sagemaker.records.store import Body
from local_sagemaker.services.codebuild.build_phases import Phases
from local_sagemaker.services.codebuild.build_run import BuildRun, BuildServices
from local_sagemaker.services.codebuild.build_store import BuildStore, to_response
from local_sagemaker.services.codebuild.errors import InvalidInput
from local_sagemaker.services.codebuild.projects import check, check_role, check_variables
from local_sagemaker.services.codebuild.requests import refuse_source_of_pipeline
from local_sagemaker.services.codebuild.runs import RunResource

LOST = (
    "The local service ended while this build ran, and its environment with it. What its commands did is as they left "
    "it. RetryBuild, or RetryStageExecution of its pipeline, runs it again."
)
_OVERRIDES = {
    "secondarySourcesOverride": ("secondarySources",), "sourceTypeOverride": ("source", "type"),
    "sourceLocationOverride": ("source", "location"), "gitCloneDepthOverride": ("source", "gitCloneDepth"),
    "buildspecOverride": ("source", "buildspec"), "artifactsOverride": ("artifacts",),
    "secondaryArtifactsOverride": ("secondaryArtifacts",), "imageOverride": ("environment", "image"),
    "environmentTypeOverride": ("environment", "type"), "computeTypeOverride": ("environment", "computeType"),
    "privilegedModeOverride": ("environment", "privilegedMode"), "serviceRoleOverride": ("serviceRole",),
    "timeoutInMinutesOverride": ("timeoutInMinutes",), "encryptionKeyOverride": ("encryptionKey",),
    "queuedTimeoutInMinutesOverride": ("queuedTimeoutInMinutes",), "logsConfigOverride": ("logsConfig",),
    "cacheOverride": ("cache",), "autoRetryLimitOverride": ("autoRetryLimit",),
    "buildTimeoutInMinutesOverride": ("timeoutInMinutes",), "buildBatchConfigOverride": ("buildBatchConfig",),
}  # fmt: skip


@dataclass(frozen=True)
class PipelineOrder:
    """What a pipeline's action wants of a build: archives in, archives out, as (identifier, bucket, key).

    `combined` is of batches: the archives of their builds become one.
    """

    initiator: str
    token: str
    sources: list[tuple[str, str, str]]
    artifacts: list[tuple[str, str, str]]
    version: str = ""
    variables: list[dict[str, str]] = field(default_factory=list)
    combined: bool = False


class Builds(RunResource[BuildRun]):
    """The operations on builds. Each running build has a thread."""

    noun, status = "builds", "buildStatus"

    def __init__(self, *, store: BuildStore, services: BuildServices) -> None:
        super().__init__(store.records)
        self._store, self._services = store, services

    def find(self, identity: str) -> Body | None:
        """The build with this id."""
        return self._store.find(identity)

    def show(self, body: Body) -> Body:
        """A build as responses have it."""
        return to_response(body)

    def resume(self) -> None:
        """Builds of a killed service have lost their environments: they end, and say so."""
        for build in self._store.builds():
            if build["buildStatus"] == BuildStatus.IN_PROGRESS and build["startTime"] < self._begun:
                phases = Phases(self._store, build["id"])
                phases.fault(LOST)
                self._services.say(build, LOST)

    @operation("StartBuild")
    def start(self, request: Request) -> Response:
        """Starts a build of a project, with the request's overrides."""
        project = self._store.project(request["projectName"])
        refuse_source_of_pipeline(project, request)
        if earlier := self._earlier("StartBuild", request, project["name"]):
            return {"build": to_response(earlier)}
        wanted = override(project, request)
        check(wanted)
        check_role(wanted["serviceRole"], self._services.roles)
        add = partial(self._add, project, wanted, {}, request)
        return {"build": to_response(self._begin_once("StartBuild", request, project["name"], add, self._tokens))}

    def start_for(self, project_name: str, order: PipelineOrder) -> str:
        """Starts a build for a pipeline's action, once for each token, and returns its id."""
        project = self._store.project(project_name)
        check_variables(order.variables)
        private = {**BuildRecord(_order=asdict(order)), "initiator": order.initiator}
        request: Request = {"environmentVariablesOverride": order.variables, "sourceVersion": order.version}
        add = partial(self._add, project, project, private, request)
        return str(self._begin_once("build", {"token": order.token}, project["name"], add, self._orders)["id"])

    def begin(self, project: Body, wanted: Body, private: Body, request: Request) -> Body:
        """Starts a build of what is wanted. `private` has the members of its record that no request gives."""
        build = self._add(project, wanted, private, request)
        self.begin_run(build)
        return build

    def begin_run(self, body: Body) -> None:
        """Starts the process of a build that was added."""
        self._launch(BuildRun(body, self._services, self._end_run))

    def _add(self, project: Body, wanted: Body, private: Body, request: Request) -> Body:
        return self._store.add(project, _body(wanted, private, request))

    def never(self, project: Body, wanted: Body, private: Body, request: Request) -> Body:
        """The record of a build of a batch that was stopped before it began."""
        build = self._add(project, wanted, private, request)
        phases = Phases(self._store, build["id"])
        phases.enter("SUBMITTED")
        phases.leave(BuildStatus.STOPPED)
        phases.complete(BuildStatus.STOPPED)
        return self._store.require(build["id"])

    def _end_run(self, run: BuildRun) -> None:
        build = self._store.find(run.id)
        if build and run.again is not None and own_build(build)["_retries"] < run.again:
            again = self._add_again(build, retries=own_build(build)["_retries"] + 1)
            self.begin_run(again)
            self._store.change(run.id, lambda body: body.update(_again=again["id"]))
        self._forget_run(run)

    def outcome(self, identity: str) -> Body | None:
        """A build that has ended, or the one that it was last run again as; None while it runs."""
        if self.runs(identity):
            return None
        build = self._store.require(identity)
        return self.outcome(own_build(build)["_again"]) if "_again" in build else build

    @operation("BatchGetBuilds")
    def batch(self, request: Request) -> Response:
        """Several builds; the ids of those that do not exist."""
        return self._look_up(request)

    @operation("ListBuilds")
    def list(self, request: Request) -> Response:
        """The ids of all builds, the newest first."""
        return self._page(self._store.builds(), request)

    @operation("ListBuildsForProject")
    def list_of_project(self, request: Request) -> Response:
        """The ids of a project's builds, the newest first."""
        return self._page(self._store.builds(self._store.project(request["projectName"])["name"]), request)

    @operation("StopBuild")
    def stop(self, request: Request) -> Response:
        """Ends a running build; one that has ended stays as it is."""
        self.halt(self._store.require(request["id"])["id"])
        return {"build": to_response(self._store.require(request["id"]))}

    @operation("RetryBuild")
    def retry(self, request: Request) -> Response:
        """Runs a build again as it was."""
        if "id" not in request:  # optional in the model
            raise InvalidInput("Build ID must be specified.")
        build = self._store.require(request["id"])
        if earlier := self._earlier("RetryBuild", request, build["projectName"]):
            return {"build": to_response(earlier)}
        if build["buildStatus"] == BuildStatus.IN_PROGRESS:
            raise InvalidInput(f"Build {build['id']} is in progress.")
        add = partial(self._add_again, build)
        return {"build": to_response(self._begin_once("RetryBuild", request, build["projectName"], add, self._tokens))}

    def _add_again(self, build: Body, retries: int = 0) -> Body:
        project = self._store.project(build["projectName"])
        wanted = {**project, **{name: build[name] for name in _COPIED if name in build}}
        wanted["artifacts"], *wanted["secondaryArtifacts"] = own_build(build)["_artifacts"]
        private = {**BuildRecord(_retries=retries)}
        kept = _KEPT_PRIVATE if retries else ("_order",)
        private |= {name: build[name] for name in kept if name in build}
        request: Request = {"environmentVariablesOverride": own_build(build)["_overrides"]}
        if "sourceVersion" in build:
            request["sourceVersion"] = build["sourceVersion"]
        return self._add(project, wanted, private, request)

    @operation("BatchDeleteBuilds", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes builds that have ended."""
        deleted, kept = [], []
        for identity in request["ids"]:
            build = self._store.find(identity)
            if build and build["buildStatus"] != BuildStatus.IN_PROGRESS:
                self._store.records.delete(BUILD.kind, "/".join(build["id"].rsplit(":", 1)))
                deleted.append(build["arn"])
            else:
                kept.append({"id": identity, "statusCode": "BUILD_IN_PROGRESS" if build else "BUILD_NOT_FOUND"})
        return {"buildsDeleted": deleted, "buildsNotDeleted": kept}


_KEPT_PRIVATE = ("_order", "_task", "_hold", "buildBatchArn", "initiator")
"""What a build that is run again by itself keeps besides what it builds: it stays in its batch."""
_COPIED = ("source", "secondarySources", "environment", "timeoutInMinutes", "queuedTimeoutInMinutes", "encryptionKey",
           "cache", "serviceRole", "autoRetryLimit")  # fmt: skip


def override(project: Body, request: Request) -> Body:
    """A project with the overrides of a request."""
    wanted = copy.deepcopy(project)
    for member, path in _OVERRIDES.items():
        if member not in request:
            continue
        if len(path) == 1:
            wanted[path[0]] = request[member]
        else:
            wanted[path[0]][path[1]] = request[member]
    check_variables(request.get("environmentVariablesOverride", []))
    return wanted


def _body(wanted: Body, private: Body, request: Request) -> Body:
    """A new build's record, but for its names."""
    role = wanted["serviceRole"]
    body = {
        "currentPhase": "SUBMITTED", "buildStatus": BuildStatus.IN_PROGRESS, "buildComplete": False,
        "initiator": "local", "serviceRole": role, "phases": [], **BuildRecord(_overrides=[
            {"type": "PLAINTEXT", **row} for row in request.get("environmentVariablesOverride", [])
        ]),
        **{name: copy.deepcopy(wanted[name]) for name in _COPIED if name in wanted}, **private,
    }  # fmt: skip
    if request.get("sourceVersion") or wanted.get("sourceVersion"):
        body["sourceVersion"] = request.get("sourceVersion") or wanted["sourceVersion"]
    versions = request.get("secondarySourcesVersionOverride") or wanted.get("secondarySourceVersions")
    if versions:
        body["secondarySourceVersions"] = versions
    body["artifacts"], own_build(body)["_artifacts"] = {"location": ""}, [wanted["artifacts"], *wanted.get(
        "secondaryArtifacts", [])]  # fmt: skip
    own_build(body)["_logs"] = wanted.get("logsConfig", {})
    own_build(body)["_retries"] = own_build(private).get("_retries", 0)
    return body
