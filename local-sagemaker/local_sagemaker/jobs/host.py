"""One host of a running job: its folder, address and process, and what its program left to say."""

from __future__ import annotations

import codecs
import json
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from local_sagemaker.files.untrusted_folder import Folder
from local_sagemaker.processes.spec import Process

LONGEST = 1024  # characters of a FailureReason and of an ExitMessage (API reference)
_HEAD = 4096  # bytes that are read of a failure or message file, which may have any size


@dataclass
class Host:
    """A host. `stream` is its log stream, `process` exists once it runs."""

    name: str
    root: Path
    address: str
    stream: str
    log: Path
    process: Process | None = None

    @cached_property
    def files(self) -> Folder:
        """The open root, through which all is read that the job may have written; to be closed."""
        return Folder(self.root)

    @property
    def ml(self) -> Path:
        """Its /opt/ml."""
        return self.root / "ml"

    def say(self, sentence: str) -> None:
        """Adds a line of the service's own to the log."""
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"local-sagemaker: {sentence}\n")

    def say_signal(self, number: int) -> None:
        """Names the signal that ended the program, if one did (a positive number): its code alone is in the reason."""
        if number <= 0:
            return
        names = {known.value: known.name for known in signal.Signals}  # real-time signals have none
        self.say(f"the program was ended by a signal, {names.get(number, number)}")

    def reason(self, code: int, *, verbatim: bool = False, client_errors: bool = False) -> str:
        """What AWS says of a process that did not end with 0: the failure file's text and the exit code.

        With `verbatim` the text is taken as it stands: the batch agent words the whole reason. With `client_errors`
        that is so for texts that begin with ``ClientError``: Clarify's container words them.
        """
        text = head(self.files, "ml/output/failure").decode("utf-8", "replace").strip()
        if text and (verbatim or (client_errors and text.startswith("ClientError"))):
            return text
        suffix = f", exit code: {code if code >= 0 else 128 - code}"
        return f"AlgorithmError: {text}"[: LONGEST - len(suffix)] + suffix


def exit_message(hosts: Iterable[Host]) -> str | None:
    """The exit message of all hosts, the first KB of it. Raises UnicodeDecodeError when it is not UTF-8."""
    text = ""
    for host in hosts:
        data = head(host.files, "ml/output/message")
        # Of a longer file, the last character of the head may be cut: that is not an error.
        text += codecs.getincrementaldecoder("utf-8")().decode(data, len(data) < _HEAD)
    return text.encode()[:LONGEST].decode("utf-8", "ignore") or None


def head(folder: Folder, name: str) -> bytes:
    """The beginning of a file that the job may have written; nothing for a link, a pipe or whatever else it is."""
    try:
        with folder.open(name) as file:
            return file.read(_HEAD)
    except OSError:
        return b""


def write_json(file: Path, document: Any) -> None:
    """Writes a configuration file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document), "utf-8")
