"""S3 deploy actions: an artifact's files, or the artifact itself, into a bucket."""

from __future__ import annotations

import mimetypes
import tempfile
from pathlib import Path

from local_sagemaker.files.archives import ArchiveError, unpack_files
from local_sagemaker.objects.types import Objects
from local_sagemaker.services.codepipeline.actions.action import ActionArtifacts, ActionResult, ActionWork
from local_sagemaker.services.codepipeline.errors import ActionFailure

LARGEST = 10 << 30
"""Bytes that an artifact may unpack to. AWS's own bound is not published; a source's archive has at most 7 GB."""


class StoreAction:
    """Deploy by S3."""

    def __init__(self, artifacts: ActionArtifacts, objects: Objects, folder: Path) -> None:
        """`folder` is where archives are unpacked; it is emptied at start."""
        self._artifacts, self._objects, self._folder = artifacts, objects, folder

    def __call__(self, work: ActionWork) -> ActionResult:
        """Writes the objects."""
        settings = work.configuration
        bucket, key = settings["BucketName"], settings.get("ObjectKey", "").strip("/")
        if not self._objects.bucket_exists(bucket):
            raise ActionFailure(f"The bucket {bucket} does not exist.", "ConfigurationError")
        archive = self._artifacts.archive(*next(iter(work.inputs.values())))
        if settings["Extract"].lower() != "true":
            if not key:
                raise ActionFailure("ObjectKey is required when Extract is false.", "ConfigurationError")
            self._objects.put_file(bucket, key, archive, content_type="application/zip")
        else:
            self._extract(archive, bucket, f"{key}/" if key else "")
        return ActionResult(summary="Deployment Succeeded")

    def _extract(self, archive: Path, bucket: str, prefix: str) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="artifact-", dir=self._folder) as folder:
                for file in unpack_files(archive, Path(folder), LARGEST):
                    kind = mimetypes.guess_type(file.name)[0] or "binary/octet-stream"
                    self._objects.put_file(bucket, f"{prefix}{file.name}", file.path, move=True, content_type=kind)
        except (ArchiveError, OSError) as error:
            raise ActionFailure(f"The artifact can't be extracted: {error}.", "ConfigurationError") from error
