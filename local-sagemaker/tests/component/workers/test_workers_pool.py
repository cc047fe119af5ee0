"""Processes that call functions: what is returned, and what ends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_sagemaker.workers import pool
from local_sagemaker.workers.pool import CallFailed, CallTimedOut, Workers
from tests.support import until

FUNCTIONS = "tests.component.workers.toy_functions"


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """A pool for the functions beside this file."""
    monkeypatch.setattr(pool, "_PROJECT", Path(__file__).parents[3])
    made = Workers(FUNCTIONS, most=2)
    yield made
    made.close()


def runs(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_calls_return_and_one_process_serves_them(workers: Workers) -> None:
    assert workers.call("add", 1, 2.5, seconds=20) == 3.5
    first = workers.call("facts", seconds=20)
    assert workers.call("facts", seconds=20)["pid"] == first["pid"] != os.getpid()
    assert "site" not in first["modules"]  # the standard library only: quick to start


@pytest.mark.parametrize(
    ("function", "arguments", "kind", "number"),
    [
        ("fail", ["value"], "ValueError", None),
        ("fail", ["system"], "OSError", 28),
        ("fill", [4 << 30], "MemoryError", None),
        ("none", [], "AttributeError", None),
        ("end", [], "", None),
    ],
)
def test_what_is_raised_is_said(
    workers: Workers, function: str, arguments: list[object], kind: str, number: int | None
) -> None:
    with pytest.raises(CallFailed) as raised:
        workers.call(function, *arguments, seconds=20)
    assert (raised.value.kind, raised.value.errno) == (kind, number)
    assert workers.call("add", 1, 1, seconds=20) == 2


def test_a_call_that_holds_the_interpreter_is_ended(workers: Workers) -> None:
    pid = workers.call("facts", seconds=20)["pid"]
    began = time.monotonic()
    with pytest.raises(CallTimedOut):
        workers.call("hang", seconds=0.3)
    assert time.monotonic() - began < 10
    assert not runs(pid)
    assert workers.call("add", 1, 1, seconds=20) == 2


def test_an_ended_process_is_replaced(workers: Workers) -> None:
    pid = workers.call("facts", seconds=20)["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: not runs(pid), "the process ends")
    assert workers.call("add", 1, 1, seconds=20) == 2


def test_no_more_than_so_many_at_a_time(workers: Workers) -> None:
    pids: set[int] = set()
    threads = [threading.Thread(target=lambda: pids.add(workers.call("facts", seconds=20)["pid"])) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(pids) <= 2


@pytest.mark.parametrize("busy", [False, True])
def test_a_killed_service_leaves_no_process(busy: bool) -> None:
    """One that waits for a call ends with its input, one that works at its time limit."""
    code = (
        "import sys, threading, time; from pathlib import Path; from local_sagemaker.workers import pool\n"
        f"pool._PROJECT = Path({str(Path(__file__).parents[3])!r})\n"
        f"workers = pool.Workers({FUNCTIONS!r})\n"
        "print(workers.call('facts', seconds=20)['pid'], flush=True)\n"
        + ("workers.call('hang', seconds=2)\n" if busy else "time.sleep(60)\n")
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
    until(lambda: not runs(pid), "the worker ends", 20)
