"""Projects: what is built, from where, in which environment."""

from __future__ import annotations

import re
from typing import Protocol

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.records.store import AlreadyExists, Body, public
from local_sagemaker.services.codebuild.build_store import PROJECT, BuildStore
from local_sagemaker.services.codebuild.errors import InvalidInput, ProjectExists

DEFAULTS = {"timeoutInMinutes": 60, "queuedTimeoutInMinutes": 480, "cache": {"type": "NO_CACHE"}}
SOURCES = ("CODECOMMIT", "CODEPIPELINE", "GITHUB", "S3", "NO_SOURCE")
_RESERVED = "CODEBUILD_"
_IDENTIFIER = re.compile(r"[A-Za-z0-9_]{1,127}")
"""A sourceIdentifier (API reference, ProjectSource), which is a folder's name in the build."""


class RolesOfServices(Protocol):
    """What IAM and STS do for a service that works with the rights of a role."""

    def lend(self, role: str, session: str, seconds: float) -> dict[str, str]:
        """Temporary keys of a role, as environment variables."""
        ...

    def distrusts(self, role: str, service: str) -> bool:
        """Whether a role exists and does not let a service assume it."""
        ...


class Projects(Resource):
    """CreateProject, UpdateProject, DeleteProject, BatchGetProjects, ListProjects."""

    def __init__(self, *, store: BuildStore, roles: RolesOfServices) -> None:
        self._store, self._roles = store, roles

    @operation("CreateProject")
    def create(self, request: Request) -> Response:
        """Makes a project."""
        name, moment = request["name"], now()
        check(request)
        check_roles(request, self._roles)
        arn = self._store.arns.of("codebuild", f"project/{name}")
        body = {
            **DEFAULTS, "encryptionKey": self._store.arns.of("kms", "alias/aws/s3"), "badge": {"badgeEnabled": False},
            "projectVisibility": "PRIVATE", **request, "arn": arn, "created": moment, "lastModified": moment,
        }  # fmt: skip
        try:
            self._store.records.insert(PROJECT, name, _fill_defaults(body))
        except AlreadyExists as error:
            raise ProjectExists(f"Project already exists: {arn}") from error
        return {"project": public(body)}

    @operation("UpdateProject")
    def update(self, request: Request) -> Response:
        """Changes the members that are in the request."""
        before = self._store.project(request["name"])
        name = before["name"]

        def merge(current: Body) -> Body:
            body = _fill_defaults({**current, **request, "name": name, "lastModified": now()})
            check(body)
            return body

        check_roles(merge(before), self._roles)
        body = self._store.records.update(PROJECT, name, merge)  # builds may have been counted in the meantime
        return {"project": public(body or self._store.project(name))}

    @operation("DeleteProject", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes a project; its builds stay. An unknown one is removed already."""
        self._store.records.delete(PROJECT, request["name"].rpartition("project/")[2])
        return {}

    @operation("BatchGetProjects")
    def batch(self, request: Request) -> Response:
        """Several projects; the names of those that do not exist."""
        bodies = {name: self._store.records.get(PROJECT, name.rpartition("project/")[2]) for name in request["names"]}
        return {
            "projects": [public(body) for body in bodies.values() if body],
            "projectsNotFound": [name for name, body in bodies.items() if body is None],
        }

    @operation("ListProjects")
    def list(self, request: Request) -> Response:
        """The names of all projects."""
        order = {"NAME": "name", "CREATED_TIME": "created", "LAST_MODIFIED_TIME": "lastModified"}
        member = order[request.get("sortBy", "NAME")]
        bodies = sorted(self._store.records.list(PROJECT), key=lambda body: body[member])
        if request.get("sortOrder") == "DESCENDING":
            bodies.reverse()
        return {"projects": [body["name"] for body in bodies]}


def _fill_defaults(body: Body) -> Body:
    environment = {"privilegedMode": False, "imagePullCredentialsType": "CODEBUILD", **body["environment"]}
    variables = [{"type": "PLAINTEXT", **row} for row in environment.get("environmentVariables", [])]
    return {**body, "environment": {**environment, "environmentVariables": variables}}


def check(project: Body) -> None:
    """Refuses what no build of the project could do. Raises InvalidInput."""
    for source in (project["source"], *project.get("secondarySources", [])):
        if source["type"] not in SOURCES:
            raise InvalidInput(f"LocalUnsupported: sources of type {source['type']} are not executed here.")
        if source["type"] not in ("CODEPIPELINE", "NO_SOURCE") and not source.get("location"):
            raise InvalidInput(f"Invalid project source: location is required for type {source['type']}")
    for source in project.get("secondarySources", []):
        if not _IDENTIFIER.fullmatch(source.get("sourceIdentifier", "")):
            raise InvalidInput(
                "Invalid project source: the sourceIdentifier of a secondary source has letters, digits and "
                "underscores only, and fewer than 128"
            )
    if project["source"]["type"] == "NO_SOURCE" and not project["source"].get("buildspec"):
        raise InvalidInput("Invalid project source: buildspec is required for type NO_SOURCE")
    pipelines = {project["source"]["type"] == "CODEPIPELINE", project["artifacts"]["type"] == "CODEPIPELINE"}
    if pipelines == {True, False}:
        raise InvalidInput("Invalid project: source and artifacts must both be of type CODEPIPELINE, or neither")
    if project["artifacts"]["type"] == "S3" and not project["artifacts"].get("location"):
        raise InvalidInput("Invalid artifacts: location is required for type S3")
    environment = project["environment"]
    if environment["type"] not in ("LINUX_CONTAINER", "ARM_CONTAINER", "LINUX_GPU_CONTAINER", "LINUX_EC2"):
        raise InvalidInput(f"LocalUnsupported: environments of type {environment['type']} are not executed here.")
    check_variables(environment.get("environmentVariables", []))
    _check_batches(project.get("buildBatchConfig", {}))


def _check_batches(config: Body) -> None:
    numbers = {"timeoutInMins": 1, "maximumBuildsAllowed": 1, **config, **config.get("restrictions", {})}
    for name in ("timeoutInMins", "maximumBuildsAllowed"):
        if numbers[name] < 1:
            raise InvalidInput(f"Invalid project: {name} of buildBatchConfig must be positive.")


def check_roles(project: Body, roles: RolesOfServices) -> None:
    """Refuses a project whose roles, that of its batches too, don't trust CodeBuild."""
    for owner in (project, project.get("buildBatchConfig", {})):
        if owner.get("serviceRole"):
            check_role(owner["serviceRole"], roles)


def check_role(role: str, roles: RolesOfServices) -> None:
    """Refuses a role that does not trust CodeBuild; one that IAM does not have is taken, as everywhere here."""
    if roles.distrusts(role, "codebuild.amazonaws.com"):
        raise InvalidInput(f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}")


def check_variables(variables: list[Body]) -> None:
    """Refuses names that are CodeBuild's own."""
    for row in variables:
        if row["name"].startswith(_RESERVED):
            raise InvalidInput(f"Invalid environment variable {row['name']}: the prefix {_RESERVED} is reserved")
