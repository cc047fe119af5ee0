"""AWS::CloudFormation::CustomResource and Custom::NAME: what a function makes, or who listens to a topic.

See the user guide, "Custom resource request and response reference". Texts of failures are as seen on AWS where issues
of public repositories show them (aws-samples/aws-cdk-examples #561, #671; aws-samples/
aws-security-reference-architecture-examples #162); that of a long response, of no JSON and of a wrong id are known from
forums, others are chosen.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NoReturn

from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.parameters import as_text
from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import load
from local_sagemaker.services.cloudformation.custom_responses import PendingResponse
from local_sagemaker.services.cloudformation.handlers.handler import (
    Cancelled,
    DeploymentContext,
    Identity,
    Properties,
    UnnamedHandler,
)

LONGEST_RESPONSE = 4096
LONGEST_WAIT = 3600
"""Seconds, and the default of ServiceTimeout."""
LONGEST_ID = 1024
TICK = 0.1
"""Seconds between two looks at whether the stack's operation was given up."""


class ProviderStatus(StrEnum):
    """What a response says of its request."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class CustomResource(UnnamedHandler):
    """Sends a request to the provider, and waits for its response."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Requests it. From the request on there may be something to delete, by the response's id or one made here."""
        made = Identity(context.name(LONGEST_ID))
        with _failure_keeps(context):
            return _request_provider(context, {"RequestType": "Create"}, properties, made)

    def find(self, context: DeploymentContext, _properties: Properties) -> Identity:
        """Only its provider knows."""
        raise ServiceError(f"{context.logical} can't be looked for", code="NotFound", status=404)

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Requests the change. Another id in the response is another resource: the one before is deleted at the end."""
        if after["ServiceToken"] != before["ServiceToken"]:
            raise TemplateError("Modifying service token is not allowed.")
        request = {"RequestType": "Update", "PhysicalResourceId": identity.physical,
                   "OldResourceProperties": _texts(before)}  # fmt: skip
        return _request_provider(context, request, after, identity)

    def delete(self, context: DeploymentContext, identity: Identity, properties: Properties) -> None:
        """Requests its end."""
        _request_provider(
            context, {"RequestType": "Delete", "PhysicalResourceId": identity.physical}, properties, identity
        )


class _RefusedError(TemplateError):
    """The provider says that it failed; `physical` is the id in its response, "" for none."""

    def __init__(self, text: str, physical: str) -> None:
        super().__init__(text)
        self.physical = physical


@contextmanager
def _failure_keeps(context: DeploymentContext) -> Iterator[None]:
    """A failed creation that has an id is deleted by it."""
    try:
        yield
    except _RefusedError as error:
        if error.physical:
            context.keep(Identity(error.physical))
        raise


def _request_provider(
    context: DeploymentContext, request: Properties, properties: Properties, identity: Identity
) -> Identity:
    """What the provider made of a request, or the failure that it reports."""
    seconds, request_id = _timeout(properties), str(uuid.uuid4())
    with context.responses.expect(context.region, f"{context.stack_id}|{context.logical}|{request_id}") as pending:
        document = {
            **request, "ResponseURL": pending.url, "RequestId": request_id, "StackId": context.stack_id,
            "LogicalResourceId": context.logical, "ResourceType": context.kind,
            "ServiceToken": properties["ServiceToken"], "ResourceProperties": _texts(properties),
        }  # fmt: skip
        _send(context, str(properties["ServiceToken"]), json.dumps(document))
        if request["RequestType"] == "Create":
            context.keep(identity)
        _wait(context, pending, seconds, request_id)
    return _read(pending.body, request_id, identity)


def _send(context: DeploymentContext, token: str, text: str) -> None:
    if token.split(":")[2:3] == ["sns"]:
        subject = "AWS CloudFormation custom resource request"
        context.call("sns:Publish", {"TopicArn": token, "Subject": subject, "Message": text})
    else:
        request = {"FunctionName": token, "InvocationType": "Event", "Payload": text.encode()}
        context.call("lambda:Invoke", request)


def _wait(context: DeploymentContext, pending: PendingResponse, seconds: int, request_id: str) -> None:
    end = time.monotonic() + seconds
    while not pending.arrived.wait(TICK):
        if context.cancelled.is_set():
            raise Cancelled
        if time.monotonic() > end:
            raise TemplateError(
                "CloudFormation did not receive a response from your Custom Resource. Please check your logs for "
                f"requestId [{request_id}]. If you are using the Python cfn-response module, you may need to update "
                "your Lambda function code so that CloudFormation can attach the updated version."
            )


def _read(body: bytes, request_id: str, before: Identity) -> Identity:
    """The identity in a response. Raises `TemplateError` for a failure, and for what is no response."""
    if len(body) > LONGEST_RESPONSE:
        raise TemplateError("Response object is too long.")
    try:
        response = load(body)
    except ValueError as error:
        raise TemplateError(f"Invalid Json: {error}") from error
    if not isinstance(response, dict):
        _refuse("an object is expected")
    physical = response.get("PhysicalResourceId")
    if response.get("Status") == ProviderStatus.FAILED:
        text = f"Received response status [FAILED] from custom resource. Message returned: {response.get('Reason', '')}"
        raise _RefusedError(f"{text} (RequestId: {request_id})", physical if isinstance(physical, str) else "")
    if response.get("Status") != ProviderStatus.SUCCESS:
        _refuse("Status must be SUCCESS or FAILED")
    if not isinstance(physical, str) or not 0 < len(physical.encode()) <= LONGEST_ID:
        raise TemplateError("Invalid PhysicalResourceId")
    data = response.get("Data") or {}
    if not isinstance(data, dict):
        _refuse("Data must be an object")
    return Identity(physical, physical, {str(name): _value(value) for name, value in data.items()},
                    replaces=physical != before.physical)  # fmt: skip


def _refuse(what: str) -> NoReturn:
    raise TemplateError(f"Invalid Response object: {what}")


def _timeout(properties: Properties) -> int:
    text = as_text(properties.get("ServiceTimeout", LONGEST_WAIT))
    if not (text.isdecimal() and 1 <= int(text) <= LONGEST_WAIT):
        raise TemplateError(f"Property ServiceTimeout must be an integer from 1 to {LONGEST_WAIT}, not {text}")
    return int(text)


def _texts(value: Any) -> Any:
    """Properties as requests have them: numbers and booleans are texts."""
    if isinstance(value, dict):
        return {name: _texts(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_texts(part) for part in value]
    return value if value is None else as_text(value)


def _value(value: Any) -> Any:
    """A value of a response, as Fn::GetAtt gives it."""
    return [_value(part) for part in value] if isinstance(value, list) else as_text(value)
