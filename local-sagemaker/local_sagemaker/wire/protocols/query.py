"""The AWS query protocol (IAM, STS, ...), as far as the wire needs it: its errors. Requests go to the neighbours."""

from __future__ import annotations

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.protocols.xml import escape
from local_sagemaker.wire.request import Answer, WireRequest


def error(error: ServiceError, _request: WireRequest, request_id: str) -> Answer:
    """``<ErrorResponse>`` as IAM and STS write it."""
    kind = "Sender" if error.status < 500 else "Receiver"
    text = (
        f"<ErrorResponse><Error><Type>{kind}</Type><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return Answer(error.status, {"Content-Type": "text/xml"}, text.encode("utf-8", "replace"))
