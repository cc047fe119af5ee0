"""ACLs: disabled, as in every bucket that AWS makes since 2023. The owner has full control, and that is all."""

from __future__ import annotations

from typing import Any

from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.operations import Resource, operation
from local_sagemaker.services.s3.access import Access, Request
from local_sagemaker.services.s3.errors import AclNotSupported
from local_sagemaker.services.s3.objects import find

Response = dict[str, Any]
_HARMLESS = (None, "private", "bucket-owner-full-control")
_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP", "AccessControlPolicy")


class Acls(Resource):
    """The ACL operations of buckets and objects."""

    def __init__(self, *, objects: DiskObjects, settings: Settings) -> None:
        self._objects = objects
        self._access = Access(objects=objects, settings=settings)

    @operation("GetBucketAcl")
    def bucket_acl(self, request: Request) -> Response:
        """One grant, to the owner."""
        self._access.bucket(request)
        return self._owner_only()

    @operation("GetObjectAcl")
    def object_acl(self, request: Request) -> Response:
        """One grant, to the owner."""
        find(self._objects, self._access.bucket(request), request)
        return self._owner_only()

    @operation("PutBucketAcl")
    def put_bucket_acl(self, request: Request) -> Response:
        """Accepts what changes nothing; the rest is refused with AWS's own words."""
        self._access.bucket(request)
        return _refuse_grants(request)

    @operation("PutObjectAcl")
    def put_object_acl(self, request: Request) -> Response:
        """The same for an object."""
        find(self._objects, self._access.bucket(request), request)
        return _refuse_grants(request)

    def _owner_only(self) -> Response:
        owner = self._access.owner
        return {
            "Owner": owner,
            "Grants": [{"Grantee": {**owner, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}],
        }


def _refuse_grants(request: Request) -> Response:
    if request.get("ACL") not in _HARMLESS or any(request.get(name) for name in _GRANTS):
        raise AclNotSupported()
    return {}
