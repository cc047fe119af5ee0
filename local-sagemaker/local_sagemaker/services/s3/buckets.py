"""Buckets: create, list, find, delete, and their versioning."""

from __future__ import annotations

import re

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.index import BucketRow
from local_sagemaker.services.s3.access import Access
from local_sagemaker.services.s3.attributes import check_bucket_tags
from local_sagemaker.services.s3.errors import (
    BucketAlreadyOwnedByYou,
    IllegalLocationConstraint,
    IllegalVersioningConfiguration,
    InvalidArgument,
    InvalidLocationConstraint,
)
from local_sagemaker.services.s3.tokens import make_token, read_token
from local_sagemaker.services.s3.unsupported import check_bucket

_CLASSIC = "us-east-1"
_EUROPE = ("EU", "eu-west-1")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]")
_BLOCKED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


class BucketOperations(Resource):
    """The bucket operations."""

    def __init__(self, *, objects: DiskObjects, settings: Settings) -> None:
        self._objects = objects
        self._settings = settings
        self._access = Access(objects=objects, settings=settings)

    @operation("CreateBucket")
    def create(self, request: Request) -> Response:
        """In us-east-1 creating one's own bucket again changes nothing; elsewhere it is an error, as on AWS."""
        name = request["Bucket"]
        configuration = request.get("CreateBucketConfiguration") or {}
        check_bucket(request)
        here = self._settings.region
        region = _region(configuration.get("LocationConstraint"), here)
        tags = check_bucket_tags(configuration.get("Tags") or [])
        existing = self._objects.buckets.find(name)
        if existing is not None and not existing.region == region == here == _CLASSIC:
            raise BucketAlreadyOwnedByYou(BucketName=name)
        if existing is None:
            self._objects.buckets.create(name, region)
            self._objects.buckets.keep_setting(name, "PublicAccessBlock", _BLOCKED)
            self._objects.buckets.keep_setting(name, "BucketTagging", {"TagSet": tags} if tags else None)
        return {"Location": f"/{name}", "BucketArn": f"arn:aws:s3:::{name}"}

    @operation("HeadBucket")
    def head(self, request: Request) -> Response:
        """Region and existence."""
        bucket = self._access.bucket(request)
        return {
            "BucketArn": f"arn:aws:s3:::{bucket.name}",
            "BucketRegion": bucket.region,
            "AccessPointAlias": False,
        }

    @operation("DeleteBucket")
    def delete(self, request: Request) -> Response:
        """Only an empty bucket can be deleted."""
        self._objects.buckets.delete(self._access.bucket(request).name)
        return {}

    @operation("ListBuckets")
    def list(self, request: Request) -> Response:
        """All buckets by name, in pages when MaxBuckets is given."""
        prefix = request.get("Prefix") or ""
        token = request.get("ContinuationToken")
        after = read_token(token) if token is not None else ""
        region = request.get("BucketRegion")
        buckets = [
            bucket
            for bucket in self._objects.buckets.list()
            if bucket.name.startswith(prefix) and bucket.name > after and region in (None, bucket.region)
        ]
        shown = buckets[: request.get("MaxBuckets") or 10_000]
        response: Response = {"Buckets": [_entry(bucket) for bucket in shown], "Owner": self._access.owner}
        if len(shown) < len(buckets):
            response["ContinuationToken"] = make_token(shown[-1].name)
        return response | ({"Prefix": prefix} if prefix else {})

    @operation("GetBucketLocation")
    def location(self, request: Request) -> Response:
        """No LocationConstraint means us-east-1."""
        region = self._access.bucket(request).region
        return {} if region == _CLASSIC else {"LocationConstraint": region}

    @operation("GetBucketVersioning")
    def get_versioning(self, request: Request) -> Response:
        """Empty while the bucket was never versioned."""
        state = self._access.bucket(request).versioning
        return {"Status": state} if state else {}

    @operation("PutBucketVersioning")
    def set_versioning(self, request: Request) -> Response:
        """Enabled or Suspended."""
        bucket = self._access.bucket(request)
        configuration = request["VersioningConfiguration"]
        if configuration.get("MFADelete") == "Enabled":
            raise InvalidArgument("MFA delete needs a device, which the local service has not.")
        if configuration.get("Status") not in ("Enabled", "Suspended"):
            raise IllegalVersioningConfiguration()
        self._objects.buckets.set_versioning(bucket.name, configuration["Status"])
        return {}


def _region(constraint: str | None, here: str) -> str:
    """Where a bucket is made by a request that region `here` signed. us-east-1 makes them anywhere, and is requested
    by no constraint; the others make their own. ``EU`` is the old name of eu-west-1 (API reference)."""
    if constraint == _EUROPE[0]:
        constraint = _EUROPE[1]
    if here != _CLASSIC and constraint != here:
        raise IllegalLocationConstraint(constraint or "unspecified")
    if constraint is not None and (constraint == _CLASSIC or not _REGION.fullmatch(constraint)):
        raise InvalidLocationConstraint(LocationConstraint=constraint)
    return constraint or _CLASSIC


def _entry(bucket: BucketRow) -> Response:
    return {
        "Name": bucket.name,
        "CreationDate": bucket.created,
        "BucketRegion": bucket.region,
        "BucketArn": f"arn:aws:s3:::{bucket.name}",
    }
