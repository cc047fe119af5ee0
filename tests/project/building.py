"""What the project's tests share: the abalone pipeline's definition, and its graph as a set of edges."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from typing import Any
from unittest import mock

import boto3
from moto import mock_aws

ROLE = "arn:aws:iam::123456789012:role/ProjectTest"
BUCKET = "project-test"
STEPS = {
    "PreprocessAbaloneData": "Processing",
    "DataQualityCheckStep": "QualityCheck",
    "DataBiasCheckStep": "ClarifyCheck",
    "TrainAbaloneModel": "Training",
    "AbaloneCreateModel": "Model",
    "AbaloneTransform": "Transform",
    "ModelQualityCheckStep": "QualityCheck",
    "ModelBiasCheckStep": "ClarifyCheck",
    "ModelExplainabilityCheckStep": "ClarifyCheck",
    "EvaluateAbaloneModel": "Processing",
    "CheckMSEAbaloneEvaluation": "Condition",
    "RegisterAbaloneModel": "RegisterModel",
}
STOCK_EDGES = {
    ("PreprocessAbaloneData", "DataQualityCheckStep"),
    ("PreprocessAbaloneData", "DataBiasCheckStep"),
    ("PreprocessAbaloneData", "TrainAbaloneModel"),
    ("PreprocessAbaloneData", "AbaloneTransform"),
    ("PreprocessAbaloneData", "ModelBiasCheckStep"),
    ("PreprocessAbaloneData", "ModelExplainabilityCheckStep"),
    ("PreprocessAbaloneData", "EvaluateAbaloneModel"),
    ("DataQualityCheckStep", "TrainAbaloneModel"),
    ("DataBiasCheckStep", "TrainAbaloneModel"),
    ("TrainAbaloneModel", "AbaloneCreateModel"),
    ("TrainAbaloneModel", "EvaluateAbaloneModel"),
    ("TrainAbaloneModel", "RegisterAbaloneModel"),
    ("AbaloneCreateModel", "AbaloneTransform"),
    ("AbaloneCreateModel", "ModelBiasCheckStep"),
    ("AbaloneCreateModel", "ModelExplainabilityCheckStep"),
    ("AbaloneTransform", "ModelQualityCheckStep"),
    ("EvaluateAbaloneModel", "CheckMSEAbaloneEvaluation"),
    ("CheckMSEAbaloneEvaluation", "RegisterAbaloneModel"),
    ("DataQualityCheckStep", "RegisterAbaloneModel"),
    ("DataBiasCheckStep", "RegisterAbaloneModel"),
    ("ModelQualityCheckStep", "RegisterAbaloneModel"),
    ("ModelBiasCheckStep", "RegisterAbaloneModel"),
    ("ModelExplainabilityCheckStep", "RegisterAbaloneModel"),
}


def build(**arguments: Any) -> dict[str, Any]:
    """The definition, built against in-process doubles of S3 and STS."""
    with mock_aws(), mock.patch.dict(os.environ, SAGEMAKER_VALIDATE_ROLE="false"):
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        from pipelines.abalone.pipeline import get_pipeline

        given = {"region": "us-east-1", "role": ROLE, "default_bucket": BUCKET, **arguments}
        return dict(json.loads(get_pipeline(**given).definition()))


@cache
def stock() -> dict[str, Any]:
    """The definition with default arguments."""
    return build()


def edges(definition: dict[str, Any]) -> set[tuple[str, str]]:
    """Who must come before whom: explicit dependencies, references, and a condition before what it decides on."""
    found = set()
    for step, parent in _walk(definition["Steps"], None):
        shallow = {**step, "Arguments": _without_branches(step)}
        after = set(re.findall(r"Steps\.([A-Za-z0-9_-]+)", json.dumps(shallow))) | set(step.get("DependsOn", []))
        found |= {(name, step["Name"]) for name in after | ({parent} if parent else set())}
    return found


def steps(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All steps by name."""
    return {step["Name"]: step for step, _ in _walk(definition["Steps"], None)}


def _walk(listed: list[dict[str, Any]], parent: str | None) -> list[tuple[dict[str, Any], str | None]]:
    found: list[tuple[dict[str, Any], str | None]] = []
    for step in listed:
        found.append((step, parent))
        for branch in ("IfSteps", "ElseSteps"):
            found += _walk(step["Arguments"].get(branch, []), step["Name"])
    return found


def _without_branches(step: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in step["Arguments"].items() if name not in ("IfSteps", "ElseSteps")}
