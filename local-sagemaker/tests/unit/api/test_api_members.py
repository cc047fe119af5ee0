"""Each member of each supported operation acts, is recorded, stands in docs/reference/members.md or is refused."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import botocore
import pytest

import local_sagemaker
from local_sagemaker.api import members
from local_sagemaker.api.validation import check
from local_sagemaker.cli import member_reference, reference
from local_sagemaker.cli.reference import list_operations
from local_sagemaker.engine.validation import read
from local_sagemaker.errors import NotSupported, ValidationError
from tests.support import ROLE, XGBOOST, document

SERVICES = tuple(dict.fromkeys(name.partition(":")[0] for name in list_operations()))
COMPUTED = re.compile(
    r"(Checksum(CRC|SHA|MD5|XXHASH)\w*|CopySourceIf\w+|Response[A-Z]\w+|"
    r"(Data|Model)(Quality|Bias|Explainability)(AppSpecification|BaselineConfig|JobInput|JobOutputConfig)|"
    r"(Artifact|Action|Context)(Name|Arn)|"
    r"(Parameters|InputArtifacts|OutputArtifacts)ToRemove)"
)
"""Members whose names the code puts together, as ``f"Checksum{algorithm}"``."""


def reachable(service: str) -> set[str]:
    operations = [name.partition(":")[2] for name in list_operations() if name.startswith(f"{service}:")]
    return {member for operation in operations for member in members.reachable(service, operation)}


@pytest.mark.parametrize("service", SERVICES)
def test_every_member_of_every_supported_operation_is_classified(service: str) -> None:
    unclassified = sorted(reachable(service) - set(members.table(service)))
    assert not unclassified, f"to be listed in api/members/{service}.toml, or done: {unclassified}"


@pytest.mark.parametrize("service", SERVICES)
def test_the_tables_name_no_member_that_there_is_not(service: str) -> None:
    text = (resources.files(members.__name__) / f"{service}.toml").read_text("utf-8")
    written = tomllib.loads(text)["botocore"]
    if _version(botocore.__version__) < _version(written):
        pytest.skip(f"the table is of botocore {written}")
    assert sorted(set(members.table(service)) - reachable(service)) == []


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3])


def named_in_code() -> set[str]:
    """All texts and names of keyword arguments in the shipped code."""
    found: set[str] = set()
    for file in Path(local_sagemaker.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.keyword) and node.arg:
                found.add(node.arg)
    return found


def test_a_member_that_acts_is_named_in_the_code() -> None:
    named = named_in_code()
    idle = [
        f"{service}:{name}"
        for service in SERVICES
        for name, support in members.table(service).items()
        if support.kind in ("acts", "refused_by_operation")
        and (member := name.partition(".")[2]) not in named
        and not COMPUTED.fullmatch(member)
    ]
    assert not idle


@pytest.mark.parametrize("service", SERVICES)
def test_what_does_not_act_has_a_reason(service: str) -> None:
    for name, support in members.table(service).items():
        needs = support.kind in ("kept", "refused", "refused_by_operation")
        assert (len(support.reason) > 15) == needs, name


def test_the_pages_are_those_that_make_docs_writes() -> None:
    assert document("reference/members.md").read_text("utf-8") == member_reference.render()
    assert document("reference/operations.md").read_text("utf-8") == reference.render()


def requests() -> Iterator[tuple[str, dict[str, Any], str]]:
    """Operation, request, and the member that is refused in it."""
    channel = {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/x"}}}
    training = {
        "TrainingJobName": "job", "RoleArn": ROLE, "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }  # fmt: skip
    groups = [{"InstanceType": "ml.m5.large", "InstanceCount": 1, "InstanceGroupName": "g"}]
    yield (
        "sagemaker:CreateTrainingJob",
        {**training, "ResourceConfig": {"InstanceGroups": groups}},
        ("ResourceConfig.InstanceGroups"),
    )
    channel["DataSource"]["S3DataSource"]["AttributeNames"] = ["a"]  # type: ignore[index]
    yield (
        "sagemaker:CreateTrainingJob",
        {**training, "InputDataConfig": [channel]},
        ("InputDataConfig.DataSource.S3DataSource.AttributeNames"),
    )
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    variant["RoutingConfig"] = {
        "RoutingStrategy": "RANDOM",
        "PrefixAwareRoutingConfig": {"PrefixLength": 1024, "ConcurrencyThreshold": 10},
    }
    yield (
        "sagemaker:CreateEndpointConfig",
        {"EndpointConfigName": "c", "ProductionVariants": [variant]},
        ("ProductionVariants.RoutingConfig.PrefixAwareRoutingConfig"),
    )
    yield "sagemaker-runtime:InvokeEndpoint", {
        "EndpointName": "e", "Body": b"", "InferenceComponentName": "x"
    }, "InferenceComponentName"  # fmt: skip
    yield "lambda:Invoke", {"FunctionName": "f", "TenantId": "t"}, "TenantId"
    yield "logs:FilterLogEvents", {"logGroupName": "g", "startFromHead": False}, "startFromHead"
    yield (
        "s3:CopyObject",
        {"Bucket": "bucket", "Key": "k", "CopySource": "bucket/k", "ChecksumAlgorithm": "XXHASH64"},
        ("ChecksumAlgorithm"),
    )


@pytest.mark.parametrize(("name", "request_", "member"), [*requests()], ids=lambda value: str(value)[:40])
def test_a_refused_member_is_named(name: str, request_: dict[str, Any], member: str) -> None:
    with pytest.raises(NotSupported, match=rf"^{re.escape(member)} is not supported by the local service\. [A-Z]"):
        check(name, request_)


def test_values_that_ask_for_nothing_are_taken() -> None:
    check("sagemaker:CreateModelPackage", {"ModelPackageName": "p", "CertifyForMarketplace": False})
    check("sagemaker:ListPipelines", {})
    check("logs:FilterLogEvents", {"logGroupName": "g", "startFromHead": True})
    check("s3:CopyObject", {"Bucket": "bucket", "Key": "k", "CopySource": "b/k", "ChecksumAlgorithm": "SHA512"})


def test_a_step_with_a_refused_member_is_refused_when_the_pipeline_is_created() -> None:
    arguments = {
        "RoleArn": ROLE,
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        "ModelPackageConfig": {
            "ModelPackageGroupArn": "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/g"
        },
    }
    step = {"Name": "T", "Type": "Training", "Arguments": arguments}
    with pytest.raises(ValidationError, match=r"Step 'T': ModelPackageConfig is not supported by the local service"):
        read(json.dumps({"Version": "2020-12-01", "Steps": [step]}))
