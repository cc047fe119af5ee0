"""What an asynchronous endpoint publishes when an invocation has ended (NotificationConfig).

Members and their order are those of messages that AWS sent (Developer Guide, "Check prediction results", and messages
that public Lambda functions quote as what they got).
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.endpoints.errors import ModelError
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.own_members import own_invocation

_LARGEST = 128 << 10
"""Bytes of a response that IncludeInferenceResponseIn puts into the message (API reference)."""
log = logging.getLogger(__name__)


class Notifications:
    """Notifies the topics of a NotificationConfig about invocations that have ended."""

    def __init__(self, region: str, call: Call) -> None:
        self._region, self._call = region, call

    def notify_success(
        self, config: Mapping[str, Any], queued: Mapping[str, Any], response: Mapping[str, Any], moment: float
    ) -> None:
        """The response is in S3."""
        if "SuccessTopic" not in config:
            return
        message = self._message(queued, "Completed", moment)
        message["responseParameters"] = {
            "contentType": response.get("ContentType", ""), "outputLocation": queued["OutputLocation"],
        }  # fmt: skip
        body = bytes(response["Body"])
        if _includes_response(config, "SUCCESS_NOTIFICATION_TOPIC") and len(body) <= _LARGEST:
            content = base64.b64encode(body).decode()
            message["responseBody"] = {"content": content, "message": "", "encoding": "BASE64"}
        self._send(config["SuccessTopic"], {**message, **_common_members(queued)})

    def notify_failure(
        self, config: Mapping[str, Any], queued: Mapping[str, Any], error: ServiceError, moment: float
    ) -> None:
        """There is no response, and this is why."""
        if "ErrorTopic" not in config:
            return
        message = self._message(queued, "Failed", moment)
        message = _before(message, "requestParameters", {"failureReason": _reason(error)})
        if "FailureLocation" in queued:
            message["responseParameters"] = {"outputLocation": queued["FailureLocation"]}
        if _includes_response(config, "ERROR_NOTIFICATION_TOPIC") and isinstance(error, ModelError):
            message["responseBody"] = {"content": error.detail["OriginalMessage"], "message": error.message}
        self._send(config["ErrorTopic"], {**message, **_common_members(queued)})

    def _message(self, queued: Mapping[str, Any], status: str, moment: float) -> dict[str, Any]:
        parameters = {
            "accept": queued.get("Accept"),
            "contentType": queued.get("ContentType"),
            "customAttributes": queued.get("CustomAttributes"),
            "endpointName": queued["EndpointName"],
            "inputLocation": queued.get("InputLocation"),
        }
        return {
            "awsRegion": self._region,
            "eventTime": _time(moment),
            "receivedTime": _time(own_invocation(queued)["_received"]),
            "invocationStatus": status,
            "requestParameters": {name: value for name, value in parameters.items() if value is not None},
        }

    def _send(self, topic: str, message: Mapping[str, Any]) -> None:
        text = json.dumps(message, separators=(",", ":"))
        try:
            self._call("sns:Publish", {"TopicArn": topic, "Message": text})
        except ServiceError as error:  # a notification that cannot be sent changes nothing of the invocation
            log.warning("a notification to %s was refused: %s: %s", topic, error.code, error.message)


def _common_members(queued: Mapping[str, Any]) -> dict[str, str]:
    return {
        "inferenceId": queued["InferenceId"],
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def _before(message: dict[str, Any], name: str, more: dict[str, Any]) -> dict[str, Any]:
    """The message with further members in front of one of its own."""
    ordered: dict[str, Any] = {}
    for member, value in message.items():
        ordered.update(more if member == name else {})
        ordered[member] = value
    return ordered


def _includes_response(config: Mapping[str, Any], topic: str) -> bool:
    return topic in config.get("IncludeInferenceResponseIn", ())


def _reason(error: ServiceError) -> str:
    """AWS's words for a container's error (quoted by osml-model-runner); other errors speak for themselves."""
    if not isinstance(error, ModelError):
        return f"ClientError: {error.message}"
    status = error.detail["OriginalStatusCode"]
    side = "client" if 400 <= status < 500 else "server"
    return (
        f"ClientError: Received {side} error ({status}) from model. See the SageMaker Endpoint logs in your account "
        "for more information."
    )


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
