"""Where a Clarify job has its inputs: the guide fixes their names, their folders are the request's.

Four public pipelines, one of them AWS's own sample, mount ``analysis_config`` elsewhere than the guide's example does.
The job and the service read it alike, so that the service knows which model the job will ask.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

ROOT = PurePosixPath("/opt/ml")
JOB_CONFIG = "config/processingjobconfig.json"
_USUAL = {"analysis_config": "processing/input/config", "dataset": "processing/input/data"}


def folder_of(name: str, ml: Path) -> Path:
    """The folder of the input ``analysis_config`` or ``dataset`` below a job's /opt/ml."""
    usual = ml / _USUAL[name]
    try:
        inputs = json.loads((ml / JOB_CONFIG).read_text("utf-8"))["ProcessingInputs"]
        path = next(entry["S3Input"]["LocalPath"] for entry in inputs if entry["InputName"] == name)
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return usual
    below = PurePosixPath(str(path))
    if ".." in below.parts or not below.is_relative_to(ROOT):
        return usual
    return ml / below.relative_to(ROOT)
