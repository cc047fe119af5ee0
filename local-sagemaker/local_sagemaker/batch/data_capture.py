"""DataCaptureConfig of a transform job: manifests that say which objects went in and came out.

Below the destination there are ``input/`` and ``output/`` with a folder for the hour in which the job began and in it
a manifest: its prefix, then the objects' names relative to it (Developer Guide, "Capture data from batch transform
job"; file name and form from the recorded run of SageMaker-Monitoring-Bias-Drift-for-Batch-Transform-JSON-Lines in
aws/amazon-sagemaker-examples).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any


class BatchCapture:
    """Writes the manifests of one host below a folder whose files are uploaded to the destination."""

    def __init__(self, request: Mapping[str, Any], folder: Path) -> None:
        self._outputs = request["TransformOutput"]["S3OutputPath"].rstrip("/") + "/"
        self._folder = folder

    def write(self, bucket: str, transformed: Sequence[Mapping[str, str]], started: datetime) -> None:
        """The manifests for the objects that have an output; `transformed` holds each one's key and relative name."""
        if not transformed:
            return
        first = transformed[0]
        inputs = f"s3://{bucket}/{first['key'].removesuffix(first['name'])}"
        names = [item["name"] for item in transformed]
        hour = started.strftime("%Y/%m/%d/%H")
        self._manifest(f"input/{hour}", inputs, names)
        self._manifest(f"output/{hour}", self._outputs, [f"{name}.out" for name in names])

    def _manifest(self, place: str, prefix: str, names: list[str]) -> None:
        file = self._folder / place / f"{uuid.uuid4()}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps([{"prefix": prefix}, *names]), "utf-8")
