"""Requests that no client library would send, each with its answer: never 500, in the form of the service."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.hostile.malformed import Connection
from tests.hostile.requests import encoded
from tests.hostile.signing import HttpRequest, Signer
from tests.hostile.values import DIGITS, deep_text
from tests.integration.raw_requests import json_request, keys_of, sent
from tests.support import ROLE, SCIKIT_LEARN, Service, until

DEEP = deep_text(5000).encode()


@pytest.fixture(scope="module")
def bucket(service: Service) -> str:
    s3 = service.client("s3")
    s3.create_bucket(Bucket="refusals")
    s3.put_object(Bucket="refusals", Key="k", Body=b"12345")
    return "refusals"


@pytest.mark.parametrize(
    "body",
    [
        DEEP, deep_text(100_000, '{"a":', "1", "}").encode(), b'{"PipelineName":"\\ud800"}', b'{"\\udfff":1}',
        b'{"PipelineName":"\xff"}', b'{"a":' + DIGITS.encode() + b"}", b'{"a":NaN}', b"\xff\xfe{\x00}\x00", b"[]", b"{",
    ],
)  # fmt: skip
@pytest.mark.parametrize("operation", ["DescribePipeline", "CreateModel", "Search"])
def test_json_that_is_none(service: Service, operation: str, body: bytes) -> None:
    status, answer = sent(service, json_request(operation, body))
    assert (status, json.loads(answer)["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize("moment", ["1e999", '"nan"', "1e300", "-1e15", '"Infinity"', "true"])
def test_times_that_are_none(service: Service, moment: str) -> None:
    body = f'{{"TrialComponentName":"t","StartTime":{moment}}}'.encode()
    status, answer = sent(service, json_request("CreateTrialComponent", body))
    assert (status, json.loads(answer)["__type"]) == (400, "SerializationException")


def test_members_that_are_optional_may_be_left_out(service: Service) -> None:
    status, answer = sent(service, json_request("ListPipelineExecutionSteps", b"{}"))
    assert (status, json.loads(answer)["__type"]) == (400, "ValidationException")
    sagemaker = service.client("sagemaker")
    clusters: list[dict[str, Any]] = [
        {"InstanceType": "ml.m5.large"},
        {"InstancePreferences": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.m5.xlarge"}]},
        {"InstancePreferences": [{"InstanceType": "ml.c5.xlarge", "InstanceCount": 1}]},
    ]
    for number, cluster in enumerate(clusters):
        name = f"optional-{number}"
        sagemaker.create_processing_job(
            ProcessingJobName=name,
            ProcessingResources={"ClusterConfig": {"VolumeSizeInGB": 1, **cluster}},
            AppSpecification={"ImageUri": SCIKIT_LEARN, "ContainerEntrypoint": ["true"]},
            RoleArn=ROLE,
        )
        described = until(
            lambda job=name: (one := sagemaker.describe_processing_job(ProcessingJobName=job))["ProcessingJobStatus"]
            not in ("InProgress", "Stopping") and one,
            "the job has ended",
        )  # fmt: skip
        assert described["ProcessingJobStatus"] == "Completed", described.get("FailureReason")
        shown = described["ProcessingResources"]["ClusterConfig"]
        if "InstancePreferences" in cluster:
            first = cluster["InstancePreferences"][0]["InstanceType"]
            assert (shown["SelectedInstanceType"], shown["SelectedInstanceCount"]) == (first, 1)


@pytest.mark.parametrize(
    "cluster",
    [
        {},
        {"InstanceCount": 1},
        {"InstanceType": "ml.m5.large", "InstancePreferences": [{"InstanceType": "ml.m5.large"}]},
        {"InstancePreferences": [{"InstanceType": "ml.m5.large"}, {"InstanceType": "ml.m5.large"}]},
        {"InstanceCount": 1, "InstancePreferences": [{"InstanceType": "ml.m5.large", "InstanceCount": 1}]},
    ],
)
def test_clusters_that_are_none(service: Service, cluster: dict[str, Any]) -> None:
    sagemaker = service.client("sagemaker")
    with pytest.raises(sagemaker.exceptions.ClientError, match="ValidationException"):
        sagemaker.create_processing_job(
            ProcessingJobName="none",
            ProcessingResources={"ClusterConfig": {"VolumeSizeInGB": 1, **cluster}},
            AppSpecification={"ImageUri": SCIKIT_LEARN, "ContainerEntrypoint": ["true"]},
            RoleArn=ROLE,
        )


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.parametrize("key", ["%FF", "a%ED%A0%80", "%C0%80"])
def test_keys_that_are_not_utf_8(service: Service, bucket: str, method: str, key: str) -> None:
    status, answer = sent(service, HttpRequest("s3", method, f"/{bucket}/{key}"))
    assert (status, method == "HEAD" or b"<Code>InvalidURI</Code>" in answer) == (400, True)


def test_texts_that_are_not_utf_8(service: Service, bucket: str) -> None:
    status, answer = sent(service, HttpRequest("s3", "PUT", f"/{bucket}/m", headers={"x-amz-meta-a": "\xff"}))
    assert (status, b"<Code>InvalidArgument</Code>" in answer) == (400, True)
    for path in ("/2015-03-31/functions/%FF", "/2015-03-31/functions/a/aliases/%FF"):
        status, answer = sent(service, HttpRequest("lambda", "GET", path))
        assert (status, b"is not UTF-8" in answer) == (400, True)
    assert sent(service, HttpRequest("apigateway", "GET", "/restapis/%FF"))[0] == 400


@pytest.mark.parametrize(
    ("method", "query", "headers", "expected"),
    [
        ("HEAD", [], {"range": f"bytes={DIGITS[:4500]}-"}, (200, 206)),
        ("GET", [], {"range": "bytes=\xc2\xb2-"}, (200,)),
        ("PUT", [], {"x-amz-decoded-content-length": "\xc2\xb2", "content-encoding": "aws-chunked",
                     "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}, (411,)),
        ("GET", [("response-content-type", "%0d%0a")], {}, (400,)),
        ("GET", [("response-content-disposition", "%00")], {}, (400,)),
        ("GET", [("versionId", "%00")], {}, (400,)),
        ("DELETE", [("versionId", "%00")], {}, (400,)),
        ("GET", [("partNumber", "%C2%B2")], {}, (400,)),
        ("GET", [("partNumber", DIGITS[:4500])], {}, (400,)),
        ("GET", [], {"if-modified-since": "Mon, 99 Foo 2020"}, (200, 400)),
    ],
)  # fmt: skip
def test_numbers_and_headers_of_s3(
    service: Service, bucket: str, method: str, query: list[tuple[str, str]], headers: dict[str, str], expected: Any
) -> None:
    status, _ = sent(service, HttpRequest("s3", method, f"/{bucket}/k", list(query), dict(headers)))
    assert status in expected


def test_tokens_and_documents_of_s3(service: Service, bucket: str) -> None:
    status, answer = sent(service, HttpRequest("s3", "GET", "/", [("continuation-token", "x")]))
    assert (status, b"<Code>InvalidArgument</Code>" in answer) == (400, True)
    bodies = (
        b"<?xml version='1.0' encoding='utf-7'?><Tagging/>", b"<?xml version='1.0' encoding='UTF-16'?><Tagging/>",
        b"<Tagging>\xff</Tagging>", b"<a>" * 50_000, "<Tagging/>".encode("utf-16"),
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><Tagging>&b;</Tagging>",
    )  # fmt: skip
    for body in bodies:
        status, answer = sent(service, HttpRequest("s3", "PUT", f"/{bucket}/k", [("tagging", "")], body=body))
        assert (status, b"<Code>MalformedXML</Code>" in answer) == (400, True), body[:60]


@pytest.mark.parametrize(
    "query",
    [
        "AWSAccessKeyId={key}&Signature=%C2%B2&Expires=99999999999",
        "AWSAccessKeyId={key}&Signature=x&Expires=%C2%B2",
        "AWSAccessKeyId=%FF&Signature=x&Expires=1",
        "X-Amz-Signature=%C2%B2&X-Amz-Expires=60&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-SignedHeaders=host"
        "&X-Amz-Date=20260101T000000Z&X-Amz-Credential={key}/20260101/us-east-1/s3/aws4_request",
        "X-Amz-Signature=0&X-Amz-Expires=%D9%A3&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-SignedHeaders=host"
        "&X-Amz-Date=20260101T000000Z&X-Amz-Credential={key}/20260101/us-east-1/s3/aws4_request",
    ],
)
def test_links_whose_signature_is_none(service: Service, bucket: str, query: str) -> None:
    pairs = [tuple(part.split("=", 1)) for part in query.format(key=keys_of(service)[0]).split("&")]
    status, _ = sent(service, HttpRequest("s3", "GET", f"/{bucket}/k", pairs), signed=False)  # type: ignore[arg-type]
    assert status in (400, 403)


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256 Credential=\xff/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=a/20260101/\xff/s3/aws4_request, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=a/20260101/r/\xff/aws4_request, SignedHeaders=h\xc3\xb6st, Signature=00",
        "AWS4-HMAC-SHA256 " + "x" * 7000,
        "AWS \xff:\xff",
    ],
)
def test_credentials_that_are_none(service: Service, authorization: str) -> None:
    for service_name, headers in (("s3", {}), ("sagemaker", {"x-amz-target": "SageMaker.ListPipelines"})):
        request = HttpRequest(service_name, "POST", "/", headers={"authorization": authorization, **headers})
        assert sent(service, request, signed=False)[0] in (400, 403)


def test_invocations_with_deep_payloads(service: Service) -> None:
    for path, method in (
        ("/2015-03-31/functions/f/invocations", "POST"),
        ("/2014-11-13/functions/f/invoke-async/", "POST"),
    ):
        assert sent(service, HttpRequest("lambda", method, path, body=DEEP))[0] in (400, 404, 501)
    listed = encoded("lambda", _operation("lambda", "CreateFunction"), {})
    listed.body = json.dumps({"FunctionName": "f", "Role": ROLE, "Code": {"ZipFile": [1]}}).encode()
    status, answer = sent(service, listed)
    assert (status, b"Start of list" in answer) == (400, True)


def _operation(service: str, name: str) -> Any:
    from local_sagemaker.api import models

    return models.operation(service, name)


def form(service: Service, policy: bytes, **fields: str) -> HttpRequest:
    """A form whose policy is signed in version 2."""
    key, secret = keys_of(service)
    encoded_policy = base64.b64encode(policy).decode()
    signature = base64.b64encode(hmac.digest(secret.encode(), encoded_policy.encode(), hashlib.sha1)).decode()
    given = {"key": "form", "AWSAccessKeyId": key, "policy": encoded_policy, "signature": signature, **fields}
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in given.items()
    ]
    body = "".join(parts) + '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n--b--\r\n'
    kind = {"content-type": "multipart/form-data; boundary=b"}
    return HttpRequest("s3", "POST", "/refusals", headers=kind, body=body.encode("utf-8", "surrogateescape"))


def test_forms(service: Service, bucket: str) -> None:
    status, answer = sent(service, form(service, DEEP), signed=False)
    assert (status, b"InvalidPolicyDocument" in answer) == (400, True)
    conditions = [["starts-with", f"${name}", ""] for name in ("key", "x-amz-meta-a", "content-type", "bucket")]
    policy = json.dumps({"expiration": "2100-01-01T00:00:00Z", "conditions": conditions}).encode()
    for odd in ({"x-amz-meta-a": "b\r\nc: d"}, {"x-amz-meta-a": "\x00"}, {"Content-Type": "a\nb"}):
        status, answer = sent(service, form(service, policy, **odd), signed=False)
        assert (status, b"<Code>InvalidArgument</Code>" in answer) == (400, True), answer
    assert sent(service, form(service, policy, **{"x-amz-meta-a": "b"}), signed=False)[0] == 204
    assert service.client("s3").head_object(Bucket=bucket, Key="form")["Metadata"] == {"a": "b"}


PAIR = "repos/refused-code"


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "right"),
    [
        ("GET", f"{PAIR}/objects/../config", {}, b"", 403),
        ("GET", f"{PAIR}/objects/%2e%2e/config", {}, b"", 403),
        ("GET", f"{PAIR}/objects/%00", {}, b"", 403),
        ("GET", f"{PAIR}/objects/a//b", {}, b"", 403),
        ("GET", f"{PAIR}/objects/" + "a" * 5000, {}, b"", 404),
        ("GET", "connections/owner/code.git/objects/../config", {}, b"", 403),
        ("GET", "connections/../runaway.git/info/refs", {}, b"", 403),
        ("GET", "connections/owner/..git/info/refs", {}, b"", 403),
        ("GET", "connections/stranger/code.git/info/refs", {"authorization": "Basic eDp5"}, b"", 401),
        ("POST", f"{PAIR}/git-upload-pack", {"content-encoding": "gzip"}, b"no gzip", 400),
        ("POST", f"{PAIR}/git-receive-pack", {"content-encoding": "gzip"}, b"\x1f\x8b\x08\x00broken", 400),
        ("POST", f"{PAIR}/git-receive-pack", {}, b"zzzz", 200),
        ("POST", f"{PAIR}/git-upload-pack", {}, b"0032", 200),
    ],
)  # fmt: skip
def test_what_git_can_not_make_anything_of(
    service: Service, method: str, path: str, headers: dict[str, str], body: bytes, right: int
) -> None:
    """A path that is no address of git's is S3's, which takes no request without a signature."""
    code = service.client("codecommit")
    if "refused-code" not in json.dumps(code.list_repositories()["repositories"]):
        code.create_repository(repositoryName="refused-code")
    pair = base64.b64encode(":".join(keys_of(service)).encode()).decode()
    sent_headers = {"authorization": f"Basic {pair}", **headers}
    if method == "POST":
        sent_headers["content-type"] = f"application/x-{path.rpartition('/')[2]}-request"
    request = HttpRequest("git", method, f"/v1/{path}", headers=sent_headers, body=body)
    status, answer = sent(service, request, signed=False)
    assert status == right, answer
    assert not [*service.home.rglob("runaway*"), *service.home.rglob("stranger*")], "a repository for nobody"


def test_more_than_a_hundred_of_what_takes_a_process_of_git_each(service: Service) -> None:
    code = service.client("codecommit")
    name = {"repositoryName": code.create_repository(repositoryName="bounded-code")["repositoryMetadata"][
        "repositoryName"]}  # fmt: skip
    many = [f"{number:040x}" for number in range(101)]
    files = [{"filePath": path, "fileContent": b"1"} for path in many]
    for error, call in {
        "CommitIdsLimitExceededException": lambda: code.batch_get_commits(**name, commitIds=many),
        "MaximumRepositoryNamesExceededException": lambda: code.batch_get_repositories(repositoryNames=many),
        "MaximumFileEntriesExceededException": lambda: code.create_commit(**name, branchName="main", putFiles=files),
    }.items():
        with pytest.raises(ClientError, match=error):
            call()
    found = code.batch_get_commits(**name, commitIds=["a", *many[:99]])
    assert len(found["errors"]) == 100


@pytest.mark.parametrize(
    ("service_", "target", "body", "right"),
    [
        ("kms", "TrentService.CreateGrant", b"1", (400, "SerializationException")),
        ("kms", "TrentService.ListKeyPolicies", b'{"KeyId": {"": ""}}', (400, "SerializationException")),
        ("kms", "TrentService.UntagResource", b'"arn:aws:::::"', (400, "SerializationException")),
        ("kms", "TrentService.ImportKeyMaterial",
         b'{"KeyId": "k", "ImportToken": "MSwy", "EncryptedKeyMaterial": "https://"}', (400, "SerializationException")),
        ("kms", "TrentService.Decrypt", b'{"CiphertextBlob": "x"}', (400, "SerializationException")),
        ("secretsmanager", "secretsmanager.CreateSecret", b'{"Name": "s", "SecretBinary": "x"}',
         (400, "SerializationException")),
        ("kms", "TrentService.Nope", b"{}", (501, "NotImplemented")),
        ("ecr", "AmazonEC2ContainerRegistry_V20150921.BatchGetRepositoryScanningConfiguration",
         b'{"repositoryNames": [[]]}', (400, "SerializationException")),
        ("secretsmanager", "secretsmanager.GetSecretValue", b'{"SecretId": 5}', (400, "SerializationException")),
        ("sqs", "AmazonSQS.SendMessage", b'{"QueueUrl": []}', (400, "SerializationException")),
        ("ssm", "AmazonSSM.GetPatchBaselineForPatchGroup", b'{"PatchGroup": "a", "OperatingSystem": null}',
         (501, "NotImplemented")),
        ("ecr", "AmazonEC2ContainerRegistry_V20150921.PutImage",
         b'{"repositoryName": "a.b", "imageManifest": "x", "registryId": "s"}', (501, "NotImplemented")),
    ],
)  # fmt: skip
def test_documents_of_neighbours_that_are_none(
    service: Service, service_: str, target: str, body: bytes, right: tuple[int, str]
) -> None:
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": target}
    status, answer = sent(service, HttpRequest(service_, "POST", "/", headers=headers, body=body))
    assert (status, json.loads(answer)["__type"]) == right


def test_forms_of_neighbours_that_are_not_utf_8(service: Service) -> None:
    body = b"Action=ListPolicyVersions&Version=2010-05-08&PolicyArn=683313688378.dkr.ecr.amazonaws.com%2Fcpu-p\xd03"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    status, answer = sent(service, HttpRequest("iam", "POST", "/", headers=headers, body=body))
    assert (status, b"<Code>NoSuchEntity</Code>" in answer) == (404, True), answer


@pytest.mark.parametrize("body", [b"Action=GetAccountPasswo", b"<a/>", b"", b"Action="])
@pytest.mark.parametrize("service_", ["iam", "sns", "sts"])
def test_actions_of_neighbours_that_are_none(service: Service, service_: str, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    status, answer = sent(service, HttpRequest(service_, "POST", "/", headers=headers, body=body))
    assert (status, b"is not supported by the local service" in answer) == (501, True)


def test_what_changes_a_requests_meaning_must_be_signed(service: Service, bucket: str) -> None:
    port = service.description["port"]
    for service_name, header, value, expected in (
        ("s3", "x-amz-copy-source", f"{bucket}/k", b"<HeadersNotSigned>x-amz-copy-source</HeadersNotSigned>"),
        ("s3", "x-amz-meta-a", "b", b"<HeadersNotSigned>x-amz-meta-a</HeadersNotSigned>"),
        ("sagemaker", "x-amz-target", "SageMaker.ListPipelines", b"'X-Amz-Target' must be a 'SignedHeader'"),
    ):
        request = HttpRequest(service_name, "PUT" if service_name == "s3" else "POST", f"/{bucket}/new", body=b"{}")
        Signer(*keys_of(service)).sign(request, f"127.0.0.1:{port}")
        request.headers[header] = value
        connection = Connection(port)
        _, status, answer, _ = connection.exchange(request)
        connection.close()
        assert (status, expected in answer) == (403, True)
