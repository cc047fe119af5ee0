"""Only requests signed with the service's own keys, for this host, in time, and as they were signed."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local_sagemaker import clock
from tests.wire.serving import Served
from tests.wire.test_wire_gateway import error_of, raw


def fetch(request: str | urllib.request.Request) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


UNKNOWN = "The security token included in the request is invalid."
MISMATCH = "The request signature we calculated does not match the signature you provided. "
LONG = MISMATCH + "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."


@pytest.mark.parametrize(
    ("service", "operation", "wrong", "expected"),
    [
        ("sagemaker", "list_pipelines", {"secret": "x"}, ("InvalidSignatureException", LONG)),
        ("sagemaker", "list_pipelines", {"key": "x"}, ("UnrecognizedClientException", UNKNOWN)),
        ("sts", "get_caller_identity", {"secret": "x"}, ("SignatureDoesNotMatch", LONG)),
        ("sts", "get_caller_identity", {"key": "x"}, ("InvalidClientTokenId", UNKNOWN)),
        ("lambda", "list_functions", {"key": "x"}, ("UnrecognizedClientException", UNKNOWN)),
        (
            "s3",
            "list_buckets",
            {"secret": "x"},
            ("SignatureDoesNotMatch", MISMATCH + "Check your key and signing method."),
        ),
        (
            "s3",
            "list_buckets",
            {"key": "x"},
            ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
        ),
    ],
)
def test_wrong_keys_have_each_services_own_error(
    served: Served, service: str, operation: str, wrong: dict[str, str], expected: tuple[str, str]
) -> None:
    client = served.client(service, **wrong)
    assert error_of(getattr(client, operation)) == (*expected, 403)


def test_temporary_keys_are_accepted_with_their_token(served: Served) -> None:
    served.credentials.issue("ASIATEMPORARY", "temporary", "a/token==", time.time() + 100)
    client = served.client("s3", key="ASIATEMPORARY", secret="temporary")
    client._request_signer._credentials.token = "a/token=="
    assert client.list_buckets()["Buckets"][0]["Name"] == "one"
    link = client.generate_presigned_url("get_object", Params={"Bucket": "one", "Key": "k"})
    assert fetch(link)[0] == 200


@pytest.mark.parametrize(
    ("token", "lasts", "of_s3", "of_others"),
    [
        (None, 100, "InvalidAccessKeyId", "UnrecognizedClientException"),
        ("another", 100, "InvalidToken", "UnrecognizedClientException"),
        ("right", -1, "ExpiredToken", "ExpiredTokenException"),
    ],
)
def test_temporary_keys_are_nothing_without_their_token_and_after_their_time(
    served: Served, token: str | None, lasts: float, of_s3: str, of_others: str
) -> None:
    served.credentials.issue("ASIATEMPORARY", "temporary", "right", time.time() + lasts)
    for service, operation, expected in (("s3", "list_buckets", of_s3), ("sagemaker", "list_pipelines", of_others)):
        client = served.client(service, key="ASIATEMPORARY", secret="temporary")
        client._request_signer._credentials.token = token
        assert code_of(getattr(client, operation)) == expected
        if service == "s3":
            link = client.generate_presigned_url("get_object", Params={"Bucket": "one", "Key": "k"})
            assert f"<Code>{expected}<".encode() in fetch(link)[1]


def test_unsigned_requests_are_refused(served: Served) -> None:
    status, _, body = raw(served, "GET", "/")
    assert status == 403
    assert b"<Code>AccessDenied</Code>" in body
    status, headers, body = raw(served, "POST", "/", b"{}", X_Amz_Target="SageMaker.ListPipelines")
    assert status == 403
    assert headers["x-amzn-errortype"] == "AccessDeniedException"
    status, _, body = raw(
        served, "POST", "/", b"Action=GetCallerIdentity", Content_Type="application/x-www-form-urlencoded"
    )
    assert status == 403
    assert b"<ErrorResponse>" in body


def test_foreign_hosts_are_refused_even_with_a_good_signature(served: Served) -> None:
    """A web page can make a browser send requests here under a name of its own (DNS rebinding)."""
    keys = Credentials(served.credentials.access_key_id, served.credentials.secret_access_key)
    for host, status in (("evil.example", 403), ("localhost:99", 200), ("s3.eu-west-1.amazonaws.com", 200)):
        request = AWSRequest("GET", f"http://{host}/")
        S3SigV4Auth(keys, "s3", "us-east-1").add_auth(request)
        headers = {**dict(request.headers), "Host": host}
        assert raw(served, "GET", "/", **{k.replace("-", "_"): v for k, v in headers.items()})[0] == status, host
    assert raw(served, "GET", "/_health", Host="evil.example")[0] == 403


@pytest.mark.parametrize("changed", ["body", "path", "query", "header"])
def test_tampered_requests_are_refused(served: Served, changed: str) -> None:
    keys = Credentials(served.credentials.access_key_id, served.credentials.secret_access_key)
    request = AWSRequest("POST", f"{served.url}/a?b=c", data=b"{}", headers={"X-Amz-Target": "SageMaker.ListApps"})
    SigV4Auth(keys, "sagemaker", "us-east-1").add_auth(request)
    headers = dict(request.headers)
    path, body = "/a?b=c", b"{}"
    assert status_of(served, path, body, headers) == 501
    if changed == "body":
        body = b"[]"
    elif changed == "path":
        path = "/b?b=c"
    elif changed == "query":
        path = "/a?b=d"
    else:
        headers["X-Amz-Target"] = "SageMaker.ListPipelines"
    assert status_of(served, path, body, headers) == 403


def status_of(served: Served, path: str, body: bytes, headers: dict[str, str]) -> int:
    return raw(served, "POST", path, body, **{name.replace("-", "_"): value for name, value in headers.items()})[0]


def test_a_tampered_upload_is_refused_at_its_end(served: Served) -> None:
    keys = Credentials(served.credentials.access_key_id, served.credentials.secret_access_key)
    request = AWSRequest("PUT", f"{served.url}/bbb/key", data=b"abc")
    S3SigV4Auth(keys, "s3", "us-east-1").add_auth(request)
    status, answer = fetch(
        urllib.request.Request(request.url, data=b"abd", headers=dict(request.headers), method="PUT")
    )
    assert status == 400
    assert b"<Code>XAmzContentSHA256Mismatch</Code>" in answer


@pytest.mark.parametrize("path", ["/a//b", "/a/./b", "/a/../b", "/a%20b", "/%C3%A9", "/a%2Fb", "/a+b~"])
@pytest.mark.parametrize("service", ["s3", "sagemaker"])
def test_paths_are_canonical_as_botocore_makes_them(served: Served, service: str, path: str) -> None:
    keys = Credentials(served.credentials.access_key_id, served.credentials.secret_access_key)
    url = f"{served.url}/bbb{path}?b=2&a=x%20y&A=%2B&uploads"
    request = AWSRequest("GET", url)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(keys, service, "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.putrequest("GET", url.removeprefix(served.url))
    for name, value in request.headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    assert response.status != 403, response.read()
    connection.close()


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_links_work_until_they_expire(served: Served, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = served.client("s3", signature_version=version)
    link = client.generate_presigned_url("get_object", Params={"Bucket": "bbb", "Key": "a b+é/ü"}, ExpiresIn=60)
    assert fetch(link)[0] == 200
    assert fetch(link.replace("bbb", "ccc"))[0] == 403
    put = client.generate_presigned_url("put_object", Params={"Bucket": "bbb", "Key": "k", "ContentType": "text/csv"})
    upload = urllib.request.Request(put, data=b"1,2", method="PUT", headers={"Content-Type": "text/csv"})
    assert fetch(upload)[0] == 200
    later = clock.now() + 61
    monkeypatch.setattr("local_sagemaker.wire.signature.machine_time", lambda: later)
    status, body = fetch(link)
    assert status == 403
    assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in body


def test_a_signed_link_can_not_be_given_other_headers(served: Served) -> None:
    link = served.client("s3", signature_version="s3v4").generate_presigned_url(
        "put_object", Params={"Bucket": "bbb", "Key": "k"}
    )
    request = urllib.request.Request(link, data=b"x", method="PUT", headers={"x-amz-acl": "public-read"})
    status, body = fetch(request)
    assert status == 403
    assert b"not signed" in body


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("s3", "list_buckets", "RequestTimeTooSkewed"),
        ("sagemaker", "list_pipelines", "InvalidSignatureException"),
        ("sts", "get_caller_identity", "SignatureDoesNotMatch"),
    ],
)
def test_clocks_may_differ_by_a_quarter_of_an_hour(
    served: Served, service: str, operation: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = getattr(served.client(service), operation)
    moment = clock.now()
    for seconds in (14 * 60, -14 * 60):
        monkeypatch.setattr("local_sagemaker.wire.signature.machine_time", lambda seconds=seconds: moment + seconds)
        assert code_of(call) in (None, "NotImplemented")
    for seconds in (16 * 60, -16 * 60):
        monkeypatch.setattr("local_sagemaker.wire.signature.machine_time", lambda seconds=seconds: moment + seconds)
        assert code_of(call) == code


def code_of(call: Any) -> str | None:
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256 nonsense",
        "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=a/20260101/r/s3/aws4_request, SignedHeaders=host, Signature=00",
    ],
)
def test_malformed_signatures_are_refused(served: Served, authorization: str) -> None:
    status, _, body = raw(served, "GET", "/", Authorization=authorization)
    assert status == 400
    assert b"IncompleteSignature" in body


def test_presigned_links_need_all_their_parameters(served: Served) -> None:
    keys = Credentials(served.credentials.access_key_id, served.credentials.secret_access_key)
    request = AWSRequest("GET", f"{served.url}/bbb/k")
    S3SigV4QueryAuth(keys, "s3", "us-east-1", expires=8 * 24 * 3600).add_auth(request)
    assert b"AuthorizationQueryParametersError" in fetch(request.url)[1]


@pytest.mark.parametrize("addressing", ["path", "virtual"])
def test_buckets_in_the_host_name(served: Served, table: Any, addressing: str) -> None:
    """`bucket.localhost` is loopback wherever names are resolved as RFC 6761 says; here the socket is given."""
    keys = Credentials(served.credentials.access_key_id, served.credentials.secret_access_key)
    host, path = (
        ("s3.us-east-1.amazonaws.com", "/my.data/a/b") if addressing == "path" else ("my.data.localhost", "/a/b")
    )
    request = AWSRequest("PUT", f"http://{host}{path}", data=b"abc")
    S3SigV4Auth(keys, "s3", "us-east-1").add_auth(request)
    headers = {name.replace("-", "_"): value for name, value in request.headers.items()}
    assert raw(served, "PUT", path, b"abc", Host=host, **headers)[0] == 200
    assert (table.got["put"]["Bucket"], table.got["put"]["Key"]) == ("my.data", "a/b")
