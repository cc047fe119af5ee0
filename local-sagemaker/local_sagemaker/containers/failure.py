"""How a training program ends: the failure file and the exit code that the platform reads (contracts: containers 2.4).

The exceptions carry the names of the container's own toolkit, since they show in the FailureReason of a job.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from local_sagemaker.containers.paths import ml

_ROOT = (str(Path(__file__).parents[2]),)
FRAMES = 2  # of the traceback; the platform keeps 1024 characters of the file, and the message comes last


class ToolkitError(Exception):
    """A failure with a text that the user should see; `caused_by` is the error below it."""

    def __init__(self, message: str, caused_by: BaseException | None = None) -> None:
        super().__init__(f"{message} (caused by {type(caused_by).__name__})" if caused_by else message)

    def __init_subclass__(cls) -> None:
        cls.__module__ = "sagemaker_algorithm_toolkit.exceptions"


class UserError(ToolkitError):
    """The request, the hyperparameters or the data are wrong."""


class AlgorithmError(ToolkitError):
    """The algorithm failed."""


class PlatformError(ToolkitError):
    """The environment of the job is not as the contract says."""


class ScriptError(Exception):
    """A text that goes into the failure file as it stands, and the exit code of what failed."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code or 1


def report(text: str) -> None:
    """Writes the failure file, unless one exists: the user's program knows best."""
    file = ml() / "output" / "failure"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def exit_code_of(work: Callable[[], object], prefix: str = "framework error") -> int:
    """Runs a training program: 0 and the success marker, or the failure file and the exit code of the error."""
    log = logging.getLogger("sagemaker-containers")
    try:
        work()
    except ScriptError as error:
        report(str(error))
        log.error("Reported training FAILURE\n%s", error)
        return error.exit_code
    except Exception as error:
        trace = _trace(error)
        report(f"{prefix}: \n{trace}\n{error}")
        log.error("Reporting training FAILURE\n%s: \n%s\n%s", prefix, trace, error)
        code = getattr(error, "errno", None)
        return code if isinstance(code, int) and 0 < code < 256 else 1
    (ml() / "output").mkdir(parents=True, exist_ok=True)
    (ml() / "output" / "success").touch()
    return 0


def _trace(error: Exception) -> str:
    """The error with its last frames, as Python prints them, with files as they are imported.

    Where the libraries are installed on this machine is no part of what a container would say.
    """
    trace = traceback.TracebackException.from_exception(error, limit=-FRAMES)
    roots = sorted((f"{root.rstrip('/')}/" for root in (*sys.path, *_ROOT) if root), key=len, reverse=True)
    for frame in trace.stack:
        root = next((root for root in roots if frame.filename.startswith(root)), "")
        frame.filename = frame.filename.removeprefix(root)
    return "".join(trace.format(chain=False))
