"""Which requests are S3's form uploads, and which only look like it."""

from __future__ import annotations

import pytest

from local_sagemaker.wire.body import Body, source_of
from local_sagemaker.wire.form_upload import is_form
from local_sagemaker.wire.request import WireRequest

FORM = {"content-type": "multipart/form-data; boundary=x"}
LINES = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("host", "path", "headers", "expected"),
    [
        ("127.0.0.1:5000", "/bucket", FORM, True),
        ("127.0.0.1:5000", "/bucket/", LINES, True),  # answered with what is wrong about it
        ("bucket.s3.us-east-1.amazonaws.com", "/", FORM, True),
        ("s3.us-east-1.amazonaws.com", "/bucket", FORM, True),
        ("bucket.s3-us-west-2.amazonaws.com", "/", FORM, True),
        ("127.0.0.1:5000", "/bucket/key", FORM, False),
        ("127.0.0.1:5000", "/", FORM, False),
        ("127.0.0.1:5000", "/bucket", {}, False),
        ("127.0.0.1:5000", "/bucket", {**FORM, "authorization": "AWS4-HMAC-SHA256 ..."}, False),
        ("abcdefghij.execute-api.us-east-1.amazonaws.com", "/stage", LINES, False),
        ("sts.us-east-1.amazonaws.com", "/", LINES, False),
    ],
)
def test_what_is_a_form_upload(host: str, path: str, headers: dict[str, str], expected: bool) -> None:
    request = WireRequest("POST", path, "", {"host": host, **headers}, Body(source_of(b"")))
    assert is_form(request) is expected
