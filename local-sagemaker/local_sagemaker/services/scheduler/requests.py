"""The requests that schedules make: of the templated targets, and of any operation by a universal target."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.api import models
from local_sagemaker.api.operations import Call
from local_sagemaker.clock import iso
from local_sagemaker.json_text import JsonError, load
from local_sagemaker.records.store import Body
from local_sagemaker.services.events.targets import sender_of
from local_sagemaker.services.scheduler.store import SchedulerError

_UNIVERSAL = re.compile(r"arn:aws[\w-]*:scheduler:::aws-sdk:([a-z0-9]+):([a-zA-Z0-9]+)")
_NAMES = {"eventbridge": "events", "cloudwatchlogs": "logs", "sagemakerruntime": "sagemaker-runtime",
          "applicationautoscaling": "application-autoscaling",
          "codestarconnections": "codestar-connections"}  # fmt: skip
"""Services that universal targets call otherwise than botocore does."""
_READING = (
    "Get", "Describe", "List", "Poll", "Receive", "Search", "Scan", "Query", "Select", "Read", "Lookup", "Discover",
    "Validate", "BatchGet", "BatchDescribe", "BatchRead", "TransactGet", "AdminGet", "AdminList", "Retrieve",
)  # fmt: skip
"""Beginnings of operations that are no targets (user guide, "Using universal targets")."""
_JSON_ONLY = ("lambda", "events")
"""The services of templated targets whose Input must be JSON (API reference, Target)."""


def universal(arn: str) -> tuple[str, str] | None:
    """botocore's names of the service and the operation of a universal target."""
    match = _UNIVERSAL.fullmatch(arn)
    return (_NAMES.get(match[1], match[1]), match[2][:1].upper() + match[2][1:]) if match else None


def check_target(target: Mapping[str, Any], has: Callable[[str], bool]) -> None:
    """Refuses a target that can't be sent to. `has` says whether the service has an operation."""
    arn = target["Arn"]
    if not arn.startswith("arn:"):
        raise SchedulerError(f"Provided Arn is not in correct format: {arn}", code="ValidationException")
    called = universal(arn)
    if called is not None:
        _check_operation(arn, *called)
        if not has(":".join(called)):
            text = f"LocalUnsupported: the target {arn} is not executed by the local service."
            raise SchedulerError(text, code="ValidationException")
    elif sender_of(arn) is None:
        text = f"LocalUnsupported: the target {arn} is not executed by the local service."
        raise SchedulerError(text, code="ValidationException")
    elif ":event-bus/" in arn and "EventBridgeParameters" not in target:
        raise SchedulerError("EventBridgeParameters is required for an event bus.", code="ValidationException")
    if (called is not None or arn.split(":")[2] in _JSON_ONLY) and target.get("Input"):
        try:
            load(target["Input"])
        except JsonError as error:
            text = "JSON syntax error in input for the target"
            text = f"Invalid RequestJson provided. Reason {error}" if called else text
            raise SchedulerError(text, code="ValidationException") from error


def _check_operation(arn: str, service: str, operation: str) -> None:
    from botocore.exceptions import UnknownServiceError
    from botocore.model import OperationNotFoundError

    try:
        models.operation(service, operation)
    except (UnknownServiceError, OperationNotFoundError) as error:
        raise SchedulerError(f"{arn} is not a valid target.", code="ValidationException") from error
    if operation.startswith(_READING):
        raise SchedulerError(f"{arn.rpartition(':')[2]} API is not supported", code="ValidationException")


def send(call: Call, body: Body, fired: Body) -> Any:
    """Makes the request of a schedule that is due. Raises `ServiceError`."""
    target = body["Target"]
    text = _fill(target.get("Input", ""), body, fired)
    called = universal(target["Arn"])
    if called is not None:
        service, operation = called
        shape: Any = models.operation(service, operation).input_shape
        document = load(text) if text else {}
        return call(f"{service}:{operation}", fit(shape, document) if shape is not None else {})
    if "EventBridgeParameters" in target:
        entry = {"Source": target["EventBridgeParameters"]["Source"], "Detail": text or "{}",
                 "EventBusName": target["Arn"],
                 "DetailType": target["EventBridgeParameters"]["DetailType"]}  # fmt: skip
        return call("events:PutEvents", {"Entries": [entry]})
    sender = sender_of(target["Arn"])
    if sender is None:
        raise SchedulerError(f"No target {target['Arn']}.", code="ValidationException")
    return sender[0](call, target, text_of(body, fired))


def text_of(body: Body, fired: Body) -> str:
    """What a target receives: its Input, or an event."""
    return _fill(body["Target"].get("Input", ""), body, fired) or json.dumps(_event(body, fired))


def _event(body: Body, fired: Body) -> dict[str, Any]:
    """What a target without an Input receives."""
    return {
        "version": "0", "id": fired["id"], "detail-type": "Scheduled Event", "source": "aws.scheduler",
        "account": body["Arn"].split(":")[4], "time": iso(fired["time"])[:19] + "Z",
        "region": body["Arn"].split(":")[3], "resources": [body["Arn"]], "detail": "{}",
    }  # fmt: skip


def _fill(text: str, body: Body, fired: Body) -> str:
    """The text with the context attributes in their places."""
    values = {
        "schedule-arn": body["Arn"], "scheduled-time": iso(fired["time"])[:19] + "Z", "execution-id": fired["id"],
        "attempt-number": str(fired["tries"] + 1),
    }  # fmt: skip
    for name, value in values.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def fit(shape: Any, value: Any) -> Any:
    """A document of a universal target as its operation has it: members begin with a capital there."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = {name.lower(): name for name in shape.members}
        return {
            members.get(name.lower(), name): fit(shape.members[members[name.lower()]], part)
            if name.lower() in members else part
            for name, part in value.items()
        }  # fmt: skip
    if shape.type_name == "list" and isinstance(value, list):
        return [fit(shape.member, part) for part in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {name: fit(shape.value, part) for name, part in value.items()}
    if shape.type_name == "blob" and isinstance(value, str):
        return value.encode()
    return value
