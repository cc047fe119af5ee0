"""DeleteObject and DeleteObjects."""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.index import BucketRow
from local_sagemaker.objects.stored_object import StoredObject
from local_sagemaker.services.s3.access import Access
from local_sagemaker.services.s3.conditions import write_condition
from local_sagemaker.services.s3.errors import PreconditionFailed, S3MalformedXML
from local_sagemaker.services.s3.objects import check_version


class Deletions(Resource):
    """Deleting objects, versions and delete markers. Deleting what does not exist succeeds, as on AWS."""

    def __init__(self, *, objects: DiskObjects, settings: Settings) -> None:
        self._objects = objects
        self._access = Access(objects=objects, settings=settings)

    @operation("DeleteObject")
    def delete(self, request: Request) -> Response:
        """``DeleteMarker`` is true when one was made or removed."""
        bucket = self._access.bucket(request)
        check_version(request)
        removed = self._delete(bucket, request)
        if removed is None or not (bucket.versioning or request.get("VersionId")):
            return {"VersionId": request["VersionId"]} if request.get("VersionId") else {}
        return {"VersionId": removed.version_id} | ({"DeleteMarker": True} if removed.marker else {})

    def _delete(self, bucket: BucketRow, request: Request) -> StoredObject | None:
        def check(current: StoredObject | None) -> None:
            write_condition({"Key": request["Key"], "IfMatch": request.get("IfMatch")})(current)
            size, modified = request.get("IfMatchSize"), request.get("IfMatchLastModifiedTime")
            if current is not None and size is not None and size != current.size:
                raise PreconditionFailed(Condition="x-amz-if-match-size")
            if current is not None and modified is not None and int(modified) != int(current.modified):
                raise PreconditionFailed(Condition="x-amz-if-match-last-modified-time")

        return self._objects.delete(bucket.name, request["Key"], request.get("VersionId"), check)

    @operation("DeleteObjects")
    def delete_many(self, request: Request) -> Response:
        """Up to a thousand; each succeeds or fails for itself."""
        bucket = self._access.bucket(request)
        wanted = request["Delete"].get("Objects") or []
        if not 1 <= len(wanted) <= 1000:
            raise S3MalformedXML()
        deleted: list[Response] = []
        errors: list[Response] = []
        for entry in wanted:
            single = {
                "Key": entry["Key"],
                "VersionId": entry.get("VersionId"),
                "IfMatch": entry.get("ETag"),
                "IfMatchSize": entry.get("Size"),
                "IfMatchLastModifiedTime": entry.get("LastModifiedTime"),
            }
            named = {name: single[name] for name in ("Key", "VersionId") if single[name]}
            try:
                check_version(single)
                removed = self._delete(bucket, single)
            except ServiceError as error:
                errors.append({**named, "Code": error.code, "Message": error.message})
            else:
                deleted.append(named | _marker_members(removed))
        response: Response = {} if request["Delete"].get("Quiet") else {"Deleted": deleted}
        return response | ({"Errors": errors} if errors else {})


def _marker_members(removed: StoredObject | None) -> Response:
    if removed is None or not removed.marker:
        return {}
    return {"DeleteMarker": True, "DeleteMarkerVersionId": removed.version_id}
