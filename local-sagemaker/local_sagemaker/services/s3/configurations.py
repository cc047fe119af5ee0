"""Configurations of buckets that are only kept: what was put is what is got, and nothing here acts on it.

One table says, for each, its operations, where the value is in request and response, and what a bucket without it
returns. Replication, websites and object lock would have to act, so they can only be found missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.services.s3.access import Access
from local_sagemaker.services.s3.configuration_checks import check, check_logging
from local_sagemaker.services.s3.errors import MissingRequestBody, NotConfigured


@dataclass(frozen=True)
class Configuration:
    """`member` is the member of the Put request; `shown` the member of the response that holds it, or "" when the
    response's members are those of the value itself. `default` stands for a bucket that has none; without one,
    `missing` (code, text) is the error."""

    name: str
    member: str = ""
    shown: str = ""
    put: str = ""
    delete: str = ""
    default: Response | None = None
    missing: tuple[str, str] = ("", "")

    def operations(self, verb: str) -> tuple[str, ...]:
        """The operation of a verb, or none."""
        names = {"get": f"Get{self.name}", "put": self.put, "delete": self.delete}
        return (names[verb],) if names[verb] else ()


def _full(name: str, member: str, shown: str = "", delete: str = "", **rest: Any) -> Configuration:
    return Configuration(name, member, shown, put=f"Put{name}", delete=delete, **rest)


_AES = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}
_OWNER = {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}
_NO_CONTENT = ("BucketTagging", "BucketPolicy")
"""Whose Put responds with 204, though the model says 200."""
CONFIGURATIONS = (
    _full(
        "BucketTagging", "Tagging", delete="DeleteBucketTagging",
        missing=("NoSuchTagSet", "The TagSet does not exist"),
    ),
    _full(
        "BucketPolicy", "Policy", "Policy", delete="DeleteBucketPolicy",
        missing=("NoSuchBucketPolicy", "The bucket policy does not exist"),
    ),
    _full(
        "BucketEncryption", "ServerSideEncryptionConfiguration", "ServerSideEncryptionConfiguration",
        delete="DeleteBucketEncryption", default={"ServerSideEncryptionConfiguration": _AES},
    ),
    _full(
        "PublicAccessBlock", "PublicAccessBlockConfiguration", "PublicAccessBlockConfiguration",
        delete="DeletePublicAccessBlock",
        missing=("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"),
    ),
    _full(
        "BucketCors", "CORSConfiguration", delete="DeleteBucketCors",
        missing=("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    ),
    _full(
        "BucketLifecycleConfiguration", "LifecycleConfiguration", delete="DeleteBucketLifecycle",
        missing=("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    ),
    _full("BucketOwnershipControls", "OwnershipControls", "OwnershipControls", default=_OWNER),
    _full("BucketNotificationConfiguration", "NotificationConfiguration", default={}),
    _full("BucketLogging", "BucketLoggingStatus", default={}),
    _full("BucketRequestPayment", "RequestPaymentConfiguration", default={"Payer": "BucketOwner"}),
    _full("BucketAccelerateConfiguration", "AccelerateConfiguration", default={}),
    Configuration(
        "BucketWebsite",
        missing=("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"),
    ),
    Configuration(
        "BucketReplication",
        missing=("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
    ),
    Configuration(
        "ObjectLockConfiguration",
        missing=("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"),
    ),
)  # fmt: skip


def configuration_resource(configuration: Configuration, *, objects: DiskObjects, settings: Settings) -> Resource:
    """The resource of one row of the table: its operations are methods, as those of any other resource."""
    access = Access(objects=objects, settings=settings)

    class Kept(Resource):
        @operation(*configuration.operations("get"))
        def get(self, request: Request) -> Response:
            bucket = access.bucket(request).name
            value = objects.buckets.setting(bucket, configuration.name)
            if value is not None:
                return {configuration.shown: value} if configuration.shown else dict(value)
            if configuration.default is None:
                raise NotConfigured(*configuration.missing, bucket)
            return dict(configuration.default)

        @operation(*configuration.operations("put"))
        def put(self, request: Request) -> Response:
            bucket = access.bucket(request)
            value = request.get(configuration.member)
            if value is None:
                raise MissingRequestBody()
            if configuration.name == "BucketLogging":
                value = check_logging(value, bucket, objects.buckets.find)
            else:
                value = check(configuration.name, value, bucket)
            objects.buckets.keep_setting(bucket.name, configuration.name, value)
            return {"__status__": 204} if configuration.name in _NO_CONTENT else {}

        @operation(*configuration.operations("delete"))
        def delete(self, request: Request) -> Response:
            objects.buckets.keep_setting(access.bucket(request).name, configuration.name, None)
            return {}

    return Kept()
