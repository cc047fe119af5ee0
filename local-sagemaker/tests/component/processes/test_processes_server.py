"""The fork server: warm, concurrent, and never outliving the service."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local_sagemaker.config import Settings
from local_sagemaker.images.image import Program
from local_sagemaker.images.libraries import catalogue
from local_sagemaker.processes import ForkedProcesses, ProcessSpec, client
from tests.component.fork_servers import child_servers
from tests.support import until

OWNER = """
import sys
from pathlib import Path
from local_sagemaker.config import Settings
from local_sagemaker.images.image import Program
from local_sagemaker.processes import ForkedProcesses, ProcessSpec

home = Path(sys.argv[1])
processes = ForkedProcesses(settings=Settings(home=home), load=False)
commands = (
    ("/bin/bash", "-c", "echo $$; setsid sleep 300 & sleep 300 & echo $!; wait"),
    ("python3", "-c", "import os, time; print(os.getpid()); time.sleep(300)"),
)
for number, argv in enumerate(commands):
    processes.start(ProcessSpec(Program(argv), home / str(number), home / f"log-{number}"))
print("up", flush=True)
sys.stdin.read()
"""


def running(home: Path) -> list[str]:
    """Processes that have anything to do with the folder: by their command line, or by a log they write."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            links = [str(fd.readlink()) for fd in (process / "fd").iterdir()]
            command = (process / "cmdline").read_text()
        except OSError:
            continue
        if str(home) in command or any(link.startswith(str(home)) for link in links):
            found.append(f"{process.name} {command}")
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_a_killed_service_leaves_no_process(tmp_path):
    command = [sys.executable, "-c", OWNER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "up\n"
        logs = [tmp_path / "log-0", tmp_path / "log-1"]
        until(lambda: all(log.exists() and log.read_text().endswith("\n") for log in logs), "both commands run")
        assert len(running(tmp_path)) >= 5  # owner, fork server, bash, its two sleeps, python
        owner.send_signal(signal.SIGKILL)
    until(lambda: not running(tmp_path), f"everything has ended, but {running(tmp_path)}", 20)


def scratch(home: Path, server: int | None = None) -> list[Path]:
    """The folders that fork servers have made for themselves, or one of them."""
    return [*(home / "jobs").glob(f".prepared-{server or ''}*"), *home.glob(".local-sagemaker-*")]


def test_a_killed_fork_server_ends_its_processes_and_a_new_one_takes_over(tmp_path):
    (tmp_path / "jobs").mkdir()
    processes = ForkedProcesses(settings=Settings(home=tmp_path), load=False)
    try:
        process = processes.start(ProcessSpec(Program(("sleep", "300")), tmp_path / "a", tmp_path / "a.log"))
        first = server_of(process.pid)
        until(lambda: scratch(tmp_path, first), "it prepares for the next process")
        os.kill(first, signal.SIGKILL)
        assert process.wait(20) == -signal.SIGKILL
        until(lambda: not scratch(tmp_path, first), "what it had made is removed", 20)
        again = processes.start(ProcessSpec(Program(("/bin/bash", "-c", "exit 5")), tmp_path / "b", tmp_path / "b.log"))
        assert again.wait(20) == 5
    finally:
        processes.close()
    assert not running(tmp_path)
    assert not scratch(tmp_path)


def server_of(pid: int) -> int:
    """The parent of a process: its fork server."""
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def test_a_start_asks_the_next_fork_server_when_one_ends_while_it_loads(tmp_path):
    (tmp_path / "jobs").mkdir()
    processes = ForkedProcesses(settings=Settings(home=tmp_path))
    spec = ProcessSpec(Program(("sleep", "300")), tmp_path / "a", tmp_path / "a.log")
    try:
        process = processes.start(spec)
        first = server_of(process.pid)
        os.kill(first, signal.SIGKILL)
        assert process.wait(20) == -signal.SIGKILL
        assert process.lost
        with ThreadPoolExecutor(1) as pool:
            started = pool.submit(processes.start, spec)
            for _ in range(2):  # its successors are killed, too, before they have loaded anything
                killed = until(lambda: child_servers() - {first}, "a successor is there", 120).pop()
                os.kill(killed, signal.SIGKILL)
                until(lambda killed=killed: killed not in child_servers(), "it is gone", 120)
            again = started.result(240)
        assert again.wait(0) is None
        assert not again.lost
    finally:
        processes.close()
    assert not scratch(tmp_path)


def test_many_at_once(best):
    def one(number: int) -> int | None:
        process, _ = best.start("python3", "-c", f"raise SystemExit({number})")
        return process.wait(60)

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(one, range(40))) == list(range(40))


def test_libraries_are_loaded_before_a_process_starts(tmp_path):
    processes = ForkedProcesses(settings=Settings(home=tmp_path))
    try:
        script = "import sys; print([m in sys.modules for m in ('pandas', 'xgboost', 'sklearn', 'boto3')]); "
        script += "import xgboost, numpy; x = numpy.random.rand(50, 3); "
        script += (
            "b = xgboost.train({'nthread': 2}, xgboost.DMatrix(x, label=x[:, 0]), 2); print(b.num_boosted_rounds())"
        )
        program = Program(("python3", "-c", script), libraries=catalogue.find("sagemaker-xgboost", "3.0-5"))
        process = processes.start(ProcessSpec(program, tmp_path / "a", tmp_path / "log"))
        assert process.wait(120) == 0, (tmp_path / "log").read_text()
        assert (tmp_path / "log").read_text().endswith("[True, True, True, False]\n2\n")
    finally:
        processes.close()


def test_a_large_order_passes(best):
    value = "x" * 500_000
    ran = best.script("import os; print(len(os.environ['BIG0']) + len(os.environ['BIG1']))",
                      environment={"BIG0": value[:100_000], "BIG1": value[:100_000], "PAD": "y" * 90_000})  # fmt: skip
    assert ran.output == "200000\n"


def test_a_server_that_nobody_needs_ends_and_is_started_again(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "defaults", tuple)
    processes = ForkedProcesses(settings=Settings(home=tmp_path), load=False)
    program = Program(("python3", "-c", "input()"), libraries=catalogue.find("lambda-python", "3.12"))
    try:
        for _ in range(2):
            monkeypatch.setattr(client, "IDLE_SECONDS", 20.0)
            process = processes.start(ProcessSpec(program, tmp_path / "a", tmp_path / "log"))
            server = server_of(process.pid)
            assert process.wait(60) == 1, "there is nothing to read"
            assert server in child_servers()
            monkeypatch.setattr(client, "IDLE_SECONDS", 0.1)
            until(lambda server=server: server not in child_servers(), "the server has ended", 30)
    finally:
        processes.close()
