"""ACLs: disabled, as in every bucket that AWS makes since 2023. The owner has full control, and that is all."""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.services.s3.access import Access
from local_sagemaker.services.s3.objects import find
from local_sagemaker.services.s3.unsupported import refuse_grants


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
        refuse_grants(request)
        return {}

    @operation("PutObjectAcl")
    def put_object_acl(self, request: Request) -> Response:
        """The same for an object."""
        find(self._objects, self._access.bucket(request), request)
        refuse_grants(request)
        return {}

    def _owner_only(self) -> Response:
        owner = self._access.owner
        return {
            "Owner": owner,
            "Grants": [{"Grantee": {**owner, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}],
        }
