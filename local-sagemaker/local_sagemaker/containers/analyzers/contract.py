"""What both analyzer containers share: their paths and how they end."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from local_sagemaker.containers.paths import ml
from model_checks.datasets.times import utc
from model_checks.errors import AnalysisError

FAILED = 255  # the exit code of both containers
_MESSAGE_LENGTH = 1024

log = logging.getLogger("analyzer")


def local(path: str) -> Path:
    """A configured path as this process sees it: /opt/ml is elsewhere where namespaces are not permitted."""
    if path == "/opt/ml" or path.startswith("/opt/ml/"):
        return ml() / path.removeprefix("/opt/ml").lstrip("/")
    return Path(path)


def as_job_path(path: Path) -> str:
    """A path as the user knows it, in /opt/ml."""
    return str(Path("/opt/ml") / path.relative_to(ml())) if path.is_relative_to(ml()) else str(path)


def read_json(path: Path, what: str) -> Any:
    """A JSON document; the error names what it was to be."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise AnalysisError(f"Error: The {what} file {as_job_path(path)} does not exist.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise AnalysisError(f"Error: The {what} file {as_job_path(path)} is not JSON: {error}") from None


def time_of(environment: Mapping[str, str], name: str) -> datetime | None:
    """A time of the environment, in UTC where it says nothing else; None when it is not set."""
    text = environment.get(name)
    try:
        return utc(text) if text else None
    except ValueError:
        raise AnalysisError(f"Error: {name} is not a time in ISO 8601: {text}.") from None


def finish(message: str) -> None:
    """Leaves the exit message, which DescribeProcessingJob shows; an empty one is none."""
    if not message:
        return
    write(ml() / "output" / "message", message[:_MESSAGE_LENGTH])
    log.info("%s", message)


def require_variable(environment: Mapping[str, str], name: str) -> str:
    """The value of an environment variable. Raises AnalysisError where there is none."""
    value = environment.get(name)
    if not value:
        raise AnalysisError(f"Error: The environment variable {name} is not set.")
    return value


def write(path: Path, text: str) -> None:
    """Writes a whole file; its folder is made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def exit_code_of(work: Callable[[], str]) -> int:
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
