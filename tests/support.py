"""Where the tests of this distribution have their files, and the service's helpers for tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local_sagemaker.testing import (
    COMMANDS,
    ROLE,
    SCIKIT_LEARN,
    XGBOOST,
    create_function,
    create_pipeline,
    read_json,
    script_step,
)
from local_sagemaker.testing import LocalSageMaker as Service
from local_sagemaker.testing import list_steps as steps_of
from local_sagemaker.testing import start_execution as start
from local_sagemaker.testing import wait_for_execution as finished
from local_sagemaker.testing import wait_until as until
from local_sagemaker.testing import zip_modules as zipped

__all__ = [
    "COMMANDS", "ROLE", "ROOT", "SCIKIT_LEARN", "SHARED", "XGBOOST", "Service", "create_function", "create_pipeline",
    "finished", "read_json", "script_step", "sdk_v2_python", "shared_file", "start", "steps_of", "until", "zipped",
]  # fmt: skip

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
"""The folder beside the checkout that holds reference data."""


def shared_file(name: str) -> Path:
    """A file of the folder beside the checkout that holds reference data; skips by name where it is missing."""
    file = SHARED / name
    if not file.exists():
        pytest.skip(f"the reference file {name} is not at hand")
    return file


def sdk_v2_python() -> str:
    """The Python of an environment with SDK v2, which the service's tests make; skips where there can be none."""
    made = subprocess.run(
        [sys.executable, ROOT / "local-sagemaker" / "tests" / "sdk_v2.py"], text=True, capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no environment with SDK v2 can be made here: {made.stderr[-300:]}")
    return made.stdout.strip()
