"""Where the artifacts of a batch's builds go: each to its own place, or all into one archive."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from local_sagemaker.codebuild.artifact_files import archive_name
from local_sagemaker.codebuild.batchspec import SOURCE_TASK, Batchspec
from local_sagemaker.files.archives import ArchiveError, unpack_files
from local_sagemaker.records.delivery_members import BuildRecord, own_batch, own_build
from local_sagemaker.records.store import Body
from local_sagemaker.services.codebuild.agent_output import AGENTS, AgentOutput
from local_sagemaker.services.codebuild.artifacts import LARGEST, BuildUploads
from local_sagemaker.services.codebuild.build_run import BuildServices
from local_sagemaker.services.codebuild.errors import BuildFailure


class BatchArtifacts:
    """The artifacts of one batch."""

    def __init__(self, batch: Body, services: BuildServices) -> None:
        self._batch, self._services = batch, services
        self._order: list[list[str]] | None = own_batch(batch)["_order"]["artifacts"] if "_order" in batch else None
        self._names: dict[str, str] = {}
        self._identifiers: list[str] = []
        self._held = 0
        self.folder: Path = services.settings.jobs / f"codebuild-batch-{batch['id'].rpartition(':')[2]}"

    @property
    def combined(self) -> bool:
        """Whether the builds' artifacts become one."""
        config = self._batch["buildBatchConfig"]
        anywhere = (
            self._order if self._order is not None else own_batch(self._batch)["_wanted"]["artifacts"]["type"] == "S3"
        )
        return bool(config.get("combineArtifacts") and anywhere)

    def check(self, spec: Batchspec) -> None:
        """Refuses outputs of a pipeline's action that no build leaves. Raises BuildFailure."""
        self._identifiers = [task.identifier for task in spec.tasks]
        if self._order is None or self.combined:
            return
        for output, _, _ in self._order:
            if output not in self._identifiers and not any(output.startswith(f"{name}_") for name in self._identifiers):
                raise BuildFailure("CLIENT_ERROR", f"no build of the batch leaves the output artifact {output}")

    def private(self, identifier: str) -> Body:
        """The members of a build's record that say where its artifacts go."""
        members: Body = {}
        if self._order is not None:
            own_build(members)["_order"] = {**own_batch(self._batch)["_order"], "artifacts": self._share(identifier)}
        if self.combined and identifier != SOURCE_TASK:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._held += 1
            own_build(members)["_hold"] = str(self.folder / f"{self._held}.zip")
        return members

    def _share(self, identifier: str) -> list[list[str]]:
        """A build's part of the outputs: named after it, or after it and a secondary artifact of its."""
        if self.combined:
            return []
        shares = []
        for output, bucket, key in self._order or []:
            if output == identifier:
                shares.append(["", bucket, key])
            elif output not in self._identifiers and output.startswith(f"{identifier}_"):
                shares.append([output.removeprefix(f"{identifier}_"), bucket, key])
        return shares

    def take_in(self, identifier: str, build: Body) -> None:
        """Remembers what a build that succeeded put aside."""
        if "_held" in build:
            self._names[identifier] = own_build(build)["_hold"]
            own_batch(self._batch).setdefault("_name", own_build(build)["_held"])

    def combine(self, identifiers: list[str]) -> dict[str, Any]:
        """Uploads one archive of all builds' files; members of the batch's record. Of files of the same path, that of
        the later build in the specification is taken."""
        files: dict[str, Path] = {}
        for identifier in identifiers:
            if identifier in self._names:
                files |= _files_of(Path(self._names[identifier]))
        if not files:
            raise BuildFailure("CLIENT_ERROR", "no build of the batch left an artifact to combine")
        place = self.folder / AGENTS / archive_name("artifact", 0)
        place.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for name, file in files.items():
                archive.write(file, name)
        target = {**self._batch, **BuildRecord(_artifacts=[own_batch(self._batch)["_wanted"]["artifacts"]])}
        uploads = BuildUploads(target, self._services.objects, AgentOutput(self.folder))
        uploads.add(0, {"artifact": "", "name": own_batch(self._batch).get("_name", "")})
        return uploads.upload()


def _files_of(archive: Path) -> dict[str, Path]:
    """What a build put aside, unpacked, by name. Raises BuildFailure."""
    folder = archive.with_suffix(".files")
    try:
        folder.mkdir(exist_ok=True)
        return {file.name: file.path for file in unpack_files(archive, folder, LARGEST)}
    except (ArchiveError, OSError) as error:
        raise BuildFailure("CLIENT_ERROR", f"the artifacts to combine can't be unpacked: {error}") from error
