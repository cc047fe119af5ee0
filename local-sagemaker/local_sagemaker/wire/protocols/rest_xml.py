"""REST with XML bodies: Amazon S3, with what its model does not say (names of root elements, its error document)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.detect import Target
from local_sagemaker.wire.protocols import xml
from local_sagemaker.wire.protocols.rest import empty_response, has_body_members, members_from, payload, raw_payload
from local_sagemaker.wire.request import WireRequest, WireResponse

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
CONTENT_TYPE = "application/xml"
ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListParts": "ListPartsResult",
}
"""Root elements as the S3 API reference shows them; botocore does not look at them, other clients do."""


def parse(request: WireRequest, target: Target) -> dict[str, Any]:
    """Members from path, query, headers and the XML body (or the raw body, where the model says so)."""
    shape = target.operation.input_shape
    if shape is None:
        return {}
    members = members_from(request, target, shape)
    _check_integers(members, shape)
    for name in _ANY_CASE.intersection(members):
        members[name] = members[name].upper()
    whole = payload(shape)
    if whole is None:
        return members
    name, member = whole
    if member.type_name in ("structure", "list", "map"):
        data = request.body.whole()
        if data.strip():
            members[name] = xml.read(member, data)
    else:
        value = raw_payload(member, request)
        if value is not None:
            members[name] = value
    return members


_ANY_CASE = frozenset(("ChecksumMode", "ChecksumAlgorithm", "ChecksumType"))
"""Members whose values S3 takes in any case: the Java and C++ SDKs send ``enabled``."""


def _check_integers(members: dict[str, Any], shape: Any) -> None:
    """Numbers in the query that are none, or do not fit."""
    for name, place in _integers(shape):
        value = members.get(name, 0)
        if not isinstance(value, int) or not -(2**31) <= value < 2**31:
            raise invalid_argument(f"Provided {place} not an integer or within integer range", place, value)
        if value < 0 and name != "PartNumber":
            raise invalid_argument(f"Argument {place} must be an integer between 0 and 2147483647", place, value)


@lru_cache(maxsize=256)
def _integers(shape: Any) -> tuple[tuple[str, str], ...]:
    """(member, its name in the query) of the numbers in a query."""
    return tuple(
        (name, member.serialization["name"])
        for name, member in shape.members.items()
        if member.type_name == "integer" and member.serialization.get("location") == "querystring"
    )


def invalid_argument(text: str, name: str, value: Any) -> ServiceError:
    """S3's error for one value."""
    error = ServiceError(text, code="InvalidArgument", status=400)
    error.detail = {"ArgumentName": name, "ArgumentValue": str(value)}  # type: ignore[attr-defined]
    return error


def respond(response: dict[str, Any], target: Target) -> WireResponse:
    """Status, headers and an XML document, or the payload as it is."""
    result = empty_response(response, target)
    shape = target.operation.output_shape
    if shape is None:
        return result
    whole = payload(shape)
    if target.operation.name == "GetBucketLocation":
        result.body = _location(response)
    elif whole is None:
        if not has_body_members(shape):
            if target.operation.name == "HeadBucket":
                result.headers["Content-Type"] = CONTENT_TYPE
            return result
        result.body = xml.write(shape, response, ROOTS.get(target.operation.name, shape.name), NAMESPACE)
    elif whole[1].type_name == "structure":
        root = whole[1].serialization.get("name", whole[1].name)
        result.body = xml.write(whole[1], response.get(whole[0]) or {}, root, NAMESPACE)
    else:
        value = response.get(whole[0], b"")
        result.body = value.encode() if isinstance(value, str) else value
        return result
    result.headers["Content-Type"] = CONTENT_TYPE
    return result


def _location(response: dict[str, Any]) -> bytes:
    """The region is the root's text; us-east-1 is an empty one."""
    region = xml.escape(response.get("LocationConstraint") or "")
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<LocationConstraint xmlns="{NAMESPACE}">{region}</LocationConstraint>'.encode()


def error(error: ServiceError, request: WireRequest, request_id: str) -> WireResponse:
    """S3's error document; a HEAD response and "not modified" have none. It has no Resource, whatever the API reference
    shows (moto's tests that are run against AWS compare the whole document)."""
    headers = dict(getattr(error, "headers", {}))
    if request.method == "HEAD" or error.status == 304:
        return WireResponse(error.status, headers)
    elements = {
        "Code": error.code,
        "Message": error.message,
        **getattr(error, "detail", {}),
        "RequestId": request_id,
        "HostId": request_id,
    }
    inner = "".join(f"<{name}>{xml.escape(str(value))}</{name}>" for name, value in elements.items())
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
    return WireResponse(error.status, {**headers, "Content-Type": CONTENT_TYPE}, text.encode("utf-8", "replace"))
