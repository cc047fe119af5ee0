"""The service's own verbs are for whoever holds its key, and nobody's requests keep it from serving others."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.hostile.signing import HttpRequest, Signer
from tests.integration.raw_requests import json_request, keys_of, sent
from tests.support import Service


def control(service: Service, verb: str, **headers: str) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", service.description["port"], timeout=20)) as connection:
        connection.putrequest("POST", f"/_local-sagemaker/{verb}", skip_host="host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value.encode("latin-1"))
        connection.endheaders()
        return connection.getresponse().status


def test_control_verbs_need_the_key_and_an_own_host(service: Service) -> None:
    secret = keys_of(service)[1]
    assert control(service, "status", x_secret=secret) == 200
    assert control(service, "status", x_secret=secret, host="localhost:1") == 200
    assert control(service, "status", x_secret="\xff") == 403
    assert control(service, "status", x_secret="") == 403
    assert control(service, "status", x_secret=secret, host="evil.example") == 403
    assert control(service, "status", x_secret=secret, host="s3.amazonaws.com") == 403
    assert control(service, "nothing", x_secret=secret) == 404


@pytest.mark.parametrize(
    "query",
    [
        "status?x=1", "reset?nope=1", "clock?x=1", "monitor-run", "monitor-execution?region=us-east-1",
        "approvals?address=a", "approval-result?address=a", "studio?to=a", "run-in-foreground?job=j",
        "monitors?region=../../x", "approvals?region=" + "a" * 3000, "monitors?region=%00", "clock?to=%C2%B2",
    ],
)  # fmt: skip
def test_control_verbs_refuse_parameters_that_are_none(service: Service, query: str) -> None:
    verb, _, pairs = query.partition("?")
    request = HttpRequest(
        "control", "POST", f"/_local-sagemaker/{verb}", [pairs.partition("=")[::2]] if pairs else [],
        {"x-secret": keys_of(service)[1]},
    )  # fmt: skip
    status, body = sent(service, request, signed=False)
    assert (status, list(json.loads(body))) == (400, ["message"])


@pytest.mark.slow
def test_nobody_can_stop_the_service(own_service: Service) -> None:
    """Stalled uploads, endless heads, huge documents with a wrong signature; meanwhile all others are served."""
    own_service.client("s3").create_bucket(Bucket="refusals")
    found, signer = own_service.description, Signer(*keys_of(own_service))
    host, most = f"127.0.0.1:{found['port']}", [0]
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(found["pid"], most, ended))
    watch.start()
    with ExitStack() as stack:
        for number in range(400):
            stalled = HttpRequest("s3", "PUT", f"/refusals/{number}")
            stalled.headers["content-length"] = str(5 << 20)
            signer.sign(stalled, host)
            stack.enter_context(_opened(found["port"])).sendall(stalled.encoded() + b"x" * 1000)
        senders = [
            *(threading.Thread(target=_send_document, args=(found["port"], signer, host)) for _ in range(4)),
            *(threading.Thread(target=_send_without_end, args=(found["port"], begun)) for begun in
              (b"GET /", b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ")),
        ]  # fmt: skip
        for sender in senders:
            sender.start()
        for _ in range(5):
            started = time.monotonic()
            assert b"running" in _health(found["port"])
            own_service.client("sagemaker").list_pipelines()
            own_service.client("s3").put_object(Bucket="refusals", Key="k", Body=os.urandom(3 << 20))
            assert control(own_service, "status", x_secret=keys_of(own_service)[1]) == 200
            assert time.monotonic() - started < 15
        for sender in senders:
            sender.join()
    ended.set()
    watch.join()
    assert most[0] < 600 << 20, f"the service held {most[0] >> 20} MiB"


def _watch(pid: int, most: list[int], ended: threading.Event) -> None:
    while not ended.wait(0.05):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        most[0] = max(most[0], pages * os.sysconf("SC_PAGE_SIZE"))


def _opened(port: int) -> Any:
    return closing(socket.create_connection(("127.0.0.1", port), timeout=60))


def _health(port: int) -> bytes:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", "/_health")
        return connection.getresponse().read()


def _send_document(port: int, signer: Signer, host: str) -> None:
    """250 MB of JSON, with a wrong signature."""
    request = json_request("CreateModel", b"")
    request.headers["content-length"] = str(250 << 20)
    Signer(signer.key_id, "wrong").sign(request, host)
    with _opened(port) as connection:
        try:
            connection.sendall(request.encoded())
            for _ in range(250):
                connection.sendall(b" " * (1 << 20))
        except OSError:
            return  # cut off


def _send_without_end(port: int, begun: bytes) -> None:
    with _opened(port) as connection:
        try:
            connection.sendall(begun)
            for _ in range(200):
                connection.sendall(quote("é").encode() * 30_000)
        except OSError:
            return
