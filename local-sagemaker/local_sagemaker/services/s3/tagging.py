"""Tags of objects."""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.services.s3.access import Access, version_member
from local_sagemaker.services.s3.attributes import check_tags
from local_sagemaker.services.s3.objects import find


class ObjectTags(Resource):
    """Get, replace and remove the tags of a version."""

    def __init__(self, *, objects: DiskObjects, settings: Settings) -> None:
        self._objects = objects
        self._access = Access(objects=objects, settings=settings)

    @operation("GetObjectTagging")
    def get(self, request: Request) -> Response:
        """TagSet exists even when it is empty."""
        bucket = self._access.bucket(request)
        item = find(self._objects, bucket, request)
        tags = [{"Key": key, "Value": value} for key, value in item.attributes.tags.items()]
        return {"TagSet": tags, **version_member(bucket, item)}

    @operation("PutObjectTagging")
    def put(self, request: Request) -> Response:
        """Replaces all tags."""
        return self._write(request, check_tags(request["Tagging"]["TagSet"]), "PUT")

    @operation("DeleteObjectTagging")
    def delete(self, request: Request) -> Response:
        """Removes all tags."""
        return self._write(request, {}, "DELETE")

    def _write(self, request: Request, tags: dict[str, str], method: str) -> Response:
        bucket = self._access.bucket(request)
        item = find(self._objects, bucket, request, method)
        self._objects.tag(item, tags)
        return version_member(bucket, item)
