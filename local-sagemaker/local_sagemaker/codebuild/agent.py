"""What runs in a build's own process: its phases one after the other in one shell, then its files.

It is to the platform what CodeBuild's agent is in a container. The plan is a JSON file; what happens is written, line
by line, to ``progress.jsonl`` beside it, and to the log. Standard library only.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_sagemaker.codebuild.artifact_files import ArtifactFailure, archive_name, collect
from local_sagemaker.codebuild.shell import Shell

_BEFORE_BUILD = ("INSTALL", "PRE_BUILD")
_SELECT = "{python} -m venv {folder} && export VIRTUAL_ENV={folder} PATH={folder}/bin:$PATH"
"""Makes another Python the build's, with a folder for its own packages."""
_PACKAGES = ("boto3", "PyYAML", "setuptools", "wheel")
"""What each Python of AWS's images has (Dockerfiles of aws-codebuild-docker-images) and scripts of builds rely on."""
_INSTALL = f"python -m pip install --quiet --disable-pip-version-check {' '.join(_PACKAGES)}"


def main(arguments: list[str]) -> int:
    """Runs the plan in the file that the argument names; the exit code is 0 whatever the build's outcome is."""
    file = Path(arguments[0])
    plan = json.loads(file.read_text("utf-8"))
    with (file.parent / "progress.jsonl").open("a", encoding="utf-8") as progress:
        BuildAgent(plan, file.parent, progress).run()
    return 0


class BuildAgent:
    """One build's run."""

    def __init__(self, plan: dict[str, Any], folder: Path, progress: Any) -> None:
        self._plan, self._folder, self._progress = plan, folder, progress
        self._failed = False
        self._log = Masked(plan["masked"])
        self._shell = Shell(plan["shell"], Path(plan["source"]), folder, self._log.pipe)

    def run(self) -> None:
        """Phases, exported variables, artifacts."""
        for note in self._plan["notes"]:
            self.log(note)
        self._select()
        reached = True
        for phase in self._plan["phases"]:
            if not reached:
                break
            succeeded = self._phase(phase)
            reached = succeeded or self._continues(phase)
        self._say({"exported": self._shell.values(self._plan["exported"])})
        self._collect()
        self._shell.close()
        self._log.close()

    def _select(self) -> None:
        """Makes another Python the build's; INSTALL fails where that fails."""
        python = self._plan.get("python")
        if not python:
            return
        status = self._shell.run(_SELECT.format(python=shlex.quote(python), folder=f"{self._folder}/python"))
        if status:
            refusal = ("CLIENT_ERROR", f"The Python {python} could not be made the build's: exit status {status}")
            for phase in self._plan["phases"]:
                if phase["name"] == "INSTALL":
                    phase["refusal"] = phase["refusal"] or refusal
        elif self._shell.run(_INSTALL):
            self.log(f"Without {', '.join(_PACKAGES)}, which the image has: they could not be installed.")

    def _continues(self, phase: dict[str, Any]) -> bool:
        """Whether the next phase is run after a failed one: a failed build still has its post_build."""
        if phase["on_failure"] == "CONTINUE":
            return True
        return not phase["on_failure"] and phase["name"] not in _BEFORE_BUILD

    def _phase(self, phase: dict[str, Any]) -> bool:
        name, start = phase["name"], time.time()
        self._say({"enter": name, "start": start})
        self.log(f"Entering phase {name}")
        context = phase.get("refusal")
        if context is None:
            context = self._commands(phase["commands"])
            final = self._commands(phase["finally"])
            context = context or final
        if context:
            self._failed = True
            self._shell.export("CODEBUILD_BUILD_SUCCEEDING", "0")
        code, message = context or ("", "")
        status = "FAILED" if context else "SUCCEEDED"
        self.log(f"Phase complete: {name} State: {status}")
        self.log(f"Phase context status code: {code} Message: {message}")
        contexts = [{"statusCode": code, "message": message}]
        self._say({"phase": name, "start": start, "end": time.time(), "status": status, "contexts": contexts})
        return context is None

    def _commands(self, commands: list[str]) -> tuple[str, str] | None:
        """Runs commands until one fails; its code and message."""
        for command in commands:
            self.log(f"Running command {command}")
            status = self._shell.run(command)
            self._log.settle()
            if status:
                self.log(f"Command did not exit successfully {command} exit status {status}")
                text = f"Error while executing command: {command}. Reason: exit status {status}"
                return "COMMAND_EXECUTION_ERROR", text
        return None

    def _collect(self) -> None:
        """Puts artifacts' archives beside the plan, for the platform to upload."""
        self._say({"enter": "UPLOAD_ARTIFACTS", "start": time.time()})
        failure = ""
        try:
            for number, artifact in enumerate(self._plan["artifacts"]):
                name = self._shell.expand(artifact["name"]) if artifact["name"] else ""
                archive = self._folder / archive_name("artifact", number)
                count = collect(self._expand(artifact), self._base(artifact), archive, self.log)
                self._say({"artifact": artifact["identifier"], "name": name, "files": count})
        except ArtifactFailure as error:
            failure = str(error)
        for number, report in enumerate(self._plan["reports"]):
            self._report(report, self._folder / archive_name("report", number))
        self._say({"finished": failure})

    def _report(self, report: dict[str, Any], archive: Path) -> None:
        """Puts a report's files beside the plan, for the platform to read."""
        failure = ""
        try:
            collect(self._expand({**report, "exclude_paths": []}), self._base(report), archive, self.log)
        except ArtifactFailure:
            failure = "report files not found in build"
        self._say({"report": report["name"], "failure": failure})

    def _expand(self, part: dict[str, Any]) -> dict[str, Any]:
        """With the variables in its patterns replaced."""
        patterns = {
            name: [self._shell.expand(pattern) if "$" in pattern else pattern for pattern in part[name]]
            for name in ("files", "exclude_paths")
        }
        return {**part, **patterns}

    def _base(self, part: dict[str, Any]) -> Path:
        return Path(self._plan["source"]) / self._shell.expand(part["base_directory"])

    def log(self, text: str) -> None:
        """A line of the agent's own in the build's log."""
        stamp = datetime.now(UTC).strftime("%Y/%m/%d %H:%M:%S.%f")
        self._log.line(f"[Container] {stamp} {text}\n")

    def _say(self, message: dict[str, Any]) -> None:
        self._progress.write(json.dumps(message) + "\n")
        self._progress.flush()


class Masked:
    """The build's log: what the shell prints, with secrets as ``***``."""

    def __init__(self, secrets: list[str]) -> None:
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        self._lock = threading.Lock()
        self._seen = threading.Event()
        self._reader, self.pipe = os.pipe() if self._secrets else (-1, 1)
        self._mark = os.urandom(8).hex().encode()
        if self._secrets:
            threading.Thread(target=self._copy, daemon=True).start()

    def _copy(self) -> None:
        """Copies whole lines; what has no line's end yet is kept until it has, or until its command has ended."""
        rest = b""
        while data := os.read(self._reader, 65536):
            rest += data
            if self._mark in rest:
                rest = rest.replace(self._mark, b"")
                self._write(rest)
                rest = b""
                self._seen.set()
                continue
            head, end, tail = rest.rpartition(b"\n")
            if end:
                self._write(head + end)
                rest = tail

    def _write(self, data: bytes) -> None:
        for secret in self._secrets:
            data = data.replace(secret.encode(), b"***")
        with self._lock:
            os.write(1, data)

    def line(self, text: str) -> None:
        """Writes a line of the agent's own."""
        self.settle()
        self._write(text.encode())

    def settle(self) -> None:
        """Returns when what has been printed so far is in the log."""
        if self._secrets:
            self._seen.clear()
            os.write(self.pipe, self._mark)
            self._seen.wait(10)

    def close(self) -> None:
        """Writes the rest."""
        self.settle()
        sys.stdout.flush()
