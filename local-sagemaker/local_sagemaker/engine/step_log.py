"""What the engine notes about a step in its log stream: why it ran or was reused, and attempts that were made again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.clock import iso
from local_sagemaker.logs import Logs

LOG_GROUP = "/aws/sagemaker/PipelineExecutions"


def write_note(logs: Logs, stream: str, text: str) -> None:
    """Adds a line; `stream` is ``pipeline/execution/step``."""
    with logs.file(LOG_GROUP, stream).open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")
    logs.mark(LOG_GROUP, stream)


def attempt_note(record: Mapping[str, Any], reason: str, ended: float) -> str:
    """The note of an attempt that failed, or was stopped, and is made again; `record` is the step's."""
    first = reason.strip().partition("\n")[0][:1024] or "no reason was given"
    seconds = max(0.0, ended - float(record.get("StartTime") or ended))
    return f"Attempt {record['AttemptCount']} ended at {iso(ended)} after {seconds:.3f} s: {first}"
