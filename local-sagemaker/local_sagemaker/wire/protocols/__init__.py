"""One module per AWS protocol, each with the same three functions: parse a request, write a response, an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.detect import Target
from local_sagemaker.wire.protocols import json, query, rest_json, rest_xml
from local_sagemaker.wire.request import WireRequest, WireResponse


class WireProtocol(Protocol):
    """What a protocol's module offers to the gateway."""

    def parse(self, request: WireRequest, target: Target) -> dict[str, Any]:
        """The members of the operation's input. Members that the model does not know are left out, as AWS does."""
        ...

    def respond(self, response: dict[str, Any], target: Target) -> WireResponse:
        """The operation's output as HTTP; the gateway adds the request's id."""
        ...

    def error(self, error: ServiceError, request: WireRequest, request_id: str, /) -> WireResponse:
        """An error in the protocol's form."""
        ...


PROTOCOLS: dict[str, WireProtocol] = {
    "json": json,
    "rest-json": rest_json,
    "rest-xml": rest_xml,
    "query": query,
}
"""By botocore's name of the protocol."""

ERRORS: dict[str, Callable[[ServiceError, WireRequest, str], WireResponse]] = {
    name: protocol.error for name, protocol in PROTOCOLS.items()
}
"""How an error is written, also for the services that moto serves."""
