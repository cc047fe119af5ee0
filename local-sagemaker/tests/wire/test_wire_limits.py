"""What clients can't do to the gateway: send without end, be silent, hold memory, keep others out."""

from __future__ import annotations

import hashlib
import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local_sagemaker.wire.connections import HEAD, BoundedProtocol
from tests.wire.conftest import Table
from tests.wire.serving import Served, serving

CHUNKED = b"PUT /b/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


class Impatient(BoundedProtocol):
    """Does not wait for long, so that a test need not."""

    head_seconds, body_seconds = 0.8, 0.8


@pytest.fixture(scope="module")
def impatient(table: Table, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(table.handlers(), tmp_path_factory.mktemp("home"), protocol=Impatient) as running:
        yield running


def signed(
    served: Served, service: str, method: str, path: str, body: bytes = b"", secret: str = "", **given: str
) -> bytes:
    """The bytes of a signed request without its body; a header in `given` has underscores for dashes."""
    keys = Credentials(served.credentials.access_key_id, secret or served.credentials.secret_access_key)
    headers = {name.replace("_", "-"): value for name, value in given.items()}
    length = headers.pop("content-length", str(len(body)))
    request = AWSRequest(method, served.url + path, headers=headers, data=body)
    (S3SigV4Auth if service == "s3" else SigV4Auth)(keys, service, "us-east-1").add_auth(request)
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{served.port}", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def connected(served: Served) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=20)


def answered(connection: socket.socket) -> tuple[int, bytes]:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.status, answer.getheader("x-amzn-ErrorType", "").encode() + answer.read()


def upload_headers(served: Served, size: int) -> bytes:
    return signed(
        served, "s3", "PUT", "/bbb/k", content_length=str(size), x_amz_content_sha256="UNSIGNED-PAYLOAD"
    )  # fmt: skip


def test_silent_clients_hold_up_nobody_and_are_told(impatient: Served) -> None:
    with ExitStack() as stack:
        stalled = [stack.enter_context(closing(connected(impatient))) for _ in range(600)]
        for number, connection in enumerate(stalled):
            connection.sendall(upload_headers(impatient, 3 << 20 if number % 2 else 3000) + b"x" * 100)
        started = time.monotonic()
        assert b"running" in health(impatient)
        impatient.client("sagemaker").describe_pipeline(PipelineName="p")
        assert time.monotonic() - started < 15
        for connection in stalled[:2]:
            status, body = answered(connection)
            assert status == 400
            assert b"<Code>RequestTimeout</Code>" in body
            assert connection.recv(10) == b""


def health(served: Served) -> bytes:
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)) as connection:
        connection.request("GET", "/_health")
        return connection.getresponse().read()


@pytest.mark.parametrize("begun", [b"", b"GET /a", b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b"])
def test_clients_that_do_not_finish_their_headers_are_cut_off(impatient: Served, begun: bytes) -> None:
    with closing(connected(impatient)) as connection:
        connection.sendall(begun)
        assert answered(connection)[0] == 408
        assert connection.recv(10) == b""


def test_a_body_for_another_service_that_stops_is_told_in_its_form(impatient: Served) -> None:
    head = signed(impatient, "sagemaker", "POST", "/", x_amz_target="SageMaker.DescribePipeline", content_length="500")
    with closing(connected(impatient)) as connection:
        connection.sendall(head + b'{"PipelineName":')
        status, body = answered(connection)
    assert (status, b'"__type": "RequestTimeout"' in body) == (400, True)


def test_slow_clients_are_waited_for(impatient: Served, table: Table) -> None:
    """Each piece begins the time anew."""
    with closing(connected(impatient)) as connection:
        connection.sendall(signed(impatient, "s3", "PUT", "/bbb/k", b"x" * 8))
        for _ in range(8):
            time.sleep(0.3)  # the pace of the client
            connection.sendall(b"x")
        assert answered(connection)[0] == 200
    assert table.got["put"]["size"] == 8


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"GET /", b"a" * 65536),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ", b"a" * 65536),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X-A: b\r\n" * 8192),
        (
            b"PUT /b/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-A: ",
            b"a" * 65536,
        ),
        (b"PUT /b/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"a" * 65536),
    ],
)
def test_what_is_no_body_has_an_end(served: Served, first: bytes, piece: bytes) -> None:
    sent = 0
    with closing(connected(served)) as connection:
        try:
            connection.sendall(first)
            while sent < 64 << 20:
                connection.sendall(piece)
                sent += len(piece)
        except OSError:
            pass  # it was cut off
    assert sent < 16 << 20


def test_heads_up_to_the_limit_are_read_wherever_they_are_cut(served: Served) -> None:
    head = b"GET /_health HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * (HEAD - 200) + b"\r\n\r\n"
    with closing(connected(served)) as connection:
        for start in range(0, len(head), 1500):
            connection.sendall(head[start : start + 1500])
        assert answered(connection)[0] == 200
    with closing(connected(served)) as connection:
        connection.sendall(head.replace(b"aa", b"aa" * 2))
        assert answered(connection)[0] == 431


def test_s3_takes_eight_kilobytes_of_headers(served: Served) -> None:
    client = served.client("s3")
    with pytest.raises(ClientError, match="RequestHeaderSectionTooLarge"):
        client.put_object(Bucket="bbb", Key="k", Body=b"x", Metadata={"a": "x" * 8000})


@pytest.mark.parametrize(
    ("service", "size", "secret", "expected"),
    [
        ("sagemaker", 250 << 20, "wrong", (413, b"RequestEntityTooLarge")),
        ("sagemaker", 250 << 20, "", (413, b"RequestEntityTooLarge")),
        ("lambda", 71 << 20, "", (413, b"RequestEntityTooLargeException")),
        ("lambda", 5 << 20, "wrong", (403, b"InvalidSignatureException")),
        ("s3", 250 << 20, "wrong", (403, b"SignatureDoesNotMatch")),
    ],
)
def test_large_bodies_are_bounded_or_refused_unread(
    served: Served, service: str, size: int, secret: str, expected: tuple[int, bytes]
) -> None:
    """The client can send all of it, and reads the answer."""
    path = {"sagemaker": "/", "s3": "/bbb/k"}.get(service, "/2015-03-31/functions")
    given: dict[str, Any] = {"x_amz_target": "SageMaker.DescribePipeline"} if service == "sagemaker" else {}
    if service == "s3":
        given["x_amz_content_sha256"] = hashlib.sha256(b"").hexdigest()
    head = signed(
        served, service, "PUT" if service == "s3" else "POST", path, secret=secret, content_length=str(size), **given
    )
    piece = bytes(1 << 20)
    with closing(connected(served)) as connection:
        connection.sendall(head)
        for _ in range(size >> 20):
            connection.sendall(piece)
        status, body = answered(connection)
    assert (status, expected[1] in body) == (expected[0], True)


def test_unknown_keys_are_refused_before_a_large_body(served: Served) -> None:
    head = signed(served, "lambda", "POST", "/2015-03-31/functions", content_length=str(50 << 20))
    head = head.replace(served.credentials.access_key_id.encode(), b"AKIAOTHER")
    with closing(connected(served)) as connection:
        connection.sendall(head.replace(b"Host:", b"Expect: 100-continue\r\nHost:"))
        status, body = answered(connection)
    assert (status, b"The security token included" in body) == (403, True)


def test_documents_together_are_bounded(table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local_sagemaker.wire.incoming_body.MEMORY", 1 << 20)
    with serving(table.handlers(), tmp_path) as served, ExitStack() as stack:
        given = {"x_amz_target": "SageMaker.DescribePipeline", "content_length": str(900 << 10)}
        first, second = (stack.enter_context(closing(connected(served))) for _ in range(2))
        for connection in (first, second):
            connection.sendall(signed(served, "sagemaker", "POST", "/", **given) + b" " * (600 << 10))
        status, body = answered(second) if _readable(second) else answered(first)
        assert (status, b"SlowDown" in body) == (503, True)
        served.client("sagemaker").describe_pipeline(PipelineName="p")


def _readable(connection: socket.socket) -> bool:
    connection.settimeout(3)
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except TimeoutError:
        return False
    finally:
        connection.settimeout(20)
