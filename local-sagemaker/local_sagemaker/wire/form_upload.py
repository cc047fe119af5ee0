"""S3's POST Object: an upload by HTML form. Its signature is one of its fields, and covers a policy, not the request.

The file must be the last field that counts; what comes before it is read into memory, the file is streamed (API
reference, "POST Object" and "Authenticating browser-based uploads").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from local_sagemaker.api import models
from local_sagemaker.api.operations import Call
from local_sagemaker.errors import ServiceError
from local_sagemaker.wire import auth_errors, detect, form_policy
from local_sagemaker.wire.body import Body
from local_sagemaker.wire.form_fields import Form, s3_error
from local_sagemaker.wire.protocols import PROTOCOLS, xml
from local_sagemaker.wire.request import WireRequest, WireResponse
from local_sagemaker.wire.signature import AccessKeySource

_S3 = re.compile(r"(^|\.)s3[.-]")
_KIND = "multipart/form-data"
_SUCCESS = ("200", "201", "204")


def is_form(request: WireRequest) -> bool:
    """Whether an unsigned request to a bucket may be a form. Any other POST there is signed or has a query."""
    if request.method != "POST" or request.query or "authorization" in request.headers:
        return False
    if ".amazonaws.com" in request.host and not _S3.search(request.host):
        return False  # of a REST API, say
    bucket, _, key = detect.path_style(request)[1:].partition("/")
    form = request.headers.get("content-type", "").startswith((_KIND, "application/x-www-form-urlencoded"))
    return bool(bucket) and not key and form and "x-amz-target" not in request.headers


def respond(request: WireRequest, call: Callable[[str], Call], keys: AccessKeySource) -> WireResponse:
    """Stores the file by the `call` of the region that the form is signed for. Raises S3's errors."""
    bucket = detect.path_style(request)[1:].partition("/")[0]
    if not request.headers["content-type"].startswith(_KIND):
        raise s3_error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412,
                     Condition="Bucket POST must be of the enclosure-type multipart/form-data")  # fmt: skip
    form = Form(request)
    fields = {**form.fields, "bucket": bucket}
    if "key" not in fields:
        raise _missing_field("key")
    fields["key"] = fields["key"].replace("${filename}", form.filename)
    if "x-amz-signature" not in fields and "signature" not in fields:
        raise auth_errors.no_signature("s3")
    if "policy" not in fields:
        raise _missing_field("policy")
    form_policy.verify(fields, request, keys)
    form.size = form_policy.check(fields)
    stored = call(request.region)("s3:PutObject", _members(request, fields, Body(form.piece)))
    return _success(request, fields, stored)


def _members(request: WireRequest, fields: Mapping[str, str], body: Body) -> dict[str, Any]:
    """The fields as those of PutObject, whose headers they are named like."""
    headers = dict(fields)
    if "acl" in fields:
        headers["x-amz-acl"] = fields["acl"]
    if "tagging" in fields:
        shape = models.operation("s3", "PutObjectTagging").input_shape
        assert shape is not None
        tags = xml.read(shape.members["Tagging"], fields["tagging"].encode())["TagSet"]
        headers["x-amz-tagging"] = urlencode({tag["Key"]: tag["Value"] for tag in tags})
    operation = models.operation("s3", "PutObject")
    target = detect.Target("s3", operation, {"Bucket": fields["bucket"], "Key": fields["key"]})
    put = WireRequest("PUT", request.path, "", headers, body)
    return PROTOCOLS["rest-xml"].parse(put, target)


def _success(request: WireRequest, fields: Mapping[str, str], stored: Mapping[str, Any]) -> WireResponse:
    """Nothing (204), an empty page, a document, or a redirection: as the form requests."""
    bucket, key, etag = fields["bucket"], fields["key"], stored["ETag"]
    path = key if detect.bucket_of_host(request.host) else f"{bucket}/{key}"
    location = f"http://{request.headers.get('host', '')}/{quote(path)}"
    headers = {"ETag": etag, "Location": location}
    if "VersionId" in stored:
        headers["x-amz-version-id"] = stored["VersionId"]
    redirect = urlsplit(fields.get("success_action_redirect") or fields.get("redirect", ""))
    if redirect.scheme in ("http", "https"):
        query = [*parse_qsl(redirect.query, keep_blank_values=True), ("bucket", bucket), ("key", key), ("etag", etag)]
        return WireResponse(303, {**headers, "Location": urlunsplit(redirect._replace(query=urlencode(query)))})
    status = fields.get("success_action_status", "")
    if status not in _SUCCESS:
        status = "204"
    if status != "201":
        return WireResponse(int(status), headers)
    parts = {"Location": location, "Bucket": bucket, "Key": key, "ETag": etag}
    inner = "".join(f"<{name}>{xml.escape(value)}</{name}>" for name, value in parts.items())
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>{inner}</PostResponse>'
    return WireResponse(201, {**headers, "Content-Type": "application/xml"}, document.encode())


def _missing_field(name: str) -> ServiceError:
    text = (
        f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    )
    return s3_error("InvalidArgument", text, ArgumentName=name, ArgumentValue="")
