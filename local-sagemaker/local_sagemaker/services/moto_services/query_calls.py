"""Calls of the service itself to neighbours that speak the query protocol, as any client would make them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from local_sagemaker.http import RawRequest, RawResponse

Ask = Callable[[str, RawRequest], RawResponse]
"""`Neighbours.answer`."""


def query(ask: Ask, service: str, version: str, region: str, action: str, parameters: Mapping[str, str]) -> RawResponse:
    """Sends one operation of a service, by its signing name and the version of its API."""
    body = urlencode({"Action": action, "Version": version, **parameters}).encode()
    credential = f"Credential=local/20200101/{region}/{service}/aws4_request"
    headers = {
        "host": f"{service}.{region}.amazonaws.com",
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0",
    }
    return ask(service, RawRequest("POST", "/", "", headers, body))


def flatten(path: str, value: Any, into: dict[str, str]) -> None:
    """The query protocol's names of a structure's parts."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            flatten(f"{path}.{name}", part, into)
    elif isinstance(value, list):
        for number, part in enumerate(value, 1):
            flatten(f"{path}.member.{number}", part, into)
    elif path.endswith(".Timestamp"):
        into[path] = datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    else:
        into[path] = str(value)
