"""Attributes of SQS queues: names and ranges of the API reference (CreateQueue), texts as recorded of AWS."""

from __future__ import annotations

from typing import Any

from local_sagemaker.json_text import load
from local_sagemaker.services.call_replay import is_replay

RANGES = {
    "DelaySeconds": (0, 900), "MaximumMessageSize": (1024, 1 << 20), "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20), "VisibilityTimeout": (0, 43_200),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
}  # fmt: skip
CHOICES = {
    "FifoQueue": ("true", "false"), "ContentBasedDeduplication": ("true", "false"),
    "SqsManagedSseEnabled": ("true", "false"), "DeduplicationScope": ("messageGroup", "queue"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
}  # fmt: skip
_DOCUMENTS = ("Policy", "RedrivePolicy", "RedriveAllowPolicy")
_NAMES = {*RANGES, *CHOICES, *_DOCUMENTS, "KmsMasterKeyId"}
NAME = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
_OF_FIFO = ("DeduplicationScope", "FifoThroughputLimit")


def install() -> None:
    """Has moto check them; done once."""
    from moto.sqs.exceptions import QueueAlreadyExists
    from moto.sqs.models import SQSBackend

    backend: Any = SQSBackend
    if hasattr(backend, "create_plainly"):
        return
    backend.create_plainly, backend.set_plainly = backend.create_queue, backend.set_queue_attributes
    backend.send_plainly = backend.send_message

    def create(own: Any, name: str, tags: dict[str, str] | None = None, **arguments: Any) -> Any:
        attributes = {key: value for key, value in arguments.items() if key != "region"}
        fifo = attributes.get("FifoQueue") == "true"
        _check(attributes, fifo=fifo, new=True)
        if name.endswith(".fifo") and not fifo and not is_replay():
            raise _refusal("InvalidParameterValue", NAME)
        try:
            return own.create_plainly(name, tags, **attributes)
        except QueueAlreadyExists as error:
            other = _first_difference(own, name, attributes)
            text = f"A queue already exists with the same name and a different value for attribute {other}"
            raise QueueAlreadyExists(text) from error

    def change(own: Any, name: str, attributes: dict[str, Any]) -> Any:
        queue = own.get_queue(name)
        _check(attributes, fifo=queue.fifo_queue, new=False)
        return own.set_plainly(name, {"Policy": queue.policy, **attributes})  # moto takes away one that is not given

    def send(own: Any, queue_name: str, message_body: str, *arguments: Any, **members: Any) -> Any:
        if not message_body:
            raise _refusal("MissingParameter", "The request must contain the parameter MessageBody.")
        return own.send_plainly(queue_name, message_body, *arguments, **members)

    backend.create_queue, backend.set_queue_attributes, backend.send_message = create, change, send


def _first_difference(backend: Any, name: str, attributes: dict[str, Any]) -> str:
    """The attribute that a queue has with another value; moto has rewritten the values of both."""
    from moto.sqs import models

    queue: Any = models.Queue
    present = backend.queues[name].attributes
    wanted = queue(name, region=backend.region_name, account_id=backend.account_id, **attributes).attributes
    differing = (key for key in attributes if _value(key, present.get(key)) != _value(key, wanted.get(key)))
    # Where only the text of a document is another, moto refuses it as well.
    return next(differing, next((key for key in _DOCUMENTS if key in attributes), next(iter(attributes))))


def _value(name: str, value: Any) -> Any:
    """What an attribute says, in whatever order a document's members are."""
    try:
        return load(value) if name in _DOCUMENTS and isinstance(value, str) else value
    except ValueError:
        return value


def _check(attributes: dict[str, Any], *, fifo: bool, new: bool) -> None:
    if is_replay():
        return
    for name, value in attributes.items():
        unknown = name not in _NAMES or (name == "ContentBasedDeduplication" and not fifo)
        if unknown or (name == "FifoQueue" and not new and not fifo):
            raise _refusal("InvalidAttributeName", f"Unknown Attribute {name}.")
        if name == "FifoQueue" and not new and value != "true":
            text = "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
            raise _refusal("InvalidAttributeValue", text)
        if name in _OF_FIFO and not fifo:
            text = f"You can specify the {name} only when FifoQueue is set to true."
            raise _refusal("InvalidAttributeName", text)
        if not _is_valid(name, value):
            raise _refusal("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def _refusal(code: str, text: str) -> Exception:
    from moto.sqs.exceptions import SQSException

    return SQSException(code, text)


def _is_valid(name: str, value: Any) -> bool:
    text = _text(value)
    if name in RANGES:
        least, most = RANGES[name]
        return text.isdecimal() and len(text) < 9 and least <= int(text) <= most
    if name in CHOICES:
        return text in CHOICES[name]
    return name not in _DOCUMENTS or text == "" or _is_object(text)


def _is_object(text: str) -> bool:
    try:
        return isinstance(load(text), dict)
    except ValueError:
        return False


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
