"""The spine's way to the services that moto serves: botocore's serialiser, moto, botocore's parser.

`call("sqs:SendMessage", {...})` does what a client's request does, the journal of changes included. Times are seconds
since the epoch, as everywhere on the spine. It may wait for another change of these services, which writes records:
never call it inside a transaction of records.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from local_sagemaker.api import models
from local_sagemaker.api.operations import Request, Response
from local_sagemaker.api.validation import check
from local_sagemaker.errors import NotSupported, ServiceError
from local_sagemaker.http import RawRequest, RawResponse
from local_sagemaker.services.moto_services.moto_application import SERVICES

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from botocore.parsers import ResponseParser

Responder = Callable[[str, RawRequest], RawResponse]
"""The response of a service, by the name it has in signatures."""


class MotoCalls:
    """A `Call` in one region. `respond` is that of `MotoServices`."""

    def __init__(self, respond: Responder, region: str) -> None:
        self._respond, self._region = respond, region

    def __call__(self, name: str, request: Request) -> Response:
        """Validates and executes. Raises `NotSupported` for a service that neither the table nor moto has."""
        operation = _operation(name)
        signing_name = str(operation.service_model.signing_name)
        check(name, request)
        response = self._respond(signing_name, _serialise(operation, request, self._region))
        return _parse(operation, response, name)


def is_of_moto(name: str) -> bool:
    """Whether an operation is of a service that moto serves."""
    return models.model(name.partition(":")[0]).signing_name in SERVICES


def _operation(name: str) -> OperationModel:
    from botocore.exceptions import UnknownServiceError
    from botocore.model import OperationNotFoundError

    service, _, operation_name = name.partition(":")
    try:
        operation = models.operation(service, operation_name)
    except (UnknownServiceError, OperationNotFoundError) as error:
        raise NotSupported(f"{name} is no operation of AWS.") from error
    if operation.service_model.signing_name not in SERVICES:
        raise NotSupported(f"{name} is not supported by the local service.")
    return operation


def _serialise(operation: OperationModel, request: Request, region: str) -> RawRequest:
    """The request as an SDK would send it."""
    from botocore.awsrequest import create_request_object, prepare_request_dict
    from botocore.serialize import create_serializer

    service = operation.service_model
    serializer = create_serializer(service.resolved_protocol, include_validation=False)
    described: dict[str, Any] = serializer.serialize_to_request(request, operation)
    host = f"{service.endpoint_prefix}.{region}.amazonaws.com"
    prepare_request_dict(described, f"https://{host}")
    prepared = create_request_object(described).prepare()
    credential = f"Credential=local/20200101/{region}/{service.signing_name}/aws4_request"
    headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
    headers["host"] = host
    headers["authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"
    address = urlsplit(prepared.url)
    body = prepared.body or b""
    return RawRequest(
        prepared.method, address.path, address.query, headers, body.encode() if isinstance(body, str) else body
    )


def _parse(operation: OperationModel, response: RawResponse, name: str) -> Response:
    """The members of the response. Raises ServiceError with the service's own code and message."""
    from botocore.awsrequest import HeadersDict

    if response.status == 501:
        raise NotSupported(f"{name} is not supported by the local service.")
    raw = {"status_code": response.status, "headers": HeadersDict(response.headers), "body": response.body}
    shape: Any = operation.output_shape  # may be None, which the stubs do not say
    parsed = _parser(operation.service_model.resolved_protocol).parse(raw, shape)
    parsed.pop("ResponseMetadata", None)
    if response.status >= 300:
        error = parsed.get("Error", {})
        raise ServiceError(error.get("Message", ""), code=error.get("Code") or None, status=response.status)
    return parsed


@lru_cache
def _parser(protocol: str) -> ResponseParser:
    from botocore.parsers import ResponseParserFactory
    from botocore.utils import parse_timestamp

    factory = ResponseParserFactory()
    factory.set_parser_defaults(timestamp_parser=lambda value: parse_timestamp(value).timestamp())
    return factory.create_parser(protocol)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
