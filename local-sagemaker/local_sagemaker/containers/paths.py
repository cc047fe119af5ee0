"""Where the running process has its /opt/ml and its /tmp."""

from __future__ import annotations

import os
from pathlib import Path

IMAGE_PYTHON = "/miniconda3/bin/python"
"""The interpreter by the name that it has in the images: logs and failures say this, wherever Python is here."""


def ml() -> Path:
    """/opt/ml as the running process sees it. Another folder only where namespaces are not permitted."""
    return Path(os.environ.get("LOCAL_SAGEMAKER_ML", "/opt/ml"))


def private_tmp() -> Path:
    """/tmp as the running process sees it; private to the job."""
    return Path(os.environ.get("TMPDIR", "/tmp"))
