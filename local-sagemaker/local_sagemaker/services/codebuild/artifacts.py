"""What a build leaves: its archives, uploaded to S3."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.files.archives import ArchiveError, unpack_zip
from local_sagemaker.objects.types import Objects
from local_sagemaker.records.delivery_members import BuildRecord, own_build
from local_sagemaker.records.store import Body
from local_sagemaker.services.codebuild.agent_output import AgentMessage, AgentOutput
from local_sagemaker.services.codebuild.errors import BuildFailure

LARGEST = 10 << 30


class BuildUploads:
    """A build's uploads: first what the agent collected is added, then all is uploaded."""

    def __init__(self, build: Body, objects: Objects, output: AgentOutput) -> None:
        """`output` has the archives."""
        self._build, self._objects, self._output = build, objects, output
        self._found: dict[int, AgentMessage] = {}

    @property
    def wanted(self) -> bool:
        """Whether artifacts go anywhere."""
        if "_hold" in self._build:
            return True
        if "_order" in self._build:
            return bool(own_build(self._build)["_order"]["artifacts"])
        return any(row["type"] == "S3" for row in own_build(self._build)["_artifacts"])

    def add(self, number: int, message: AgentMessage) -> None:
        """Takes in the archive of an artifact, by its place in the specification."""
        self._found[number] = {**message, "number": number}

    def upload(self) -> dict[str, Any]:
        """Uploads; members of the build's record. Raises `BuildFailure`."""
        if "_hold" in self._build:
            return self._hold(Path(own_build(self._build)["_hold"]))
        if "_order" in self._build:
            return self._for_pipeline(own_build(self._build)["_order"]["artifacts"])
        members: dict[str, Any] = {}
        for target in own_build(self._build)["_artifacts"]:
            if target["type"] != "S3":
                continue
            identifier = target.get("artifactIdentifier", "")
            message = self._of(identifier if target is not own_build(self._build)["_artifacts"][0] else "")
            if message is None:
                text = f"no definition for artifact with identifier {identifier or 'primary'}"
                raise BuildFailure("CLIENT_ERROR", text)
            row = self._put(target, message)
            if target is own_build(self._build)["_artifacts"][0]:
                members["artifacts"] = row
            else:
                members.setdefault("secondaryArtifacts", []).append({**row, "artifactIdentifier": identifier})
        return members

    def _of(self, identifier: str) -> AgentMessage | None:
        return next((message for message in self._found.values() if message["artifact"] == identifier), None)

    def _hold(self, place: Path) -> dict[str, Any]:
        """Puts the primary artifact aside, for the batch to combine with those of its other builds."""
        message = self._of("")
        if message is None:
            return {}
        try:
            with self._output.open("artifact", message["number"]) as file, place.open("wb") as copy:
                shutil.copyfileobj(file, copy)
        except OSError as error:
            raise BuildFailure("CLIENT_ERROR", f"artifacts could not be read: {error}") from error
        return {**BuildRecord(_held=message["name"])}

    def _for_pipeline(self, orders: list[list[str]]) -> dict[str, Any]:
        """With one output the primary artifact is it; with several, each is the secondary one of its name.

        A specification without artifacts leaves the one output unmade, and its build succeeds (aws/aws-cdk#845).
        """
        if len(orders) == 1 and not self._found:
            return {}
        for name, bucket, key in orders:
            message = self._of(name) or (self._of("") if len(orders) == 1 else None)
            if message is None:
                raise BuildFailure("CLIENT_ERROR", f"no definition for artifact with identifier {name}")
            self._put_file(bucket, key, message["number"])
        return {}

    def _put(self, target: Body, message: AgentMessage) -> dict[str, Any]:
        bucket = target["location"].removeprefix("arn:aws:s3:::")
        name = target.get("name") or self._build["projectName"]
        if target.get("overrideArtifactName") and message["name"]:
            name = message["name"]
        space = self._build["id"].rpartition(":")[2] if target.get("namespaceType") == "BUILD_ID" else ""
        key = "/".join(part.strip("/") for part in (target.get("path", ""), space, name) if part.strip("/"))
        arn = f"arn:aws:s3:::{bucket}/{key}"
        if target.get("packaging") == "ZIP":
            return {"location": arn, "sha256sum": self._put_file(bucket, key, message["number"])}
        self._put_folder(bucket, key, message["number"])
        return {"location": arn}

    def _put_file(self, bucket: str, key: str, number: int) -> str:
        """Uploads an archive; its SHA-256."""
        try:
            with self._output.open("artifact", number) as file:
                digest = hashlib.sha256()
                while piece := file.read(1 << 20):
                    digest.update(piece)
                file.seek(0)
                self._objects.put(bucket, key, file, "application/zip")
        except (OSError, ServiceError) as error:
            raise BuildFailure("CLIENT_ERROR", f"artifacts could not be uploaded to {bucket}: {error}") from error
        return digest.hexdigest()

    def _put_folder(self, bucket: str, key: str, number: int) -> None:
        """Uploads the files of an archive one by one, from where the build can't change them."""
        try:
            archive = self._output.take("artifact", number)
            unpacked = archive.with_suffix(".files")
            unpacked.mkdir()
            unpack_zip(archive, unpacked, LARGEST)
            for file in sorted(unpacked.rglob("*")):
                if file.is_file() and not file.is_symlink():
                    self._objects.put_file(bucket, f"{key}/{file.relative_to(unpacked).as_posix()}", file)
        except (ArchiveError, OSError, ServiceError) as error:
            raise BuildFailure("CLIENT_ERROR", f"artifacts could not be uploaded to {bucket}: {error}") from error
