"""What SNS refuses and moto takes. Texts as recorded of AWS, but that for unknown attributes of a new topic."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from local_sagemaker.json_text import load
from local_sagemaker.services.call_replay import is_replay

_ATTRIBUTES = frozenset((
    "ApplicationFailureFeedbackRoleArn", "ApplicationSuccessFeedbackRoleArn", "ApplicationSuccessFeedbackSampleRate",
    "ArchivePolicy", "ContentBasedDeduplication", "DataProtectionPolicy", "DeliveryPolicy", "DisplayName",
    "FifoThroughputScope", "FirehoseFailureFeedbackRoleArn", "FirehoseSuccessFeedbackRoleArn",
    "FirehoseSuccessFeedbackSampleRate", "HTTPFailureFeedbackRoleArn", "HTTPSuccessFeedbackRoleArn",
    "HTTPSuccessFeedbackSampleRate", "KmsMasterKeyId", "LambdaFailureFeedbackRoleArn", "LambdaSuccessFeedbackRoleArn",
    "LambdaSuccessFeedbackSampleRate", "Policy", "SQSFailureFeedbackRoleArn", "SQSSuccessFeedbackRoleArn",
    "SQSSuccessFeedbackSampleRate", "SignatureVersion", "TracingConfig",
))  # fmt: skip
"""API reference, CreateTopic and SetTopicAttributes; `FifoTopic` is for new topics only."""
_PROTOCOLS = ("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose")


def install() -> None:
    """Has moto refuse it; done once."""
    from moto.sns.responses import SNSResponse

    response: Any = SNSResponse
    if hasattr(response, "checks_requests"):
        return
    response.checks_requests = True
    for name, check in _CHECKS.items():
        setattr(response, name, _with(check, getattr(response, name)))


def _with(check: Callable[[Any], None], plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @wraps(plain)
    def checked(response: Any) -> Any:
        if not is_replay():
            check(response)
        return plain(response)

    return checked


def _refusal(text: str) -> Exception:
    from moto.sns.exceptions import SNSInvalidParameter

    return SNSInvalidParameter(f"Invalid parameter: {text}")


def _check_new_topic(response: Any) -> None:
    attributes, tags = response._get_attributes() or {}, response._get_tags() or {}
    for name in attributes:
        if name not in _ATTRIBUTES and name != "FifoTopic":
            raise _refusal(f"Attributes Reason: Unknown attribute {name}")
    _check_tags(response)
    name = response._get_param("Name")
    topic = next((topic for topic in response.backend.topics.values() if topic.name == name), None)
    if topic is not None and not tags.items() <= topic._tags.items():
        raise _refusal("Tags Reason: Topic already exists with different tags")


def _check_tags(response: Any) -> None:
    keys = [tag["Key"] for tag in response._get_param("Tags") or []]
    if len(set(keys)) < len(keys):
        raise _refusal("Duplicated keys are not allowed.")


def _check_change(response: Any) -> None:
    name, value = response._get_param("AttributeName"), response._get_param("AttributeValue")
    if name not in _ATTRIBUTES:
        raise _refusal("AttributeName")
    if name == "Policy" and value:
        try:
            document = load(value)
        except ValueError as error:
            raise _refusal("Policy") from error
        if not isinstance(document, dict) or not document.get("Statement"):
            raise _refusal("Policy")


def _check_message(response: Any) -> None:
    arn = response._get_param("TargetArn") or response._get_param("TopicArn")
    message, subject = response._get_param("Message"), response._get_param("Subject")
    if arn is None and response._get_param("PhoneNumber") is None:
        raise _refusal("TopicArn or TargetArn Reason: no value for required parameter")
    parts = len(arn.split(":")) if arn is not None else 6
    if parts < 6:
        raise _refusal(f"TopicArn Reason: An ARN must have at least 6 elements, not {parts}")
    if not message:
        raise _refusal("Empty message")
    if subject == "":
        raise _refusal("Subject")
    if response._get_param("MessageStructure") == "json":
        _check_structure(message)


def _check_structure(message: str) -> None:
    try:
        parsed = load(message)
    except ValueError as error:
        raise _refusal("Message Structure - JSON message body failed to parse") from error
    if not isinstance(parsed, dict) or "default" not in parsed:
        raise _refusal("Message Structure - No default entry in JSON message body")


def _check_subscription(response: Any) -> None:
    protocol = response._get_param("Protocol")
    if protocol not in _PROTOCOLS:
        raise _refusal(f"Amazon SNS does not support this protocol string: {protocol}")


_CHECKS: dict[str, Callable[[Any], None]] = {
    "create_topic": _check_new_topic, "tag_resource": _check_tags, "set_topic_attributes": _check_change,
    "publish": _check_message, "subscribe": _check_subscription,
}  # fmt: skip
