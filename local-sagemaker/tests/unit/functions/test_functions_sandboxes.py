"""Sandboxes of real processes: warm ones, idle ones, retired ones, and the function's own environment."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.functions.sandbox import Answer, Function, Invocation
from local_sagemaker.functions.sandboxes import Sandboxes
from local_sagemaker.logs import Logs
from local_sagemaker.processes import ForkedProcesses

CODE = """
import os
def handler(event, context):
    return {"pid": os.getpid(), "own": os.environ.get("OWN"), "root": os.environ["LAMBDA_TASK_ROOT"]}
"""
Make = Callable[..., tuple[Sandboxes, Function]]


@pytest.fixture
def make(forked: ForkedProcesses, tmp_path: Path) -> Iterator[Make]:
    made: list[Sandboxes] = []

    def build(idle: float = 300.0, code: str = CODE, **members: Any) -> tuple[Sandboxes, Function]:
        folder = tmp_path / "code"
        folder.mkdir()
        (folder / "main.py").write_text(code)
        sandboxes = Sandboxes(
            folder=tmp_path / "sandboxes",
            logs=Logs(tmp_path / "logs"),
            processes=forked,
            service_environment={"PYTHONPATH": str(folder)},
            idle=idle,
        )
        (folder / "sitecustomize.py").write_text("")
        made.append(sandboxes)
        given = {"environment": {"OWN": "yes"}, **members}
        function = Function(
            "f", "$LATEST", "r1", "main.handler", "python3.9", 30.0, 128, folder, "/aws/lambda/f", **given
        )
        return sandboxes, function

    yield build
    for sandboxes in made:
        sandboxes.close()


def run(sandboxes: Sandboxes, function: Function) -> Any:
    answer: Answer = sandboxes.invoke(function, Invocation("id", "arn", b"{}"))
    assert not answer.failed, answer
    return json.loads(answer.payload)


def gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


def wait(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_process_for_one_revision_until_that_is_retired(make: Make, forked: ForkedProcesses) -> None:
    sandboxes, function = make()
    first = run(sandboxes, function)
    root = "/var/task" if forked.isolation.namespaces else str(function.code)
    assert (first["own"], first["root"]) == ("yes", root)
    assert run(sandboxes, function)["pid"] == first["pid"]
    newer = replace(function, revision="r2")
    assert run(sandboxes, newer)["pid"] != first["pid"]
    sandboxes.retire("r1")
    wait(lambda: gone(first["pid"]))
    assert sandboxes.running() == 0


def test_an_invocation_is_run_again_when_the_fork_server_is_killed(make: Make) -> None:
    code = "import os, time\ndef handler(event, context):\n    time.sleep(1)\n    return os.getppid()\n"
    sandboxes, function = make(code=code)
    server = run(sandboxes, function)
    with ThreadPoolExecutor(1) as pool:
        again = pool.submit(run, sandboxes, function)
        wait(lambda: sandboxes.running() == 1)
        os.kill(server, signal.SIGKILL)
        assert again.result(60) != server


def test_idle_processes_end(make: Make) -> None:
    sandboxes, function = make(idle=0.2)
    pid = run(sandboxes, function)["pid"]
    wait(lambda: gone(pid))
    assert run(sandboxes, function)["pid"] != pid


def test_a_process_that_was_killed_while_idle_is_replaced(make: Make) -> None:
    sandboxes, function = make()
    pid = run(sandboxes, function)["pid"]
    os.kill(pid, 9)
    wait(lambda: gone(pid))
    assert run(sandboxes, function)["pid"] != pid


def test_variables_that_an_interpreter_reads_at_its_start_take_effect(make: Make) -> None:
    code = "import sys\ndef handler(event, context): return sys.flags.optimize"
    sandboxes, function = make(code=code, environment={"PYTHONOPTIMIZE": "2"})
    assert run(sandboxes, function) == 2


def test_a_thread_left_by_the_function_does_not_keep_its_process(make: Make) -> None:
    code = (
        "import os, threading, time\n"
        "def handler(event, context):\n"
        "    threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "    return os.getpid()"
    )
    sandboxes, function = make(code=code)
    pid = run(sandboxes, function)
    sandboxes.end_all()
    assert gone(pid)
