"""What importing the gateway costs: the server must be ready before botocore could have been loaded."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

HEAVY = ("botocore", "boto3", "moto", "urllib3", "pandas", "numpy", "xgboost", "sklearn")


def test_the_gateway_starts_without_botocore() -> None:
    script = (
        "import json, sys; from local_sagemaker.api import models, validation; "
        "from local_sagemaker.wire import gateway; "
        "print(json.dumps(list(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert not set(HEAVY) & set(json.loads(printed))


def test_service_models_take_little_memory() -> None:
    script = (
        "from pathlib import Path; from local_sagemaker.api import models; "
        "from local_sagemaker.wire import gateway; models.warm(); "
        "print(Path('/proc/self/statm').read_text().split()[1])"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert int(printed) * resource.getpagesize() < 90e6
