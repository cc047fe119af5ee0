"""Uploads by HTML form (S3's POST Object), with what boto3's generate_presigned_post makes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from botocore.config import Config

from tests.support import Service

BUCKET = "form-uploads"
VERSIONS = pytest.mark.parametrize("version", ["s3v4", "s3"])
Post = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def bucket(service: Service) -> None:
    service.client("s3").create_bucket(Bucket=BUCKET)


def presigned(service: Service, key: str, version: str = "s3v4", **options: Any) -> Post:
    client = service.client("s3", config=Config(signature_version=version))
    return dict(client.generate_presigned_post(BUCKET, key, **options))


def sent(post: Post, data: bytes = b"contents", name: str = "local.txt", **fields: str) -> requests.Response:
    given = {**post["fields"], **fields}
    return requests.post(post["url"], data=given, files={"file": (name, data)}, timeout=60, allow_redirects=False)


def error(response: requests.Response) -> tuple[int, str, str]:
    document = ElementTree.fromstring(response.content)
    return response.status_code, document.findtext("Code") or "", document.findtext("Message") or ""


def stored(service: Service, key: str) -> Any:
    return service.client("s3").get_object(Bucket=BUCKET, Key=key)


@VERSIONS
def test_a_form_uploads_an_object(service: Service, version: str) -> None:
    response = sent(presigned(service, f"plain-{version}", version))
    assert (response.status_code, response.content) == (204, b"")
    found = stored(service, f"plain-{version}")
    assert found["Body"].read() == b"contents"
    assert found["ETag"] == response.headers["ETag"]
    assert response.headers["Location"].endswith(f"/{BUCKET}/plain-{version}")


def test_the_bucket_may_be_in_the_host_s_name(service: Service) -> None:
    post, host = presigned(service, "a/by host"), f"{BUCKET}.s3.us-east-1.amazonaws.com"
    files = {"file": ("x", b"contents")}
    response = requests.post(service.url, data=post["fields"], files=files, headers={"Host": host}, timeout=60)
    assert (response.status_code, response.headers["Location"]) == (204, f"http://{host}/a/by%20host")
    assert stored(service, "a/by host")["Body"].read() == b"contents"


def test_fields_become_headers_and_metadata(service: Service) -> None:
    fields = {"Content-Type": "text/x-mine", "Cache-Control": "no-store", "x-amz-meta-who": "me"}
    tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>1 2</Value></Tag></TagSet></Tagging>"
    fields["tagging"] = tags
    post = presigned(service, "members", Fields=fields, Conditions=[{name: value} for name, value in fields.items()])
    assert sent(post).status_code == 204
    found = stored(service, "members")
    assert (found["ContentType"], found["CacheControl"], found["Metadata"]) == (
        "text/x-mine",
        "no-store",
        {"who": "me"},
    )
    tagged = service.client("s3").get_object_tagging(Bucket=BUCKET, Key="members")["TagSet"]
    assert tagged == [{"Key": "a", "Value": "1 2"}]


def test_the_file_s_name_may_be_in_the_key(service: Service) -> None:
    assert sent(presigned(service, "in/${filename}"), name="a b.csv").status_code == 204
    assert stored(service, "in/a b.csv")["Body"].read() == b"contents"


@pytest.mark.parametrize(("status", "code"), [("200", 200), ("201", 201), ("204", 204), ("999", 204)])
def test_success_action_status(service: Service, status: str, code: int) -> None:
    fields = {"success_action_status": status}
    response = sent(presigned(service, "status", Fields=fields, Conditions=[fields]))
    assert response.status_code == code
    if code == 201:
        document = ElementTree.fromstring(response.content)
        assert [part.tag for part in document] == ["Location", "Bucket", "Key", "ETag"]
        assert (document.tag, document.findtext("Bucket"), document.findtext("Key")) == (
            "PostResponse",
            BUCKET,
            "status",
        )


def test_success_action_redirect(service: Service) -> None:
    fields = {"success_action_redirect": "http://example.com/done?x=1"}
    response = sent(presigned(service, "redirect", Fields=fields, Conditions=[fields]))
    assert response.status_code == 303
    etag = response.headers["ETag"].strip('"')
    assert response.headers["Location"] == (
        f"http://example.com/done?x=1&bucket={BUCKET}&key=redirect&etag=%22{etag}%22"
    )


def test_a_large_file_is_streamed(service: Service) -> None:
    data = bytes(range(256)) * 40_000 + b"\r\n--"  # the beginning of a boundary is data too
    assert sent(presigned(service, "large"), data).status_code == 204
    assert stored(service, "large")["Body"].read() == data


CONDITIONS: list[tuple[list[Any], dict[str, str], str]] = [
    ([["starts-with", "$x-amz-meta-who", "me"]], {"x-amz-meta-who": "you"}, '["starts-with", "$x-amz-meta-who", "me"]'),
    ([{"x-amz-meta-who": "me"}], {"x-amz-meta-who": "you"}, '["eq", "$x-amz-meta-who", "me"]'),
    ([["eq", "$x-amz-meta-who", "me"]], {}, '["eq", "$x-amz-meta-who", "me"]'),
    ([["between", "$key", "a"]], {}, '["between", "$key", "a"]'),
]


@pytest.mark.parametrize(("conditions", "fields", "text"), CONDITIONS)
def test_conditions_that_do_not_hold(
    service: Service, conditions: list[Any], fields: dict[str, str], text: str
) -> None:
    refused = error(sent(presigned(service, "refused", Conditions=conditions), **fields))
    assert refused == (403, "AccessDenied", f"Invalid according to Policy: Policy Condition failed: {text}")


def test_conditions_that_hold(service: Service) -> None:
    conditions = [["starts-with", "$Content-Type", "image/"], ["content-length-range", 1, 8]]
    post = presigned(service, "held", Conditions=conditions)
    assert sent(post, **{"Content-Type": "image/png,image/gif", "x-ignore-this": "y"}).status_code == 204


def changed_key(post: Post) -> None:
    post["fields"]["key"] = "other"


def extra_field(post: Post) -> None:
    post["fields"]["x-amz-meta-more"] = "y"


def wrong_signature(post: Post) -> None:
    post["fields"]["x-amz-signature"] = "0" * 64


def changed_policy(post: Post) -> None:
    policy = json.loads(base64.b64decode(post["fields"]["policy"]))
    policy["conditions"] = []
    post["fields"]["policy"] = base64.b64encode(json.dumps(policy).encode()).decode()


def unknown_key(post: Post) -> None:
    post["fields"]["x-amz-credential"] = "AKIANOBODY/20260101/us-east-1/s3/aws4_request"


def no_policy(post: Post) -> None:
    del post["fields"]["policy"]


def no_key(post: Post) -> None:
    del post["fields"]["key"]


def no_such_bucket(post: Post) -> None:
    post["url"] = post["url"].replace(BUCKET, "another-bucket")


def unsigned(post: Post) -> None:
    post["fields"] = {"key": "k"}


REFUSED: list[tuple[Callable[[Post], None], int, str, str]] = [
    (changed_key, 403, "AccessDenied", 'Policy Condition failed: ["eq", "$key", "object"]'),
    (extra_field, 403, "AccessDenied", "Invalid according to Policy: Extra input fields: x-amz-meta-more"),
    (wrong_signature, 403, "SignatureDoesNotMatch", "does not match the signature you provided"),
    (changed_policy, 403, "SignatureDoesNotMatch", "does not match the signature you provided"),
    (unknown_key, 403, "InvalidAccessKeyId", "does not exist in our records"),
    (no_policy, 400, "InvalidArgument", "Bucket POST must contain a field named 'policy'"),
    (no_key, 400, "InvalidArgument", "Bucket POST must contain a field named 'key'"),
    (no_such_bucket, 403, "AccessDenied", 'Policy Condition failed: ["eq", "$bucket", "form-uploads"]'),
    (unsigned, 403, "AccessDenied", "Access Denied"),
]


@pytest.mark.parametrize(("change", "status", "code", "text"), REFUSED, ids=[case[0].__name__ for case in REFUSED])
def test_forms_that_are_refused(
    service: Service, change: Callable[[Post], None], status: int, code: str, text: str
) -> None:
    post = presigned(service, "object")
    change(post)
    found = error(sent(post))
    assert found[:2] == (status, code) and text in found[2], found


def test_an_expired_policy(service: Service) -> None:
    found = error(sent(presigned(service, "late", ExpiresIn=-1)))
    assert found == (403, "AccessDenied", "Invalid according to Policy: Policy expired.")


def test_the_size_must_be_in_the_range(service: Service) -> None:
    post = presigned(service, "sized", Conditions=[["content-length-range", 4, 10]])
    large, small = sent(post, b"x" * 11), sent(post, b"x" * 3)
    assert error(large) == (400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    assert error(small) == (400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    assert ElementTree.fromstring(large.content).findtext("MaxSizeAllowed") == "10"
    assert service.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="sized")["KeyCount"] == 0


def test_there_must_be_one_file_in_a_form(service: Service) -> None:
    post = presigned(service, "none")
    nothing = requests.post(post["url"], files={"key": (None, "none")}, timeout=60)
    assert error(nothing)[1:] == ("InvalidArgument", "POST requires exactly one file upload per request.")
    other = requests.post(post["url"], data=post["fields"], timeout=60)
    assert error(other)[:2] == (412, "PreconditionFailed")
