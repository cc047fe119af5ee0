"""What every S3 operation begins with: the bucket exists and belongs to whom the client expects."""

from __future__ import annotations

import hashlib

from local_sagemaker.api.operations import Request
from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.index import BucketRow
from local_sagemaker.objects.stored_object import StoredObject
from local_sagemaker.services.s3.errors import S3AccessDenied


class Access:
    """Looks up buckets on behalf of requests."""

    def __init__(self, *, objects: DiskObjects, settings: Settings) -> None:
        self._objects = objects
        self._account = settings.account
        self.owner = {"ID": hashlib.sha256(settings.account.encode()).hexdigest()}

    def bucket(self, request: Request) -> BucketRow:
        """The request's bucket. Raises `NoSuchBucket`, or `S3AccessDenied` for an ExpectedBucketOwner not ours."""
        bucket = self._objects.buckets.get(request["Bucket"])
        self._expect(request.get("ExpectedBucketOwner"))
        return bucket

    def source_bucket(self, name: str, request: Request) -> BucketRow:
        """The bucket that a copy reads from."""
        bucket = self._objects.buckets.get(name)
        self._expect(request.get("ExpectedSourceBucketOwner"))
        return bucket

    def _expect(self, owner: str | None) -> None:
        if owner is not None and owner != self._account:
            raise S3AccessDenied()


def version_member(bucket: BucketRow, item: StoredObject) -> dict[str, str]:
    """``VersionId`` of a response: absent while the bucket was never versioned."""
    return {"VersionId": item.version_id} if bucket.versioning else {}
