"""The log streams' text files below the state folder: finds, shows and follows them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 65_536
_PAUSE = 0.2
"""Seconds between two looks of `follow`."""


@dataclass(frozen=True)
class LogFile:
    """The file of one log stream, or of the service itself."""

    path: Path
    title: str
    changed: float
    """Seconds since the epoch."""


def find(home: Path, word: str) -> list[LogFile]:
    """The streams of all regions with the word in their group's or their own name, the last written first."""
    log_files = []
    for path in (home / "logs").glob("*/*/*.log"):
        title = f"{path.parent.name}/{path.stem}".replace("+", "/")
        if word.lower() in title.lower():
            log_files.append(LogFile(path, title, path.stat().st_mtime))
    return sorted(log_files, key=lambda file: file.changed, reverse=True)


def of_job(home: Path, job: str) -> list[LogFile]:
    """The streams of a job's hosts."""
    return sorted(
        (LogFile(path, f"{path.parent.name}/{path.stem}".replace("+", "/"), path.stat().st_mtime)
         for path in (home / "logs").glob(f"*/+aws+sagemaker+*Jobs/{job}+*.log")),
        key=lambda file: file.title,
    )  # fmt: skip


def last_lines(path: Path, count: int) -> tuple[str, int]:
    """The last lines of a file, and the place of its end. All of it where `count` is 0."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        start, data = end, b""
        while start > 0 and (count == 0 or data.count(b"\n") <= count):
            start = max(0, start - _BLOCK)
            file.seek(start)
            data = file.read(end - start)
    lines = data.splitlines(keepends=True)
    return b"".join(lines[-count:] if count else lines).decode("utf-8", "replace"), end


def show(files: Iterable[LogFile], count: int, positions: dict[Path, int] | None = None) -> None:
    """Prints the ends of files, each below its title. `positions` then says up to where each was shown."""
    for file in files:
        text, end = last_lines(file.path, count)
        print(f"==> {file.title} <==\n{text}", end="" if text.endswith("\n") else "\n", flush=True)
        if positions is not None:
            positions[file.path] = end


def follow(look: Callable[[], Iterable[LogFile]], positions: dict[Path, int], ended: Callable[[], bool]) -> None:
    """Prints what is added, to files that `look` finds later, too, until `ended` and nothing more comes."""
    titled: Path | None = None
    while True:
        last_look = ended()
        for file, text in _read_added(look(), positions):
            if file.path != titled:
                print(f"==> {file.title} <==")
                titled = file.path
            print(text, end="", flush=True)
        if last_look:
            return
        time.sleep(_PAUSE)


def _read_added(files: Iterable[LogFile], positions: dict[Path, int]) -> Iterator[tuple[LogFile, str]]:
    for file in files:
        before = positions.get(file.path, 0)
        with file.path.open("rb") as opened:
            if opened.seek(0, 2) < before:  # emptied since
                before = 0
            opened.seek(before)
            data = opened.read()
        positions[file.path] = before + len(data)
        if data:
            yield file, data.decode("utf-8", "replace")
