"""Requests as bytes, signed with the keys of a service on this machine."""

from __future__ import annotations

import json

from tests.hostile.malformed import Connection
from tests.hostile.signing import HttpRequest, Signer
from tests.support import Service


def keys_of(service: Service) -> tuple[str, str]:
    kept = json.loads(service.settings.credentials_file.read_text())
    return kept["access_key_id"], kept["secret_access_key"]


def sent(service: Service, request: HttpRequest, *, signed: bool = True) -> tuple[int, bytes]:
    """Status and body of the answer."""
    port = service.description["port"]
    if signed:
        Signer(*keys_of(service)).sign(request, f"127.0.0.1:{port}")
    else:
        request.headers |= {"host": f"127.0.0.1:{port}", "content-length": str(len(request.body))}
    connection = Connection(port)
    fault, status, body, _ = connection.exchange(request)
    connection.close()
    assert not fault, f"{fault} {body[:500]!r}"
    return status, body


def json_request(operation: str, body: bytes) -> HttpRequest:
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": f"SageMaker.{operation}"}
    return HttpRequest("sagemaker", "POST", "/", headers=headers, body=body)
