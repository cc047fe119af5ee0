"""The files in a dataset's folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from model_checks.datasets import compression
from model_checks.errors import AnalysisError


def files(folder: Path) -> list[Path]:
    """Every file of a dataset, whatever its extension, in order of its name; hidden and marker files are left out.

    Instead of a compressed file it is a decompressed copy (`compression`).
    """
    paths = [folder] if folder.is_file() else sorted(filter(lambda path: _is_data(path, folder), folder.rglob("*")))
    try:
        return [compression.plain(path) for path in paths]
    except compression.Unreadable as error:
        raise AnalysisError(f"Error: {error}") from None


def _is_data(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    return path.is_file() and not hidden and path.suffix != ".manifest"


def same_columns(path: Path, names: Sequence[str], first: Path, expected: Sequence[str], kind: str) -> None:
    """Refuses a file whose columns are not those of the dataset's first file; the error names the first other one."""
    if list(names) == list(expected):
        return
    for position, (ours, theirs) in enumerate(zip_longest(names, expected)):
        if ours != theirs:
            raise AnalysisError(
                f"{kind}: The files of the dataset have different columns: column {position + 1} is "
                f"{ours or 'missing'} in {path.name}, but {theirs or 'missing'} in {first.name}."
            )


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
