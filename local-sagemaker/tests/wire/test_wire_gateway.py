"""The gateway seen by unmodified boto3 clients and by bare sockets."""

from __future__ import annotations

import datetime
import http.client
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.api.operations import Handler
from tests.wire.conftest import Table
from tests.wire.serving import Served, serving


def error_of(call: Any, **parameters: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response = caught.value.response
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


def raw(served: Served, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    connection.request(method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
    response = connection.getresponse()
    answer = response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    connection.close()
    return answer


def test_json_answers_have_times_and_no_nulls(served: Served) -> None:
    answer = served.client("sagemaker").describe_pipeline(PipelineName="abc")
    assert answer["CreationTime"] == datetime.datetime(2023, 11, 14, 22, 13, 20, 250000, tzinfo=datetime.UTC)
    assert "LastModifiedBy" not in answer
    assert len(answer["ResponseMetadata"]["RequestId"]) == 36


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("sagemaker", "describe_model", {"ModelName": "m"}, ("ValidationException", 'Could not find model "é".', 400)),
        ("sagemaker", "describe_training_job", {"TrainingJobName": "t"}, ("ResourceNotFound", "gone", 400)),
        ("s3", "delete_bucket", {"Bucket": "bbb"}, ("BucketNotEmpty", "The bucket <x>", 409)),
        ("s3", "head_object", {"Bucket": "bbb", "Key": "k"}, ("404", "Not Found", 404)),
        (
            "sagemaker-runtime",
            "invoke_endpoint",
            {"EndpointName": "e", "Body": b"boom"},
            ("ModelError", "Received server error (500) from primary", 424),
        ),
    ],
)
def test_errors_arrive_as_aws_sends_them(
    served: Served, service: str, operation: str, parameters: dict[str, Any], expected: tuple[str, str, int]
) -> None:
    assert error_of(getattr(served.client(service), operation), **parameters) == expected


def test_members_of_an_error_arrive(served: Served) -> None:
    with pytest.raises(ClientError) as caught:
        served.client("sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=b"boom")
    assert caught.value.response["OriginalStatusCode"] == 500
    assert caught.value.response["OriginalMessage"] == "boom"


def test_errors_of_s3_have_elements_and_headers_of_their_own(served: Served) -> None:
    with pytest.raises(ClientError) as caught:
        served.client("s3").delete_objects(Bucket="bbb", Delete={"Objects": [{"Key": "k"}]})
    response = caught.value.response
    assert (response["Error"]["Key"], "Resource" in response["Error"]) == ("a <b>", False)
    assert response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"


def test_requests_are_validated_before_the_handler(served: Served) -> None:
    code, message, status = error_of(served.client("sagemaker").describe_model, ModelName="-")
    assert (code, status) == ("ValidationException", 400)
    assert message == (
        "1 validation error detected: Value '-' at 'modelName' failed to satisfy constraint: Member must satisfy "
        "regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9])*"
    )


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "name"),
    [
        ("sagemaker", "list_apps", {}, "sagemaker:ListApps"),
        ("s3", "get_bucket_website", {"Bucket": "bbb"}, "s3:GetBucketWebsite"),
        ("lambda", "list_functions", {}, "lambda:ListFunctions"),
        ("logs", "describe_queries", {}, "logs:DescribeQueries"),
    ],
)
def test_what_is_not_supported_says_so(
    served: Served, service: str, operation: str, parameters: dict[str, Any], name: str
) -> None:
    code, message, status = error_of(getattr(served.client(service), operation), **parameters)
    assert (code, status) == ("NotImplemented", 501)
    assert name in message
    assert "docs/reference/operations.md" in message


def test_a_bug_is_an_internal_failure_with_its_request_id(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(ClientError) as caught:
        served.client("sagemaker").describe_image(ImageName="i")
    response = caught.value.response
    assert response["Error"]["Code"] == "InternalFailure"
    identity = response["ResponseMetadata"]["RequestId"]
    assert identity in response["Error"]["Message"]
    assert any(identity in record.getMessage() and record.exc_info for record in caplog.records)


def test_operations_that_wait_hold_up_no_others(tmp_path: Path) -> None:
    """More of them than the loop's default pool has threads; one more operation lets all go on."""
    go, waiting = threading.Event(), threading.Barrier(41)

    def wait(request: dict[str, Any]) -> dict[str, Any]:
        waiting.wait(20)
        go.wait(20)
        return {}

    def release(request: dict[str, Any]) -> dict[str, Any]:
        go.set()
        return {}

    handlers: dict[str, Handler] = {"sagemaker:ListPipelines": wait, "sagemaker:ListModels": release}
    with serving(handlers, tmp_path) as served, ThreadPoolExecutor(40) as pool:
        client = served.client("sagemaker", max_pool_connections=50)
        held = [pool.submit(client.list_pipelines) for _ in range(40)]
        waiting.wait(20)
        client.list_models()
        assert all(call.result(20) for call in held)


def test_health_needs_no_signature(served: Served) -> None:
    status, _, body = raw(served, "GET", "/_health")
    assert status == 200
    assert json.loads(body) == {"status": "running", "region": "us-east-1", "account": "123456789012"}


def test_neighbours_get_the_request_as_it_was(served: Served) -> None:
    assert served.client("sts").get_caller_identity()["Account"] == "123456789012"
    service, request = served.neighbours.asked[-1]
    assert (service, request.method, request.path) == ("sts", "POST", "/")
    assert request.body == b"Action=GetCallerIdentity&Version=2011-06-15"
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256")


def test_runtime_and_control_plane_share_a_signing_name(served: Served) -> None:
    answer = served.client("sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=b"\x00", ContentType="a/b")
    assert answer["Body"].read() == b"<\x00>"
    assert answer["ContentType"] == "a/b"


def test_objects_stream_whole_and_in_part(served: Served, table: Table) -> None:
    s3, content = served.client("s3"), table.file.read_bytes()
    whole = s3.get_object(Bucket="bbb", Key="k")
    assert whole["Body"].read() == content
    assert whole["Metadata"] == {"a": "b"}
    part = s3.get_object(Bucket="bbb", Key="k", Range="bytes=3145000-")
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert part["ContentRange"] == "bytes 3145000-3145727/3145728"
    assert part["Body"].read() == content[3145000:]


def test_s3_answers_carry_s3s_request_ids(served: Served) -> None:
    metadata = served.client("s3").list_buckets()["ResponseMetadata"]
    assert len(metadata["RequestId"]) == 16
    assert metadata["HostId"]


def test_deletions_have_no_body(served: Served) -> None:
    assert served.client("s3").delete_object(Bucket="bbb", Key="k")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_connections_are_kept_after_a_refused_upload(served: Served) -> None:
    """The rest of a body that nobody wanted must not be taken for the next request."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    for _ in range(2):
        connection.request("PUT", "/bbb/key", body=b"GET / HTTP/1.1\r\n\r\n" * 200_000)
        response = connection.getresponse()
        assert response.status == 403
        assert b"<Code>AccessDenied</Code>" in response.read()
    connection.request("GET", "/_health")
    assert connection.getresponse().status == 200
    connection.close()


def test_unreadable_documents_are_refused(served: Served) -> None:
    client = served.client("sagemaker")
    client.meta.events.register(
        "before-sign.sagemaker.DescribePipeline", lambda request, **_: setattr(request, "data", b"{")
    )
    assert error_of(client.describe_pipeline, PipelineName="x")[0] == "SerializationException"
    s3 = served.client("s3", request_checksum_calculation="when_required")
    s3.meta.events.register("before-sign.s3.DeleteObjects", _damage)
    assert error_of(s3.delete_objects, Bucket="bbb", Delete={"Objects": [{"Key": "a"}]})[0] == "MalformedXML"


def _damage(request: Any, **_: Any) -> None:
    request.data = b"<Delete><Object>"
    for name in [name for name in request.headers if name.lower().startswith(("x-amz-checksum", "content-md5"))]:
        del request.headers[name]
