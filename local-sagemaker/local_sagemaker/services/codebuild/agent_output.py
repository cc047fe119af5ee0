"""What a build's process leaves for the platform. The build may have written or replaced all of it.

Its files are found by names that the platform knows, from the build's root, without following a link and only where
they are regular files; what is no message of the agent's is left out.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from local_sagemaker.codebuild.artifact_files import archive_name
from local_sagemaker.codebuild.buildspec import Buildspec
from local_sagemaker.files.untrusted_folder import Folder
from local_sagemaker.records.delivery_status import BuildStatus

AgentMessage = dict[str, Any]
AGENTS = "ml/codebuild"
"""The agent's folder in a build's root."""
PROGRESS = f"{AGENTS}/progress.jsonl"
LONGEST_LINE = 4 << 20
MOST_BYTES = 64 << 20
"""Bytes of messages that are read of one build."""
_LATEST = 1e11
"""Seconds since 1970 that a message may name."""


class AgentOutput:
    """The messages and archives of one build."""

    def __init__(self, root: Path) -> None:
        """`root` is the build's folder: the agent's is below it."""
        self._root, self._place = root, 0

    def messages(self, spec: Buildspec) -> Iterator[AgentMessage | None]:
        """What the agent has said since the last look; None for a line that it can't have written."""
        for line in self._lines():
            yield _read(line, spec)

    def open(self, kind: str, number: int) -> BinaryIO:
        """An archive of the agent's. OSError where it is no regular file."""
        with Folder(self._root) as folder:
            return folder.open(f"{AGENTS}/{archive_name(kind, number)}")

    def take(self, kind: str, number: int) -> Path:
        """An archive, moved to where the build has no name for it. OSError where it is no regular file of its own."""
        target = self._root / archive_name(kind, number)
        with Folder(self._root) as folder:
            if folder.take(f"{AGENTS}/{archive_name(kind, number)}", str(target)) is None:
                raise OSError("the archive is not a regular file")
        return target

    def _lines(self) -> Iterator[bytes]:
        """Whole lines, as far as the file reaches now; a longer one than allowed is broken."""
        try:
            with Folder(self._root) as folder, folder.open(PROGRESS) as file:
                end = min(os.fstat(file.fileno()).st_size, MOST_BYTES)
                while self._place < end:
                    file.seek(self._place)
                    data = file.read(LONGEST_LINE)
                    whole = data.rfind(b"\n") + 1
                    if not whole and len(data) < LONGEST_LINE:
                        return
                    self._place += whole or len(data)
                    yield from data[: whole or len(data)].splitlines()
        except OSError:
            return


def _read(line: bytes, spec: Buildspec) -> AgentMessage | None:
    try:
        message = json.loads(line)
        json.dumps(message, ensure_ascii=False).encode()  # lone surrogates are nothing that a record can hold
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    for name, is_right in _FORMS.items():
        if name in message:
            return message if is_right(message, spec) else None
    return None


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < _LATEST and math.isfinite(value)


def _is_entry(message: AgentMessage, spec: Buildspec) -> bool:
    return message["enter"] in (*_phases(spec), "UPLOAD_ARTIFACTS") and _is_time(message.get("start"))


def _is_phase(message: AgentMessage, spec: Buildspec) -> bool:
    contexts = message.get("contexts")
    return (
        message["phase"] in _phases(spec)
        and _is_time(message.get("end"))
        and message.get("status") in (BuildStatus.SUCCEEDED, BuildStatus.FAILED)
        and isinstance(contexts, list)
        and all(isinstance(row, dict) and _are_texts(row, "statusCode", "message") for row in contexts)
    )


def _is_export(message: AgentMessage, spec: Buildspec) -> bool:
    values = message["exported"]
    return isinstance(values, dict) and set(values) <= set(spec.exported) and _are_texts(values, *values)


def _phases(spec: Buildspec) -> list[str]:
    return [phase.name.upper() for phase in spec.phases]


def _are_texts(message: AgentMessage, *names: str) -> bool:
    return all(isinstance(message.get(name), str) for name in names)


_FORMS: dict[str, Callable[[AgentMessage, Buildspec], bool]] = {
    "enter": _is_entry,
    "phase": _is_phase,
    "exported": _is_export,
    "artifact": lambda message, spec: (
        message["artifact"] in [artifact.identifier for artifact in spec.artifacts] and _are_texts(message, "name")
    ),
    "report": lambda message, spec: (
        message["report"] in [report.name for report in spec.reports] and _are_texts(message, "failure")
    ),
    "finished": lambda message, _: _are_texts(message, "finished"),
}  # fmt: skip
"""The messages by the member that only they have, each with what must be true of it."""
