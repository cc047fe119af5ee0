"""What receives events: each kind of target by the service in its ARN, as a request of that service."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.api.operations import Call, Request
from local_sagemaker.clock import now
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.json_text import JsonError, load
from local_sagemaker.records.own_members import own_target

Target = Mapping[str, Any]
Sender = Callable[[Call, Target, str], Any]
"""Sends a text to a target, by the spine."""
_QUEUE = re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[a-zA-Z0-9_-]+")
"""Queues of dead letters, none of which is FIFO: the pattern of EventBridge Scheduler's model."""


def _pipeline(call: Call, target: Target, _text: str) -> Any:
    parameters = target.get("SageMakerPipelineParameters", {}).get("PipelineParameterList", [])
    request: Request = {"PipelineName": target["Arn"], "PipelineParameters": parameters}
    return call("sagemaker:StartPipelineExecution", request)["PipelineExecutionArn"]


def _delivery_pipeline(call: Call, target: Target, text: str) -> Any:
    request: Request = {"name": target["Arn"].rsplit(":", 1)[-1]}
    if "_delivery" in target:  # by it the pipeline knows the rule, and that a delivery comes again
        request["clientRequestToken"] = own_target(target)["_delivery"]
    variables = _members(text).get("variables")
    if variables:
        request["variables"] = variables
    return call("codepipeline:StartPipelineExecution", request).get("pipelineExecutionId")


def _build(call: Call, target: Target, text: str) -> Any:
    members = _members(text)
    overrides = {name: members[name] for name in members if name == "sourceVersion" or name.endswith("Override")}
    request = {"projectName": target["Arn"].rpartition("project/")[2], **overrides}
    return call("codebuild:StartBuild", request)["build"]["id"]


def _function(call: Call, target: Target, text: str) -> Any:
    call("lambda:Invoke", {"FunctionName": target["Arn"], "InvocationType": "Event", "Payload": text.encode()})


def _topic(call: Call, target: Target, text: str) -> Any:
    return call("sns:Publish", {"TopicArn": target["Arn"], "Message": text})["MessageId"]


def _queue(call: Call, target: Target, text: str) -> Any:
    account, name = target["Arn"].split(":")[4:6]
    url = call("sqs:GetQueueUrl", {"QueueName": name, "QueueOwnerAWSAccountId": account})["QueueUrl"]
    request: Request = {"QueueUrl": url, "MessageBody": text}
    group = target.get("SqsParameters", {}).get("MessageGroupId")
    if group:
        request["MessageGroupId"] = group
    return call("sqs:SendMessage", request)["MessageId"]


def _log_group(call: Call, target: Target, text: str) -> Any:
    group = target["Arn"].partition(":log-group:")[2].removesuffix(":*")
    document = _members(text)
    message, time = document.get("message", text), document.get("timestamp")
    stream = "events"
    try:
        call("logs:CreateLogStream", {"logGroupName": group, "logStreamName": stream})
    except ServiceError as error:
        if error.code != "ResourceAlreadyExistsException":
            raise
    moment = time if isinstance(time, int) else int(now() * 1000)
    entry = {"timestamp": moment, "message": message if isinstance(message, str) else json.dumps(message)}
    call("logs:PutLogEvents", {"logGroupName": group, "logStreamName": stream, "logEvents": [entry]})


def _bus(call: Call, target: Target, text: str) -> Any:
    event = _members(text)
    entry = {
        "Source": event.get("source", ""), "DetailType": event.get("detail-type", ""),
        "Detail": json.dumps(event.get("detail", {})), "EventBusName": target["Arn"],
        "Resources": event.get("resources", []),
    }  # fmt: skip
    return call("events:PutEvents", {"Entries": [entry]})["Entries"][0].get("EventId")


def _members(text: str) -> dict[str, Any]:
    try:
        document = load(text)
    except JsonError:
        return {}
    return document if isinstance(document, dict) else {}


SENDERS: dict[tuple[str, str], tuple[Sender, bool]] = {
    ("sagemaker", "pipeline/"): (_pipeline, True),
    ("codepipeline", ""): (_delivery_pipeline, True),
    ("codebuild", "project/"): (_build, True),
    ("lambda", "function:"): (_function, False),
    ("sns", ""): (_topic, False),
    ("sqs", ""): (_queue, False),
    ("logs", "log-group:"): (_log_group, False),
    ("events", "event-bus/"): (_bus, False),
}
"""By service and the beginning of the resource; whether a role is needed."""


def sender_of(arn: str) -> tuple[Sender, bool] | None:
    """What sends to a target, and whether the target needs a role."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return None
    for (service, beginning), sender in SENDERS.items():
        if parts[2] == service and parts[5].startswith(beginning):
            return sender
    return None


def is_final(error: ServiceError) -> bool:
    """Whether another try is of no use: no such target, or no right to it (user guide, "dead-letter queues")."""
    words = ("NotFound", "NonExistent", "DoesNotExist", "AccessDenied")
    return error.status == 501 or any(word in error.code for word in words)


def fault() -> ServiceError:
    """What a delivery failed with when the local service itself is to blame: tried again, and in the end given up."""
    text = "An error of the local service; its log says which."
    return ServiceError(text, code="InternalFailure", status=500)


def send_dead_letter(call: Call, queue: str, text: str, attributes: Mapping[str, str]) -> None:
    """Sends what could not be delivered to a queue, with the reason as attributes of the message."""
    account, name = queue.split(":")[4:6]
    url = call("sqs:GetQueueUrl", {"QueueName": name, "QueueOwnerAWSAccountId": account})["QueueUrl"]
    values = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items() if value}
    call("sqs:SendMessage", {"QueueUrl": url, "MessageBody": text, "MessageAttributes": values})


def check_dead_letters(target: Target) -> None:
    """Refuses dead letters that go to anything but a standard queue."""
    arn = target.get("DeadLetterConfig", {}).get("Arn")
    if arn and not _QUEUE.fullmatch(arn):
        raise ValidationError(f"Parameter {arn} is not valid. Reason: Dead letters go to standard SQS queues only.")


def check_form(target: Target) -> None:
    """Refuses what is wrong with a target whatever else exists: an ARN that is none, a FIFO queue without a group."""
    arn = target["Arn"]
    if not arn.startswith("arn:"):
        raise ValidationError(f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.")
    if ":sqs:" in arn and arn.endswith(".fifo") and "SqsParameters" not in target:
        raise ValidationError(f"Parameter(s) SqsParameters must be specified for target: {target['Id']}.")


def check_target(target: Target) -> None:
    """Refuses targets that can't be sent to."""
    arn = target["Arn"]
    sender = sender_of(arn)
    if sender is None:
        raise ValidationError(f"LocalUnsupported: the target {arn} is not executed by the local service.")
    if sender[1] and not target.get("RoleArn"):
        raise ValidationError(f"RoleArn is required for target {arn}.")
