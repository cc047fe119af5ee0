"""What endpoints write to S3: captured requests and answers, and the answers of asynchronous inference."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from botocore.exceptions import ClientError

from tests.integration.endpoint_models import BUCKET, ROWS, Made, booster, floats, text
from tests.support import Service, shared_file, until

MODEL = booster()


@pytest.fixture
def made(service: Service) -> Made:
    return Made(service)


def refused(call: Any, **request: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        call(**request)
    return dict(error.value.response)


def test_captured_data_is_that_of_aws(made: Made) -> None:
    config = made.config(
        made.model(MODEL),
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 50,
            "DestinationS3Uri": f"s3://{BUCKET}/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
        },
    )
    endpoint = made.endpoint(config)
    capture = made.sagemaker.describe_endpoint(EndpointName=endpoint)["DataCaptureConfig"]
    assert (capture["CaptureStatus"], capture["CurrentSamplingPercentage"]) == ("Started", 50)
    for number in range(10):
        accept = "application/json" if number % 4 == 3 else "text/csv"
        made.invoke(endpoint, ROWS[number : number + 1], InferenceId=f"id-{number}", Accept=accept)
    refused(made.runtime.invoke_endpoint, EndpointName=endpoint, Body=b"x", ContentType="text/csv")
    made.delete(endpoint)  # what is held back is written at the end
    listed = made.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"capture/{endpoint}/")["Contents"]
    pattern = rf"capture/{endpoint}/AllTraffic/\d{{4}}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{{3}}-[0-9a-f-]{{36}}\.jsonl"
    lines = []
    for item in listed:
        assert re.fullmatch(pattern, item["Key"])
        lines += made.s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read().decode().splitlines()
    assert len(lines) == 5
    example = json.loads(shared_file("truth/capture-json-hcp/capture.jsonl").read_text().splitlines()[0])
    for number, line in zip(range(1, 10, 2), lines, strict=True):
        record = json.loads(line)
        assert line == json.dumps(record, separators=(",", ":"))
        assert _structure(record) | {"eventMetadata.inferenceId"} == _structure(example) | {"eventMetadata.inferenceId"}
        sent, answered = record["captureData"]["endpointInput"], record["captureData"]["endpointOutput"]
        assert (sent["mode"], sent["encoding"], sent["observedContentType"]) == ("INPUT", "CSV", "text/csv")
        assert sent["data"].encode() == text(ROWS[number : number + 1])
        assert answered["encoding"] == ("JSON" if number % 4 == 3 else "CSV")
        if answered["encoding"] == "CSV":
            assert answered["observedContentType"] == "text/csv; charset=utf-8"
            assert np.float32(answered["data"]) == MODEL.predict(xgb.DMatrix(ROWS[number : number + 1]))[0]
        assert record["eventMetadata"]["inferenceId"] == f"id-{number}"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["eventMetadata"]["inferenceTime"])


def _structure(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return {part for name, item in value.items() for part in _structure(item, f"{path}.{name}".lstrip("."))}
    return {path}


def test_asynchronous_inference(made: Made) -> None:
    output = {"S3OutputPath": f"s3://{BUCKET}/async/out", "S3FailurePath": f"s3://{BUCKET}/async/failed"}
    endpoint = made.endpoint(made.config(made.model(MODEL), AsyncInferenceConfig={"OutputConfig": output}))
    location = made.upload("async/in.csv", text(ROWS[:3]))
    request = {"EndpointName": endpoint, "ContentType": "text/csv"}
    answer = made.runtime.invoke_endpoint_async(**request, InputLocation=location, InferenceId="mine")
    assert answer["InferenceId"] == "mine"
    assert answer["OutputLocation"].startswith(output["S3OutputPath"] + "/")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202

    def read(uri: str) -> bytes | None:
        key = uri.removeprefix(f"s3://{BUCKET}/")
        found = made.s3.list_objects_v2(Bucket=BUCKET, Prefix=key).get("Contents", [])
        return bytes(made.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()) if found else None

    body = until(lambda: read(answer["OutputLocation"]), "the answer is there")
    assert np.float32(floats(body)).tolist() == MODEL.predict(xgb.DMatrix(ROWS[:3])).tolist()
    made.s3.put_object(Bucket=BUCKET, Key="async/typed", Body=text(ROWS[:3]), ContentType="text/csv")
    typed = made.runtime.invoke_endpoint_async(EndpointName=endpoint, InputLocation=f"s3://{BUCKET}/async/typed")
    assert until(lambda: read(typed["OutputLocation"]), "the response is there") == body  # the object's content type
    wrong = made.runtime.invoke_endpoint_async(**request, InputLocation=made.upload("async/bad.csv", b"1,2\n3"))
    assert b"Received client error (415)" in until(lambda: read(wrong["FailureLocation"]), "the failure is there")
    missing = made.runtime.invoke_endpoint_async(**request, InputLocation=f"s3://{BUCKET}/async/none")
    assert b"there is no such object" in until(lambda: read(missing["FailureLocation"]), "the failure is there")
    message = refused(made.runtime.invoke_endpoint, **request, Body=b"1")["Error"]["Message"]
    assert "takes InvokeEndpointAsync only" in message
    made.delete(endpoint)


def test_asynchronous_inference_notifies_topics(made: Made) -> None:
    sns, sqs = made.service.client("sns"), made.service.client("sqs")
    topics, queues = {}, {}
    for name in ("success", "error"):
        topics[name] = sns.create_topic(Name=f"async-{name}")["TopicArn"]
        queues[name] = sqs.create_queue(QueueName=f"async-{name}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queues[name], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topics[name], Protocol="sqs", Endpoint=arn)

    def received(name: str) -> dict[str, Any]:
        listed = until(
            lambda: sqs.receive_message(QueueUrl=queues[name]).get("Messages"), f"the {name} notification is there"
        )
        return dict(json.loads(json.loads(listed[0]["Body"])["Message"]))

    notify = {
        "SuccessTopic": topics["success"], "ErrorTopic": topics["error"],
        "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"],
    }  # fmt: skip
    output = {"S3OutputPath": f"s3://{BUCKET}/notified", "NotificationConfig": notify}
    endpoint = made.endpoint(made.config(made.model(MODEL), AsyncInferenceConfig={"OutputConfig": output}))
    request = {"EndpointName": endpoint, "ContentType": "text/csv", "Accept": "text/csv"}
    location = made.upload("notified/in.csv", text(ROWS[:1]))
    answer = made.runtime.invoke_endpoint_async(**request, InputLocation=location)
    message = received("success")
    assert [*message] == [
        "awsRegion", "eventTime", "receivedTime", "invocationStatus", "requestParameters", "responseParameters",
        "responseBody", "inferenceId", "eventVersion", "eventSource", "eventName",
    ]  # fmt: skip
    assert message["invocationStatus"] == "Completed"
    assert message["inferenceId"] == answer["InferenceId"]
    assert message["requestParameters"] == {
        "accept": "text/csv", "contentType": "text/csv", "endpointName": endpoint, "inputLocation": location,
    }  # fmt: skip
    assert message["responseParameters"] == {
        "contentType": "text/csv; charset=utf-8", "outputLocation": answer["OutputLocation"],
    }  # fmt: skip
    predicted = floats(base64.b64decode(message["responseBody"]["content"]))
    assert np.float32(predicted).tolist() == MODEL.predict(xgb.DMatrix(ROWS[:1])).tolist()
    made.runtime.invoke_endpoint_async(**request, InputLocation=made.upload("notified/bad.csv", b"1,2\n3"))
    message = received("error")
    assert message["invocationStatus"] == "Failed"
    assert message["failureReason"] == (
        "ClientError: Received client error (415) from model. See the SageMaker Endpoint logs in your account for "
        "more information."
    )
    made.delete(endpoint)
