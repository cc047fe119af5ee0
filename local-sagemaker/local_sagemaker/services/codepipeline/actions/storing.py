"""S3 deploy actions: an artifact's files, or the artifact itself, into a bucket."""

from __future__ import annotations

import io
import mimetypes
import zipfile

from local_sagemaker.objects.types import Objects
from local_sagemaker.services.codepipeline.actions.action import ActionArtifacts, ActionResult, ActionWork
from local_sagemaker.services.codepipeline.errors import ActionFailure


class StoreAction:
    """Deploy by S3."""

    def __init__(self, artifacts: ActionArtifacts, objects: Objects) -> None:
        self._artifacts, self._objects = artifacts, objects

    def __call__(self, work: ActionWork) -> ActionResult:
        """Writes the objects."""
        settings = work.configuration
        bucket, key = settings["BucketName"], settings.get("ObjectKey", "").strip("/")
        unsupported = set(settings) - {"BucketName", "Extract", "ObjectKey"}
        if unsupported:
            names = ", ".join(sorted(unsupported))
            raise ActionFailure(f"LocalUnsupported: {names} of S3 deploy actions.", "ConfigurationError")
        if not self._objects.bucket_exists(bucket):
            raise ActionFailure(f"The bucket {bucket} does not exist.", "ConfigurationError")
        data = self._artifacts.read(*next(iter(work.inputs.values())))
        if settings["Extract"].lower() != "true":
            if not key:
                raise ActionFailure("ObjectKey is required when Extract is false.", "ConfigurationError")
            self._objects.put(bucket, key, data, "application/zip")
            return ActionResult(summary="Deployment Succeeded")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                if not name.endswith("/"):
                    kind = mimetypes.guess_type(name)[0] or "binary/octet-stream"
                    self._objects.put(bucket, f"{key}/{name}" if key else name, archive.read(name), kind)
        return ActionResult(summary="Deployment Succeeded")
