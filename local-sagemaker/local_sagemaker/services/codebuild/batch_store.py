"""The records of batch builds."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from local_sagemaker.clock import now
from local_sagemaker.records.delivery_members import BuildProjectRecord, own_build_project
from local_sagemaker.records.delivery_status import BuildStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.codebuild.build_phases import Contexts, Phases
from local_sagemaker.services.codebuild.build_store import PROJECT, BuildStore, key_of
from local_sagemaker.services.codebuild.errors import UnknownProject

_BATCH = "codebuild-batch"
CLIENT_ERROR = "CLIENT_ERROR"
"""The status of the phase in which a batch failed, as a response of AWS's has it (AWS CLI, ``retry-build-batch``)."""


class BatchStore:
    """Batch builds by ``project/uuid``."""

    def __init__(self, builds: BuildStore) -> None:
        self._records, self._arns = builds.records, builds.arns

    def find(self, identity: str) -> Body | None:
        """A batch by its id or its ARN."""
        return self._records.get(_BATCH, key_of(identity.rpartition("build-batch/")[2]))

    def require(self, identity: str) -> Body:
        """A batch by its id or its ARN. Raises CodeBuild's error."""
        body = self.find(identity)
        if body is None:
            raise UnknownProject(f"Build batch {identity} does not exist.")
        return body

    def add(self, project: Body, body: Body) -> Body:
        """Adds a batch with an id and the project's next number."""
        name, unique = project["name"], str(uuid.uuid4())
        with self._records.transaction():
            counted = self._records.update(
                PROJECT,
                name,
                lambda row: {**row, **BuildProjectRecord(_batches=own_build_project(row).get("_batches", 0) + 1)},
            )
            identity = f"{name}:{unique}"
            batch = {
                "id": identity, "arn": self._arns.of("codebuild", f"build-batch/{identity}"), "projectName": name,
                "buildBatchNumber": own_build_project(counted)["_batches"] if counted else 1,
                "startTime": now(), **body,
            }  # fmt: skip
            self._records.insert(_BATCH, f"{name}/{unique}", batch)
        return batch

    def change(self, identity: str, change: Callable[[Body], None]) -> Body | None:
        """Changes a batch's record in place."""
        return self._records.update(_BATCH, key_of(identity), change)

    def remove(self, identity: str) -> None:
        """Removes a batch's record."""
        self._records.delete(_BATCH, key_of(identity))

    def batches(self, project: str = "") -> list[Body]:
        """All batches (of a project), the oldest first."""
        return self._records.list(_BATCH, f"{project}/" if project else "")


class BatchPhases(Phases):
    """Writes one batch's phases, and its groups."""

    def leave(self, status: str, contexts: Contexts | None = None, end: float | None = None) -> None:
        """Ends the phase that was entered last. Phases of batches have contexts only where something failed."""
        super().leave(status, contexts or [], end)

    def end(self, status: BuildStatus) -> None:
        """Ends the batch: its last phase is called after its outcome."""
        name = status if status in (BuildStatus.SUCCEEDED, BuildStatus.STOPPED) else BuildStatus.FAILED

        def change(batch: Body) -> None:
            batch["phases"].append({"phaseType": name, "startTime": now()})
            batch.update(currentPhase=name, buildBatchStatus=status, complete=True, endTime=now())

        self._store.change(self._id, change)

    def fail_all(self, message: str) -> None:
        """Ends the batch, its phase and its builds as a fault of the service."""

        def change(batch: Body) -> None:
            for group in batch["buildGroups"]:
                summary = group.get("currentBuildSummary", {})
                if summary.get("buildStatus") == BuildStatus.IN_PROGRESS:
                    summary["buildStatus"] = BuildStatus.FAULT

        self._store.change(self._id, change)
        self.leave(BuildStatus.FAULT, [{"statusCode": "INTERNAL_ERROR", "message": message}])
        self.end(BuildStatus.FAULT)

    def put_groups(self, groups: list[dict[str, Any]]) -> None:
        """Sets the groups after that of the source. What groups had of builds before stays theirs."""

        def change(batch: Body) -> None:
            before = {group["identifier"]: group for group in batch["buildGroups"]}
            kept = [{**before.get(group["identifier"], {}), **group} for group in groups]
            batch["buildGroups"] = [batch["buildGroups"][0], *kept]

        self._store.change(self._id, change)

    def summarize(self, identifier: str, summary: dict[str, Any]) -> None:
        """Sets the summary of a group's build; that of an earlier build is put aside."""

        def change(batch: Body) -> None:
            group = next(one for one in batch["buildGroups"] if one["identifier"] == identifier)
            before = group.get("currentBuildSummary")
            if before and before["arn"] != summary["arn"]:
                group["priorBuildSummaryList"] = [*group.get("priorBuildSummaryList", []), before]
            group["currentBuildSummary"] = summary

        self._store.change(self._id, change)
