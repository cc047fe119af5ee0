"""The campaign of malformed requests: sends them, and says which ones the service did not answer as it should.

They go to the operations of the service's own services, to those of moto's, and to the doors that are no operations.
What must hold of each: an answer within `PATIENCE`, no status of 500 or above but 501 (an operation that is not here),
an error that names its code, a body that can be read. Of the service: its memory stays bounded, it stays alive, and
what it keeps can still be listed by boto3.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import unquote

from botocore.exceptions import ClientError

from tests.hostile.doors import API, CONTROL, GIT, STUDIO, Doors, neighbour_operations
from tests.hostile.operations import operations
from tests.hostile.requests import Requests
from tests.hostile.signing import HttpRequest, Signer
from tests.support import Service

PATIENCE = 30.0
MEMORY = 700 << 20
"""Bytes that the service may hold at any time; it has some 150 MB with moto loaded."""
WORKERS = 4
SHARES = (70, 12, 18)
"""How many of a hundred requests are for the service's own operations, for those of moto, and for other doors."""
BROKEN_API = {"message": "Internal server error"}
"""What an API answers, here as on AWS, whose function or integration an earlier request has deleted or changed."""
_LOGGED = re.compile(r"\d{4}-\d\d-\d\d[ T]")
_TRACED = 6
"""Lines of a traceback that a finding shows."""
_UNCODED = (STUDIO, GIT, API, CONTROL)
"""Doors whose errors are pages or words of their own."""


@dataclass
class Finding:
    """A request with what is wrong about its answer."""

    fault: str
    request: HttpRequest
    answer: bytes = b""

    def __str__(self) -> str:
        sent = self.request.encoded()
        return f"{self.fault}: {self.request.operation}\n  sent {sent[:1500]!r}\n  got  {self.answer[:400]!r}"


@dataclass
class Summary:
    """What a campaign saw. `statuses` counts answers, `memory` is the most that the service held (bytes)."""

    statuses: Counter[int] = field(default_factory=Counter)
    services: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    memory: int = 0
    slowest: float = 0.0
    seconds: float = 0.0

    @property
    def sent(self) -> int:
        """How many requests were answered."""
        return sum(self.statuses.values())

    def __str__(self) -> str:
        statuses = ", ".join(f"{count} x {status}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.sent} requests in {self.seconds:.0f} s, slowest {self.slowest:.1f} s, memory at most "
            f"{self.memory >> 20} MiB, {len(self.findings)} wrong\n  {statuses}\n  "
            + ", ".join(f"{count} to {name}" for name, count in self.services.most_common())
        )


class Mixture:
    """A seeded series over all doors; `sign` signs what is signed as AWS does."""

    def __init__(self, service: Service, seed: int, api: str, shares: tuple[int, ...]) -> None:
        keys = json.loads(service.settings.credentials_file.read_text())
        key_id, secret = keys["access_key_id"], keys["secret_access_key"]
        self.port = port = service.description["port"]
        self._signer, self._host = Signer(key_id, secret), f"127.0.0.1:{port}"
        self._random, self._shares = Random(seed), shares
        self._series: tuple[Requests | Doors, ...] = (
            Requests(operations(), seed),
            Requests(neighbour_operations(), seed),
            Doors(seed, key_id=key_id, secret=secret, port=port, api=api),
        )

    def next(self) -> HttpRequest:
        """The next request, as it is sent."""
        (series,) = self._random.choices(self._series, self._shares)
        request = series.next()
        if isinstance(series, Requests):
            self._signer.sign(request, self._host)
        return request

    def learn(self, answer: bytes) -> None:
        """What one series learns, all use."""
        for series in self._series:
            series.learn(answer)


def run(service: Service, count: int, seed: int, api: str, shares: tuple[int, ...] = SHARES) -> Summary:
    """Sends `count` requests of a seed from several connections at once. `api` is the id that `make_world` returns."""
    summary, started = Summary(), time.monotonic()
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(service.description["pid"], summary, ended))
    watch.start()
    workers = [
        threading.Thread(
            target=_send_all, args=(Mixture(service, seed * WORKERS + number, api, shares), count // WORKERS, summary)
        )
        for number in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ended.set()
    watch.join()
    summary.seconds = time.monotonic() - started
    if summary.memory > MEMORY:
        summary.findings.append(Finding(f"the service held {summary.memory >> 20} MiB", HttpRequest("", "", "")))
    return summary


def _watch(pid: int, summary: Summary, ended: threading.Event) -> None:
    status = Path(f"/proc/{pid}/status")
    while not ended.wait(0.2):
        if not status.exists():
            return
        for line in status.read_text().splitlines():
            if line.startswith("VmRSS:"):
                summary.memory = max(summary.memory, int(line.split()[1]) << 10)


def _send_all(requests: Mixture, count: int, summary: Summary) -> None:
    connection = Connection(requests.port)
    for _ in range(count):
        request = requests.next()
        fault, status, answer, seconds = connection.exchange(request)
        summary.statuses[status] += 1
        summary.services[request.service] += 1
        summary.slowest = max(summary.slowest, seconds)
        if status < 300:
            requests.learn(answer)
        if fault:
            summary.findings.append(Finding(fault, request, answer))
    connection.close()


class Connection:
    """One connection after the other to the service."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def close(self) -> None:
        """Ends the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def exchange(self, request: HttpRequest) -> tuple[str, int, bytes, float]:
        """(fault or "", status, body, seconds) of the answer to a request."""
        started = time.monotonic()
        try:
            status, headers, body = self._answer(request)
        except TimeoutError:
            self.close()
            return "no answer", 0, b"", time.monotonic() - started
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return f"no HTTP answer ({error!r})", 0, b"", time.monotonic() - started
        return _fault(status, headers, body, request), status, body, time.monotonic() - started

    def _answer(self, request: HttpRequest) -> tuple[int, http.client.HTTPMessage, bytes]:
        fresh = self._socket is None
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
        try:
            try:
                self._socket.sendall(request.encoded())
            except (BrokenPipeError, ConnectionResetError):
                if not fresh:
                    raise  # else it was refused while it was sent: the answer is there
            answer = http.client.HTTPResponse(self._socket, method=request.method)
            answer.begin()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if fresh or isinstance(error, TimeoutError):
                raise
            return self._answer(request)  # the connection had been closed meanwhile
        body = answer.read()
        if answer.will_close or not _says_its_length(request):
            self.close()
        return answer.status, answer.headers, body


def _says_its_length(request: HttpRequest) -> bool:
    return request.headers["content-length"] == str(len(request.body))


def _fault(status: int, headers: http.client.HTTPMessage, body: bytes, request: HttpRequest) -> str:
    if request.service == API and (_document(body) == BROKEN_API or _is_head_of_broken(headers, request)):
        return ""
    if status >= 500 and status != 501:
        return f"status {status}"
    if headers.get_content_type() in ("application/json", "application/x-amz-json-1.1") and body:
        try:
            json.loads(body.decode())
        except ValueError:
            return "an answer that is not JSON"
    known = headers.get("x-amzn-ErrorType") or b"<Code>" in body
    if request.service in _UNCODED:
        return ""
    if status >= 400 and not known and request.method != "HEAD" and body != b"Invalid HTTP request received.":
        return f"status {status} without a code"
    return ""


def _is_head_of_broken(headers: http.client.HTTPMessage, request: HttpRequest) -> bool:
    """The same response without its body; an error of the service itself has another type."""
    return request.method == "HEAD" and headers.get("x-amzn-ErrorType") == "InternalServerErrorException"


def _document(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def logged_errors(service: Service) -> list[str]:
    """What the service could not do in the background: of each kind of error in its log the first line, and the end of
    the traceback that follows the last such line.
    """
    lines = (service.home / "service.log").read_text("utf-8", "replace").splitlines()
    kinds, ends, kind = Counter[str](), dict[str, list[str]](), ""
    for line in lines:
        if _LOGGED.match(line):
            kind = line.partition(" ERROR local_sagemaker")[2][:200]
            kinds[kind] += 1
            ends[kind] = []
        else:
            ends.setdefault(kind, []).append(line[:300])
    shown = [(name, count, "\n    ".join(ends[name][-_TRACED:])) for name, count in kinds.items() if name]
    return [f"logged {count} times: {name}\n    {end}" for name, count, end in shown]


def unreadable(service: Service) -> list[str]:
    """Lists that boto3 cannot read any more."""
    sagemaker, faults = service.client("sagemaker"), []
    for name in sorted(name for name in dir(sagemaker) if name.startswith("list_") and sagemaker.can_paginate(name)):
        try:
            for _ in sagemaker.get_paginator(name).paginate():
                pass
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (400, 501):
                faults.append(f"{name}: {error}")
        except Exception as error:  # whatever a client's parser makes of it
            if type(error).__name__ != "ParamValidationError":
                faults.append(f"{name}: {error!r}")
    s3 = service.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"], EncodingType="url"):
            for entry in page.get("Contents", ()):
                try:
                    s3.get_object(Bucket=bucket["Name"], Key=unquote(entry["Key"]))["Body"].read()
                except Exception as error:
                    faults.append(f"{bucket['Name']}/{entry['Key']!r}: {error!r}")
    return faults
