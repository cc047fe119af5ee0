"""What a request wants that no bucket here does: refused, in S3's words where S3 has some for such a bucket.

Buckets are made as AWS makes them since 2023: without ACLs, without object lock. Bytes are not encrypted, so keys that
a client brings (SSE-C) would protect nothing.
"""

from __future__ import annotations

from local_sagemaker.api.operations import Request
from local_sagemaker.objects.stored_object import StoredObject
from local_sagemaker.services.s3.errors import (
    AclNotSupported,
    InvalidBucketAcl,
    InvalidObjectState,
    InvalidRequest,
    InvalidStorageClass,
    NotImplementedHeader,
    ObjectNotInActiveTier,
)

_HARMLESS = (None, "private", "bucket-owner-full-control")
_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP", "AccessControlPolicy")
_CUSTOMER_KEYS = (
    "SSECustomerAlgorithm",
    "SSECustomerKey",
    "CopySourceSSECustomerAlgorithm",
    "CopySourceSSECustomerKey",
)
_STORED = (
    None, "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR",
    "GLACIER", "DEEP_ARCHIVE",
)  # fmt: skip
"""Storage classes of general purpose buckets."""
_ENFORCED = "BucketOwnerEnforced"
_LOCKS = (
    "ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus", "ObjectLockEventHold",
    "ObjectLockEventHoldDurationDays", "ObjectLockEventHoldDurationYears",
)  # fmt: skip
_UNUSUAL = frozenset(("ACL", *_GRANTS, *_CUSTOMER_KEYS, *_LOCKS, "WriteOffsetBytes", "StorageClass"))
ARCHIVED = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes whose objects must be restored before they can be read."""


def refuse_grants(request: Request) -> None:
    """An ACL that would change anything (user guide, "Controlling ownership of objects and disabling ACLs")."""
    if request.get("ACL") not in _HARMLESS or any(request.get(name) for name in _GRANTS):
        raise AclNotSupported()


def check_write(request: Request) -> None:
    """What PutObject, CopyObject and CreateMultipartUpload may not ask for."""
    if _UNUSUAL.isdisjoint(request):
        return
    refuse_grants(request)
    check_keys(request)
    if any(request.get(name) for name in _LOCKS):
        raise InvalidRequest("Bucket is missing Object Lock Configuration")
    if request.get("WriteOffsetBytes") is not None:
        raise NotImplementedHeader(Header="x-amz-write-offset-bytes")
    if request.get("StorageClass") not in _STORED:
        raise InvalidStorageClass()


def check_keys(request: Request) -> None:
    """Encryption with keys of the client."""
    if any(request.get(name) for name in _CUSTOMER_KEYS):
        raise NotImplementedHeader(Header="x-amz-server-side-encryption-customer-algorithm")


def check_bucket(request: Request) -> None:
    """What CreateBucket may not ask for."""
    if request.get("ACL") not in (None, "private") or any(request.get(name) for name in _GRANTS):
        raise InvalidBucketAcl()
    if request.get("ObjectLockEnabledForBucket"):
        raise NotImplementedHeader(
            "Object lock is not supported by the local service.", Header="x-amz-bucket-object-lock-enabled"
        )
    if request.get("ObjectOwnership") not in (None, _ENFORCED):
        raise NotImplementedHeader("ACLs are not supported by the local service.", Header="x-amz-object-ownership")
    configuration = request.get("CreateBucketConfiguration") or {}
    if configuration.get("Location") or configuration.get("Bucket"):
        raise NotImplementedHeader("Directory buckets are not supported by the local service.")
    if request.get("BucketNamespace") not in (None, "global"):
        raise NotImplementedHeader(
            "Bucket namespaces of an account are not supported by the local service.", Header="x-amz-bucket-namespace"
        )


def check_ownership(controls: Request) -> None:
    """Ownership under which ACLs would count."""
    if any(rule.get("ObjectOwnership") != _ENFORCED for rule in controls.get("Rules") or []):
        raise NotImplementedHeader("ACLs are not supported by the local service.")


def check_readable(item: StoredObject) -> None:
    """An archived object, which nothing here restores."""
    storage = item.attributes.headers.get("StorageClass")
    if storage in ARCHIVED:
        raise InvalidObjectState(StorageClass=storage)


def check_copyable(item: StoredObject) -> None:
    """The same of a copy's source."""
    if item.attributes.headers.get("StorageClass") in ARCHIVED:
        raise ObjectNotInActiveTier()
