"""Definitions of one or few steps, for tests of what CreatePipeline refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_sagemaker.engine.validation import read
from local_sagemaker.errors import ValidationError
from tests.unit.engine.world import ROLE, get, processing

PREFIX = "Unable to parse pipeline definition. "
FAILED = f"{PREFIX}Model Validation failed: "
PARAMETERS = [
    {"Name": "I", "Type": "Integer", "DefaultValue": 1},
    {"Name": "F", "Type": "Float", "DefaultValue": 0.5},
    {"Name": "B", "Type": "Boolean", "DefaultValue": True},
    {"Name": "S", "Type": "String", "DefaultValue": "x"},
    {"Name": "U", "DefaultValue": "a string, since it has no type"},
]
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
EQUAL = {"Type": "Equals", "LeftValue": get("Parameters.B"), "RightValue": True}


def text(*steps: Any, **more: Any) -> str:
    return json.dumps({"Version": "2020-12-01", "Parameters": PARAMETERS, "Steps": list(steps), **more})


def refusal(definition: str) -> str:
    with pytest.raises(ValidationError) as refused:
        read(definition)
    assert refused.value.code == "ValidationException"
    return refused.value.message


def cluster(**members: Any) -> dict[str, Any]:
    given = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10, **members}
    return processing("A", ProcessingResources={"ClusterConfig": given})


def container(**members: Any) -> dict[str, Any]:
    return processing("A", AppSpecification={"ImageUri": "i", **members})


def source(**members: Any) -> dict[str, Any]:
    given = {"S3Uri": "s3://b/k", "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix", **members}
    return processing("A", ProcessingInputs=[{"InputName": "in", "S3Input": given}])


def model(**members: Any) -> dict[str, Any]:
    return {"Name": "M", "Type": "Model", "Arguments": {"ExecutionRoleArn": ROLE, **members}}


def register(**members: Any) -> dict[str, Any]:
    return {"Name": "R", "Type": "RegisterModel", "Arguments": {"ModelPackageGroupName": "g", **members}}


def endpoint_config(**members: Any) -> dict[str, Any]:
    variant = {"VariantName": "A", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    return {"Name": "C", "Type": "EndpointConfig", "Arguments": {"ProductionVariants": [{**variant, **members}]}}


def endpoint(**members: Any) -> dict[str, Any]:
    return {"Name": "E", "Type": "Endpoint", "Arguments": {"EndpointConfigName": "c", **members}}


def transform(**members: Any) -> dict[str, Any]:
    arguments = {
        "ModelName": "m",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/k"}}},
        "TransformOutput": {"S3OutputPath": "s3://b/o"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    return {"Name": "T", "Type": "Transform", "Arguments": {**arguments, **members}}


def check(kind: str = "QualityCheck", check_type: str = "DATA_QUALITY", **members: Any) -> dict[str, Any]:
    return {**processing("Q"), "Type": kind, "CheckType": check_type, **members}


def condition(*conditions: Any, **more: Any) -> dict[str, Any]:
    return {"Name": "If", "Type": "Condition", "Arguments": {"Conditions": list(conditions), **more}}


def function(**members: Any) -> dict[str, Any]:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
    return {"Name": "L", "Type": "Lambda", "FunctionArn": arn, "Arguments": {}, **members}


def join(*values: Any, on: str = "") -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def longer(length: int, limit: int, shape: str) -> str:
    given = "x" * length
    return f"string '{given}' with length={length} cannot be greater than max={limit}.0 defined for {shape}."


def null(name: str) -> str:
    return f"Value null for '{name}' failed to satisfy constraint: Member must not be null"


def no_enum(value: str, shape: str, known: str) -> str:
    return f"Value '{value}' for '{shape}' failed to satisfy enum value set: [{known}]"


def no_match(value: str, shape: str, pattern: str) -> str:
    return f"Value '{value}' for '{shape}' failed to satisfy regular expression pattern: {pattern}"


JSON_GET = {"Std:JsonGet": {"S3Uri": "s3://b/k.json", "Path": "a"}}
OUTPUTS = [{"OutputName": "n", "OutputType": "Integer"}, {"OutputName": "s"}]
