"""A short run of the campaign of malformed requests, for every change; `make check-hostile` is the long one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.hostile import malformed
from tests.hostile.hostile_world import make_world
from tests.hostile.operations import operations
from tests.hostile.requests import Requests
from tests.hostile.signing import Signer
from tests.support import Service


@pytest.mark.slow
def test_no_malformed_request_breaks_the_service(own_service: Service) -> None:
    """Operations of its own services first; then moto's, and the doors that are no operations."""
    api = make_world(own_service)
    for count, shares in ((6000, (100, 0, 0)), (600, (0, 30, 70))):
        summary = malformed.run(own_service, count, seed=20261129, api=api, shares=shares)
        assert not summary.findings, f"{summary}\n" + "\n".join(map(str, summary.findings[:5]))
        assert summary.sent == count
    assert malformed.unreadable(own_service) == []


@pytest.mark.slow
@pytest.mark.parametrize("full", [False, True])
def test_what_the_model_allows_is_accepted_or_refused_in_words(own_service: Service, full: bool) -> None:
    """The smallest request that each operation's model allows, and one with nearly everything it allows."""
    make_world(own_service)
    found: dict[str, Any] = own_service.description
    keys = json.loads(own_service.settings.credentials_file.read_text())
    signer = Signer(keys["access_key_id"], keys["secret_access_key"])
    requests, connection = Requests(operations(), seed=5), malformed.Connection(found["port"])
    faults = []
    for name in operations():
        for _ in range(5):
            request = requests.right(name, full=full)
            signer.sign(request, f"127.0.0.1:{found['port']}")
            fault, status, answer, _ = connection.exchange(request)
            if fault or _is_missing(name, status, answer) or b"SerializationException" in answer:
                faults.append(f"{fault or status} {malformed.Finding(fault, request, answer)}")
    connection.close()
    assert not faults, "\n".join(faults[:10])


def _is_missing(name: str, status: int, answer: bytes) -> bool:
    """Whether there is no such operation; members may be refused with 501, by their names."""
    text = f"{name} is not supported by the local service".encode()
    return status == 501 and (text in answer or b"is not supported by the local service" not in answer)
