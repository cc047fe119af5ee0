"""Sandboxes of real processes: warm ones, idle ones, retired ones, and the function's own environment."""

from __future__ import annotations

import contextlib
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

from local_sagemaker.client_environment import HOOK
from local_sagemaker.functions.sandbox import FunctionSpec, Invocation, InvocationResult
from local_sagemaker.functions.sandboxes import Sandboxes
from local_sagemaker.logs import Logs
from local_sagemaker.processes import ForkedProcesses

NAME = """
import ctypes, os, uuid
NAME = uuid.uuid4().hex[:15]
ctypes.CDLL(None).prctl(15, NAME.encode(), 0, 0, 0)
"""
"""A process has its pid in a namespace of its own; by this name the machine knows it."""

CODE = f"""
{NAME}
def handler(event, context):
    return {{"name": NAME, "own": os.environ.get("OWN"), "root": os.environ["LAMBDA_TASK_ROOT"]}}
"""
Make = Callable[..., tuple[Sandboxes, FunctionSpec]]


@pytest.fixture
def make(forked: ForkedProcesses, tmp_path: Path) -> Iterator[Make]:
    made: list[Sandboxes] = []

    def build(idle: float = 300.0, code: str = CODE, **members: Any) -> tuple[Sandboxes, FunctionSpec]:
        folder = tmp_path / "code"
        folder.mkdir()
        (folder / "main.py").write_text(code)
        sandboxes = Sandboxes(
            folder=tmp_path / "sandboxes",
            logs=Logs(tmp_path / "logs"),
            processes=forked,
            service_environment={"PYTHONPATH": str(HOOK)},
            idle=idle,
        )
        made.append(sandboxes)
        given = {"environment": {"OWN": "yes"}, **members}
        function = FunctionSpec(
            "f", "$LATEST", "r1", "main.handler", "python3.9", 30.0, 128, folder, "/aws/lambda/f", **given
        )
        return sandboxes, function

    yield build
    for sandboxes in made:
        sandboxes.close()


def run(sandboxes: Sandboxes, function: FunctionSpec) -> Any:
    answer: InvocationResult = sandboxes.invoke(function, Invocation("id", "arn", b"{}"))
    assert not answer.failed, answer
    return json.loads(answer.payload)


def pids(name: str) -> list[int]:
    """The running processes of that name, as the machine numbers them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            status = (process / "status").read_text()
            if f"Name:\t{name}\n" in status and "State:\tZ" not in status:
                found.append(int(process.name))
    return found


def wait(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_process_for_one_revision_until_that_is_retired(make: Make, forked: ForkedProcesses) -> None:
    sandboxes, function = make()
    first = run(sandboxes, function)
    root = "/var/task" if forked.isolation.namespaces else str(function.code)
    assert (first["own"], first["root"]) == ("yes", root)
    assert run(sandboxes, function)["name"] == first["name"]
    newer = replace(function, revision="r2")
    assert run(sandboxes, newer)["name"] != first["name"]
    sandboxes.retire("r1")
    wait(lambda: not pids(first["name"]))
    assert sandboxes.count_busy() == 0


def test_an_invocation_is_run_again_when_the_fork_server_is_killed(make: Make) -> None:
    code = f"{NAME}\nimport time\ndef handler(event, context):\n    time.sleep(1)\n    return NAME\n"
    sandboxes, function = make(code=code)
    name = run(sandboxes, function)
    server = int(Path(f"/proc/{pids(name)[0]}/stat").read_text().rsplit(")", 1)[1].split()[1])
    with ThreadPoolExecutor(1) as pool:
        again = pool.submit(run, sandboxes, function)
        wait(lambda: sandboxes.count_busy() == 1)
        os.kill(server, signal.SIGKILL)
        assert again.result(240) != name


def test_idle_processes_end(make: Make) -> None:
    sandboxes, function = make(idle=0.2)
    name = run(sandboxes, function)["name"]
    wait(lambda: not pids(name))
    assert run(sandboxes, function)["name"] != name


def test_a_process_that_was_killed_while_idle_is_replaced(make: Make) -> None:
    sandboxes, function = make()
    name = run(sandboxes, function)["name"]
    (pid,) = pids(name)
    os.kill(pid, signal.SIGKILL)
    wait(lambda: not pids(name))
    assert run(sandboxes, function)["name"] != name


def test_variables_that_an_interpreter_reads_at_its_start_take_effect(make: Make) -> None:
    code = "import sys\ndef handler(event, context): return sys.flags.optimize"
    sandboxes, function = make(code=code, environment={"PYTHONOPTIMIZE": "2"})
    assert run(sandboxes, function) == 2


def test_a_thread_left_by_the_function_does_not_keep_its_process(make: Make) -> None:
    code = (
        f"{NAME}\nimport threading, time\n"
        "def handler(event, context):\n"
        "    threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "    return NAME"
    )
    sandboxes, function = make(code=code)
    name = run(sandboxes, function)
    assert pids(name)
    sandboxes.end_all()
    assert not pids(name)


def test_only_its_tmp_can_be_written_and_nothing_is_left_there_for_the_next_process(
    make: Make, forked: ForkedProcesses
) -> None:
    if not forked.isolation.namespaces:
        pytest.skip(f"no namespaces here: {forked.isolation.reason}")
    code = (
        f"{NAME}\nimport errno\n"
        "def attempt(place):\n"
        "    try:\n"
        "        open(place, 'x').close()\n"
        "    except OSError as error:\n"
        "        return errno.errorcode[error.errno]\n"
        "def handler(event, context):\n"
        "    places = ['/tmp/a', 'here', '/a', '/usr/a', '/opt/a', '/root/a', '/dev/a']\n"
        "    return NAME, os.getcwd(), [attempt(place) for place in places]"
    )
    sandboxes, function = make(code=code)
    first = run(sandboxes, function)
    assert first[1:] == ["/var/task", [None, *["EROFS"] * 6]]
    os.kill(pids(first[0])[0], signal.SIGKILL)
    wait(lambda: not pids(first[0]))
    assert run(sandboxes, function)[1:] == first[1:]
