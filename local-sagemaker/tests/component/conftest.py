"""Fixtures of the tests that run image programs: one fork server for all of them, and a job's folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.config import Settings
from local_sagemaker.images.image import Program
from local_sagemaker.processes import ForkedProcesses, Process, ProcessSpec

SECONDS = 120.0


@dataclass
class ProgramRun:
    """A process's private folder, with shortcuts for what is in it."""

    root: Path
    processes: ForkedProcesses

    @property
    def ml(self) -> Path:
        """The process's /opt/ml."""
        return self.root / "ml"

    @property
    def log(self) -> str:
        """What the process printed."""
        file = self.root / "log.txt"
        return file.read_text("utf-8") if file.exists() else ""

    @property
    def failure(self) -> str | None:
        """The failure file."""
        file = self.ml / "output" / "failure"
        return file.read_text("utf-8") if file.exists() else None

    def write(self, path: str, content: str | bytes | Mapping[str, Any]) -> Path:
        """A file below /opt/ml; a mapping as JSON."""
        file = self.ml / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Mapping):
            content = json.dumps(content)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def start(self, program: Program, **rest: Any) -> Process:
        """Starts a program in this folder."""
        environment = {**program.environment, **rest.pop("environment", {})}
        (self.ml).mkdir(parents=True, exist_ok=True)
        log = self.root / "log.txt"
        return self.processes.start(ProcessSpec(program, self.root, log, environment=environment, **rest))

    def run(self, program: Program, **rest: Any) -> int | None:
        """Runs a program to its end; its exit code."""
        return self.start(program, **rest).wait(SECONDS)


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedProcesses]:
    """The real fork server."""
    home = tmp_path_factory.mktemp("forked")
    processes = ForkedProcesses(settings=Settings(home=home), keep=[tmp_path_factory.getbasetemp()])
    yield processes
    processes.close()


@pytest.fixture
def new_run(forked: ForkedProcesses, tmp_path: Path) -> Callable[[], ProgramRun]:
    """Makes folders for program runs."""
    made: list[ProgramRun] = []

    def make() -> ProgramRun:
        made.append(ProgramRun(tmp_path / f"run{len(made)}", forked))
        made[-1].ml.mkdir(parents=True)
        return made[-1]

    return make


@pytest.fixture
def program_run(new_run: Callable[[], ProgramRun]) -> ProgramRun:
    """One program run's folder."""
    return new_run()
