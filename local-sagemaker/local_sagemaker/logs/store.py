"""Log groups and streams in a folder: ``<group>/<stream>.log`` is what a process printed, as it printed it.

Job processes and model servers write their output straight into these files; their owner calls `mark` now and
then, which is all that is needed to read the lines back with times. Side files are in ``<group>/.streams/``.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from local_sagemaker.files.removal import discard
from local_sagemaker.logs.event_pages import LogSource
from local_sagemaker.logs.lines import line_start
from local_sagemaker.logs.names import escape
from local_sagemaker.logs.timestamps import Mark, Marks, append

_SETTLED = 500  # Milliseconds without output after which an unfinished line counts as a line.
_SIDE = ".streams"
_DAY = 86_400_000


@dataclass(frozen=True)
class LogStream:
    """A log stream; times in milliseconds since the epoch, None while it is empty."""

    name: str
    created: int
    first: int | None
    last: int | None
    size: int


class Logs:
    """All log groups under a folder. Safe for several threads; different streams never wait for each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._marked: dict[tuple[str, str], int] = {}

    def file(self, group: str, stream: str) -> Path:
        """The plain text file of a stream, for a process to append to; made with its folders when it is new."""
        self.create_group(group)
        file, side, _ = self._files(group, stream)
        if not side.exists():
            _write(side, {"name": stream, "created": _now()})
        file.touch()
        return file

    def mark(self, group: str, stream: str, *, final: bool = False) -> None:
        """Notes how much the stream holds by now; cheap when nothing was added.

        With `final` nothing more comes: an unfinished last line is shown at once.
        """
        file, side, marks = self._files(group, stream)
        try:
            size = file.stat().st_size
        except FileNotFoundError:
            return
        with self._lock:
            grown = self._marked.get((group, stream)) != size
            self._marked[group, stream] = size
            if final:
                self._marked.pop((group, stream))
        if grown:
            append(marks, Mark(size, max(_now(), Marks(marks, Mark(0, 0)).last.time)))
        if final:
            _write(side, {**_load(side), "ended": size})

    def put(self, group: str, stream: str, events: list[tuple[int, str]]) -> None:
        """Appends messages with their own times (milliseconds since the epoch), in order."""
        file, _, marks = self._files(group, stream)
        self.file(group, stream)
        with self._lock, file.open("ab") as out:
            latest = Marks(marks, Mark(0, 0)).last.time
            for moment, message in sorted(events, key=lambda event: event[0]):
                out.write(message.rstrip("\n").encode() + b"\n")
                latest = max(latest, moment)
                append(marks, Mark(out.tell(), latest))

    def groups(self, prefix: str = "") -> list[dict[str, Any]]:
        """``{"name", "created", "size"}`` and what `change_group` set of each group, by name."""
        groups = [{**_load(side), "size": self._size(side.parent)} for side in self._folder.glob("*/.group.json")]
        return sorted((group for group in groups if group["name"].startswith(prefix)), key=lambda group: group["name"])

    def has(self, group: str, stream: str | None = None) -> bool:
        """Whether the group (or the stream in it) exists."""
        if stream is None:
            return (self._group(group) / ".group.json").exists()
        return self._files(group, stream)[0].exists()

    def create_group(self, group: str) -> None:
        """Makes a group; nothing happens when it exists."""
        side = self._group(group) / ".group.json"
        if not side.exists():
            (side.parent / _SIDE).mkdir(parents=True, exist_ok=True)
            _write(side, {"name": group, "created": _now()})

    def group(self, group: str) -> dict[str, Any]:
        """What is known of a group, as `groups` gives it without the size; empty when it does not exist."""
        return _load(self._group(group) / ".group.json")

    def change_group(self, group: str, **members: Any) -> None:
        """Sets members of a group (None removes one). ``retention`` is the days after which streams are removed."""
        side = self._group(group) / ".group.json"
        with self._lock:
            _write(side, {name: value for name, value in {**_load(side), **members}.items() if value is not None})

    def streams(self, group: str, prefix: str = "") -> list[LogStream]:
        """The streams of a group, by name; those past the group's retention are removed first."""
        folder = self._group(group)
        days = self.group(group).get("retention")
        streams = []
        for side in sorted((folder / _SIDE).glob(".*.json")):
            name = _load(side).get("name", "")
            if not name.startswith(prefix) or not self.has(group, name):
                continue
            stream = self._stream(group, name, side)
            if days and stream.last is not None and stream.last < _now() - days * _DAY:
                self.delete_stream(group, name)
            else:
                streams.append(stream)
        return sorted(streams, key=lambda stream: stream.name)

    def source(self, group: str, stream: str) -> LogSource:
        """A stream to read pages of events from; a line that is still being written is left out."""
        file, side, marks = self._files(group, stream)
        status = file.stat()
        changed = status.st_mtime_ns // 1_000_000
        end = status.st_size
        if _load(side).get("ended") != end and _now() - changed < _SETTLED:
            end = line_start(file, end)
        return LogSource(file, Marks(marks, Mark(status.st_size, changed)), end)

    def open_stream(self, group: str, stream: str) -> BinaryIO | None:
        """The plain bytes of a stream, None where there is none."""
        try:
            return self._files(group, stream)[0].open("rb")
        except FileNotFoundError:
            return None

    def delete_stream(self, group: str, stream: str) -> None:
        """Removes a stream and its side files."""
        for file in self._files(group, stream):
            file.unlink(missing_ok=True)

    def delete_group(self, group: str) -> None:
        """Removes a group with all its streams."""
        discard(self._group(group))

    def clear(self) -> None:
        """Removes everything."""
        discard(self._folder)
        with self._lock:
            self._marked.clear()

    def _stream(self, group: str, name: str, side: Path) -> LogStream:
        file, _, marks_file = self._files(group, name)
        status = file.stat()
        created = int(_load(side).get("created", status.st_mtime_ns // 1_000_000))
        if not status.st_size:
            return LogStream(name, created, None, None, 0)
        marks = Marks(marks_file, Mark(status.st_size, status.st_mtime_ns // 1_000_000))
        return LogStream(name, created, marks.at(1).time, marks.last.time, status.st_size)

    def _group(self, group: str) -> Path:
        return self._folder / escape(group)

    def _files(self, group: str, stream: str) -> tuple[Path, Path, Path]:
        folder, name = self._group(group), escape(stream)
        return folder / f"{name}.log", folder / _SIDE / f".{name}.json", folder / _SIDE / f".{name}.marks"

    @staticmethod
    def _size(folder: Path) -> int:
        return sum(file.stat().st_size for file in folder.glob("*.log"))


def _now() -> int:
    return time.time_ns() // 1_000_000


def _load(side: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(side.read_text()))
    except FileNotFoundError:
        return {}


def _write(side: Path, body: dict[str, Any]) -> None:
    fresh = side.with_name(f"{side.name}.{threading.get_ident()}")
    fresh.write_text(json.dumps(body))
    fresh.replace(side)  # A crash leaves either the old or the new one.
