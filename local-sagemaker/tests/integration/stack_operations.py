"""Stacks as tests make, change and look at them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import until

GROUP = {"Type": "AWS::SageMaker::ModelPackageGroup"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def parameters(**values: str) -> list[dict[str, str]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


def stack(stacks: Any, name: str) -> dict[str, Any]:
    return dict(stacks.describe_stacks(StackName=name)["Stacks"][0])


def settled(stacks: Any, name: str) -> dict[str, Any]:
    """The stack, when nothing is being done with it."""

    def at_rest() -> dict[str, Any] | None:
        found = stack(stacks, name)
        return None if found["StackStatus"].endswith("_PROGRESS") else found

    return dict(until(at_rest, f"{name} settles"))


def create(stacks: Any, name: str, template: dict[str, Any], **options: Any) -> dict[str, Any]:
    options.setdefault("Capabilities", ["CAPABILITY_IAM"])
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template), **options)
    return settled(stacks, name)


def update(stacks: Any, name: str, template: dict[str, Any], **options: Any) -> dict[str, Any]:
    stacks.update_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"], **options)
    return settled(stacks, name)


def events(stacks: Any, name: str) -> list[tuple[str, str, str]]:
    rows = stacks.describe_stack_events(StackName=name)["StackEvents"]
    members = ("LogicalResourceId", "ResourceStatus", "ResourceStatusReason")
    return [(row[members[0]], row[members[1]], row.get(members[2], "")) for row in rows][::-1]


def physical(stacks: Any, name: str) -> dict[str, str]:
    rows = stacks.list_stack_resources(StackName=name)["StackResourceSummaries"]
    return {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in rows}


def refused(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**request)
    return str(raised.value.response["Error"]["Message"])


def topics(*names: str, **more: Any) -> dict[str, Any]:
    resources = {f"T{i}": topic(name) for i, name in enumerate(names)}
    return {"Resources": {**resources, **more}}


def topic(name: str) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}


ENDPOINT_CONFIG = {
    "Type": "AWS::SageMaker::EndpointConfig",
    "Properties": {
        "EndpointConfigName": "never",
        "ProductionVariants": [{"VariantName": "a", "ModelName": "no-such-model", "InitialVariantWeight": 1,
                                "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}],
    },
}  # fmt: skip
"""A resource that can't be made: its model does not exist."""
