"""What both analyzer containers share: their paths, how they end, and the files in a dataset's folder."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from local_sagemaker.containers.analyzers import compressed
from local_sagemaker.containers.paths import ml

FAILED = 255  # the exit code of both containers
_MESSAGE_LENGTH = 1024

log = logging.getLogger("analyzer")


class AnalysisError(Exception):
    """The job can't be done as asked. The text is what the job's FailureReason shows."""


def local(path: str) -> Path:
    """A configured path as this process sees it: /opt/ml is elsewhere where namespaces are not permitted."""
    if path == "/opt/ml" or path.startswith("/opt/ml/"):
        return ml() / path.removeprefix("/opt/ml").lstrip("/")
    return Path(path)


def shown(path: Path) -> str:
    """A path as the user knows it, in /opt/ml."""
    return str(Path("/opt/ml") / path.relative_to(ml())) if path.is_relative_to(ml()) else str(path)


def files(folder: Path) -> list[Path]:
    """Every file of a dataset, whatever its extension, in order of its name; hidden and marker files are left out.

    Instead of a compressed file it is a decompressed copy (`compressed`).
    """
    found = [folder] if folder.is_file() else sorted(filter(lambda path: _is_data(path, folder), folder.rglob("*")))
    try:
        return [compressed.plain(path) for path in found]
    except compressed.Unreadable as error:
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


def read_json(path: Path, what: str) -> Any:
    """A JSON document; the error names what it was to be."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise AnalysisError(f"Error: The {what} file {shown(path)} does not exist.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise AnalysisError(f"Error: The {what} file {shown(path)} is not JSON: {error}") from None


def time_of(environment: Mapping[str, str], name: str) -> datetime | None:
    """A time of the environment, in UTC where it says nothing else; None when it is not set."""
    text = environment.get(name)
    try:
        return utc(text) if text else None
    except ValueError:
        raise AnalysisError(f"Error: {name} is not a time in ISO 8601: {text}.") from None


def utc(text: str) -> datetime:
    """A time in ISO 8601, in UTC where it says nothing else."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def finish(message: str) -> None:
    """Leaves the exit message, which DescribeProcessingJob shows; an empty one is none."""
    if not message:
        return
    write(ml() / "output" / "message", message[:_MESSAGE_LENGTH])
    log.info("%s", message)


def required(environment: Mapping[str, str], name: str) -> str:
    """The value of an environment variable. Raises AnalysisError where there is none."""
    value = environment.get(name)
    if not value:
        raise AnalysisError(f"Error: The environment variable {name} is not set.")
    return value


def write(path: Path, text: str) -> None:
    """Writes a whole file; its folder is made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def guarded(work: Callable[[], str]) -> int:
    """Runs an analysis to its exit message: 0, or 255 with the reason in the failure file, the message and the log."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    try:
        finish(work())
    except AnalysisError as error:
        reason = str(error)
        log.error("%s", reason)
    except MemoryError:
        reason = "Error: The dataset does not fit into the memory of this machine."
        log.error("%s", reason)
    except Exception as error:
        reason = f"Error: {type(error).__name__}: {error}"
        log.error("%s", traceback.format_exc())
    else:
        return 0
    write(ml() / "output" / "failure", reason[:_MESSAGE_LENGTH])
    write(ml() / "output" / "message", reason[:_MESSAGE_LENGTH])
    return FAILED


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
