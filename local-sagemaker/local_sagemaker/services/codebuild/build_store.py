"""The records of projects and builds."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from local_sagemaker.arns import Arns
from local_sagemaker.clock import now
from local_sagemaker.records import Records
from local_sagemaker.records.delivery_members import BuildProjectRecord, own_build_project
from local_sagemaker.records.kinds import BUILD
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.codebuild.errors import UnknownProject

PROJECT = "codebuild-project"


class BuildStore:
    """Projects by name, builds by ``project/uuid``."""

    def __init__(self, records: Records, arns: Arns) -> None:
        self.records, self.arns = records, arns

    def project(self, name: str) -> Body:
        """A project by its name or its ARN. Raises CodeBuild's error."""
        body = self.records.get(PROJECT, name.rpartition("project/")[2])
        if body is None:
            raise UnknownProject(f"Project cannot be found: {self.arns.of('codebuild', f'project/{name}')}")
        return body

    def find(self, identity: str) -> Body | None:
        """A build by its id or its ARN."""
        project, _, unique = identity.rpartition("build/")[2].rpartition(":")
        return self.records.get(BUILD.kind, f"{project}/{unique}")

    def require(self, identity: str) -> Body:
        """A build by its id or its ARN. Raises CodeBuild's error."""
        body = self.find(identity)
        if body is None:
            raise UnknownProject(f"Build {identity} does not exist.")
        return body

    def add(self, project: Body, body: Body) -> Body:
        """Adds a build with an id and the project's next number."""
        name, unique = project["name"], str(uuid.uuid4())
        with self.records.transaction():
            counted = self.records.update(
                PROJECT,
                name,
                lambda row: {**row, **BuildProjectRecord(_builds=own_build_project(row).get("_builds", 0) + 1)},
            )
            identity = f"{name}:{unique}"
            build = {
                "id": identity, "arn": self.arns.of("codebuild", f"build/{identity}"), "projectName": name,
                "buildNumber": own_build_project(counted)["_builds"] if counted else 1, "startTime": now(), **body,
            }  # fmt: skip
            self.records.insert(BUILD.kind, f"{name}/{unique}", build)
        return build

    def change(self, identity: str, change: Callable[[Body], None]) -> Body | None:
        """Changes a build's record in place."""
        return self.records.update(BUILD.kind, key_of(identity), change)

    def builds(self, project: str = "") -> list[Body]:
        """All builds (of a project), the oldest first."""
        return self.records.list(BUILD.kind, f"{project}/" if project else "")


def key_of(identity: str) -> str:
    """The key of a build's record."""
    return "/".join(identity.rsplit(":", 1))


def to_response(build: Body) -> Body:
    """A build as BatchGetBuilds shows it."""
    return public(build)
