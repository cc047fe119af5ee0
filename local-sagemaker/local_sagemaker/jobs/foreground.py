"""A job's program once more, in the foreground: with the job's inputs, on one host, at somebody's terminal.

Nothing of it is recorded, and its outputs are not uploaded: what counts is what it does before somebody's eyes.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from local_sagemaker.errors import ServiceError
from local_sagemaker.images.image import Program
from local_sagemaker.jobs.host import Host
from local_sagemaker.jobs.run import JobServices, Run
from local_sagemaker.jobs.spec import JobFailure, JobSpec, Outcome, Phase
from local_sagemaker.jobs.terminal import Terminal
from local_sagemaker.logs import Logs
from local_sagemaker.processes.spec import ProcessSpec

_SHELL = ("/bin/sh", "-c", 'exec "$(command -v bash || command -v sh)"')
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ForegroundRequest:
    """What is to run: the job's program or, with `shell`, a shell in its place. `environment` comes on top.

    `shown` are folders of the machine that it needs beside the job's own.
    """

    shell: bool
    environment: Mapping[str, str]
    shown: tuple[Path, ...] = ()


class _NoObserver:
    """Observes a job of which nothing is recorded."""

    def phase(self, job: JobSpec, phase: Phase) -> None:
        """Nothing."""

    def ended(self, job: JobSpec, outcome: Outcome) -> None:
        """Nothing."""


class ForegroundRun(Run):
    """One run at a terminal. `follow` is called once, in a thread of its own."""

    def __init__(self, job: JobSpec, services: JobServices, terminal: Terminal) -> None:
        folder = services.folder / f"foreground-{uuid.uuid4().hex[:12]}"
        super().__init__(replace(job, hosts=1), _NoObserver(), replace(services, logs=Logs(folder / "logs")))
        self._folder, self._terminal = folder, terminal
        self._keeps_changes = False

    def follow(self, wish: ForegroundRequest) -> None:
        """Runs to the end, or until nobody is at the terminal any more, and says how it ended."""
        code, problem = 1, ""
        try:
            self._terminal.open()
            self._terminal.when_left(self.kill)
            code = self._run_at_terminal(wish)
        except (JobFailure, ServiceError) as error:
            problem = str(error)
        except Exception as error:
            log.exception("%s can't run in the foreground", self._name)
            problem = f"{type(error).__name__}: {error}"
        self._failed = not wish.shell and code != 0 and not self._killed
        self.clean()
        self._terminal.end(code, problem)

    def _run_at_terminal(self, wish: ForegroundRequest) -> int:
        failed = self._services.failed
        kept = failed.find(self._name) if failed and wish.shell else None
        if failed and kept and (kept / self.job.host_names[0]).is_dir():
            if not self._cleanup.enter_context(failed.borrowed(self._name)):
                raise JobFailure(f"Another shell is open in the folder of {self.job.name}.")
            self._terminal.say(f"(all files are as the failed job left them: {kept})")
            self._hosts.append(self._kept_host(kept / self.job.host_names[0]))
            self._keeps_changes = True
        else:
            self._make_hosts(self._cleanup)
            self._terminal.say("(loading the inputs)")
            self._download(self._cleanup)
        environment = {**self._environment(), **wish.environment}
        if wish.shell:
            program = replace(self.job.program, argv=_SHELL, entry=None)
        else:
            program, environment = self._prepare(self._cleanup)
            environment |= wish.environment
        program = replace(program, readable=(*program.readable, *wish.shown))
        return self._start_at_terminal(program, environment)

    def _kept_host(self, root: Path) -> Host:
        address = self._cleanup.enter_context(self._services.addresses.borrowed())
        (self._folder / "logs").mkdir(parents=True, exist_ok=True)
        return Host(root.name, root, address, "", self._folder / "logs" / "log")

    def _start_at_terminal(self, program: Program, environment: dict[str, str]) -> int:
        host = self._hosts[0]
        if self._killed:
            return 1
        host.process = self._services.processes.start(
            ProcessSpec(
                program, host.root, host.log, environment, hosts={host.name: host.address},
                working_directory=self.job.working_directory, terminal=self._terminal.open(),
                keep_changes=self._keeps_changes,
            )
        )  # fmt: skip
        if self._killed:
            self.kill()
        code = host.process.wait()
        return 1 if code is None else code if code >= 0 else 128 - code
