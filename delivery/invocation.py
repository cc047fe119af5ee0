"""Invokes an endpoint with a row, a file or any bytes; the model's response comes back as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from delivery.clients import Clients
from delivery.endpoints import list_endpoints, state
from delivery.errors import DeliveryError, not_found

CSV = "text/csv"
LARGEST_BODY = 6_291_456  # bytes (InvokeEndpoint, limits of real-time inference)


@dataclass(frozen=True)
class InvocationResponse:
    body: bytes
    content_type: str
    variant: str


def invoke(
    clients: Clients,
    endpoint: str,
    body: bytes,
    content_type: str = CSV,
    accept: str | None = None,
    target_model: str | None = None,
    target_variant: str | None = None,
) -> InvocationResponse:
    """The endpoint's response.

    :param target_model: the archive of a multi-model endpoint, such as model-0.tar.gz.
    :raises DeliveryError: if there is no such endpoint, it is not in service, or the model refuses the body.
    """
    if len(body) > LARGEST_BODY:
        raise DeliveryError(f"{len(body)} bytes are more than the {LARGEST_BODY} that an endpoint takes at once")
    optional = {"Accept": accept, "TargetModel": target_model, "TargetVariant": target_variant}
    request = {name: value for name, value in optional.items() if value}
    try:
        response = clients.runtime.invoke_endpoint(
            EndpointName=endpoint, Body=body, ContentType=content_type, **request
        )
    except ClientError as error:
        raise _explain(clients, endpoint, error) from error
    return InvocationResponse(
        response["Body"].read(), response.get("ContentType", ""), response.get("InvokedProductionVariant", "")
    )


def _explain(clients: Clients, endpoint: str, error: ClientError) -> Exception:
    response: Any = error.response
    if response["Error"]["Code"] == "ModelError":
        said = str(response.get("OriginalMessage") or response["Error"]["Message"]).strip()
        return DeliveryError(f"the model returned status {response.get('OriginalStatusCode', '?')}: {said}")
    current = state(clients, endpoint)
    if current is None:
        return not_found("endpoint", endpoint, list_endpoints(clients))
    if current.status not in ("InService", "Updating", "SystemUpdating", "RollingBack"):
        return DeliveryError(f"the endpoint {endpoint} is {current.status}, and serves only once it is InService")
    return DeliveryError(response["Error"]["Message"])
