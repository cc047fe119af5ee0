"""Callback steps with a real queue: what boto3 and the SDK v3 send and get, and crashes of the service meanwhile."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.support import ROLE, Service, create_pipeline, finished, start, steps_of, until


def callback_step(queue: str, **more: Any) -> dict[str, Any]:
    return {"Name": "Approve", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}, **more}


def receive(sqs: Any, queue: str) -> dict[str, Any]:
    """The next message's body; the message is deleted."""
    messages = until(lambda: sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5).get("Messages"), "a message")
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=messages[0]["ReceiptHandle"])
    return dict(json.loads(messages[0]["Body"]))


def test_the_sdks_callback_step(service: Service) -> None:
    sqs, sagemaker = service.client("sqs"), service.client("sagemaker")
    queue = sqs.create_queue(QueueName="sdk-callbacks")["QueueUrl"]
    program = Path(__file__).with_name("sdk_v3_callback.py")
    done = service.run(sys.executable, str(program), ROLE, queue, "sdk-callback", check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    listed = sagemaker.list_pipeline_executions(PipelineName="sdk-callback")["PipelineExecutionSummaries"]
    execution = listed[0]["PipelineExecutionArn"]
    message = receive(sqs, queue)
    assert message["pipelineExecutionArn"] == execution
    assert message["arguments"] == {"bucket": "data", "limit": 3}
    shown = steps_of(sagemaker, execution)["Approve"]
    assert shown["Metadata"]["Callback"] == {"CallbackToken": message["token"], "SqsQueueUrl": queue}
    outputs = [{"Name": "location", "Value": "s3://data/new"}, {"Name": "rows", "Value": "17"}]
    answer = sagemaker.send_pipeline_execution_step_success(CallbackToken=message["token"], OutputParameters=outputs)
    assert answer["PipelineExecutionArn"] == execution
    finished(sagemaker, execution)
    steps = steps_of(sagemaker, execution)
    assert steps["Tell"]["FailureReason"] == "s3://data/new"
    shown_outputs = steps["Approve"]["Metadata"]["Callback"]["OutputParameters"]
    assert sorted(shown_outputs, key=lambda item: item["Name"]) == outputs


def test_the_wait_survives_kills_of_the_service(own_service: Service) -> None:
    sqs, sagemaker = own_service.client("sqs"), own_service.client("sagemaker")
    queue = sqs.create_queue(QueueName="callbacks")["QueueUrl"]
    declared = [{"OutputName": "good", "OutputType": "Boolean"}]
    create_pipeline(sagemaker, "waits", callback_step(queue, OutputParameters=declared))
    execution = start(sagemaker, "waits")
    until(lambda: steps_of(sagemaker, execution).get("Approve", {}).get("StepStatus") == "Executing", "it waits")
    own_service.kill()
    own_service.up()
    sqs, sagemaker = own_service.client("sqs"), own_service.client("sagemaker")
    queue = sqs.get_queue_url(QueueName="callbacks")["QueueUrl"]
    message = receive(sqs, queue)
    own_service.kill()
    own_service.up()
    sqs, sagemaker = own_service.client("sqs"), own_service.client("sagemaker")
    good = [{"Name": "good", "Value": "true"}]
    sagemaker.send_pipeline_execution_step_success(CallbackToken=message["token"], OutputParameters=good)
    assert finished(sagemaker, execution)["PipelineExecutionStatus"] == "Succeeded"
    left = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="callbacks")["QueueUrl"]).get("Messages", [])
    assert left == [], "a message that was deleted does not come back"
