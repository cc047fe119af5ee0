"""How a resource is made that takes several calls, when a crash came between them."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from local_sagemaker.api.operations import Call
from local_sagemaker.errors import ResourceInUse, ServiceError
from local_sagemaker.services.cloudformation.handlers.handler import DeploymentContext
from local_sagemaker.services.cloudformation.resource_creation import create_once, is_free

ROLE = {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "ManagedPolicyArns": ["arn:aws:iam::aws:policy/P"]}


def context(call: Call) -> DeploymentContext:
    return DeploymentContext(call, "123456789012", "us-east-1", "stack", "R", threading.Event())


class Iam:
    """IAM with a role that was made and has no policies yet."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.exists = True

    def __call__(self, operation: str, _request: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(operation.partition(":")[2])
        if operation == "iam:CreateRole":
            if self.exists:
                raise ResourceInUse("Role r already exists", code="EntityAlreadyExists")
            self.exists = True
        if operation == "iam:GetRole" and not self.exists:
            raise ServiceError("no role r", code="NoSuchEntity", status=404)
        if operation == "iam:DeleteRole":
            self.exists = False
        return {"Role": {"RoleName": "r", "Arn": "a", "RoleId": "i"}}


def test_what_a_crash_left_half_made_is_made_anew() -> None:
    iam = Iam()
    assert create_once("AWS::IAM::Role", context(iam), ROLE, again=True).physical == "r"
    after = iam.calls[iam.calls.index("DeleteRole") :]
    assert after[:3] == ["DeleteRole", "CreateRole", "AttachRolePolicy"]


def test_what_is_another_s_is_no_half_made_one() -> None:
    iam = Iam()
    with pytest.raises(ServiceError, match="already exists"):
        create_once("AWS::IAM::Role", context(iam), ROLE, again=False)
    assert iam.calls == ["CreateRole"]


def test_a_name_is_looked_for_before_anything_is_made() -> None:
    """After a crash, only what had a free name before counts as half made. Some creations would take over another's."""
    iam = Iam()
    assert not is_free("AWS::IAM::Role", context(iam), ROLE, {})
    assert is_free("AWS::IAM::Role", context(iam), ROLE, {"RoleName": "r"}), "it was made for this one"
    iam.exists = False
    assert is_free("AWS::IAM::Role", context(iam), ROLE, {})
    assert set(iam.calls) == {"GetRole"}

    def groups(_operation: str, _request: dict[str, Any]) -> dict[str, Any]:
        return {"logGroups": [{"logGroupName": "/taken"}]}

    for name in ("/taken", "/tak"):
        assert is_free("AWS::Logs::LogGroup", context(groups), {"LogGroupName": name}, {}) == (name == "/tak")

    def alarms(_operation: str, _request: dict[str, Any]) -> dict[str, Any]:
        return {"MetricAlarms": [{"AlarmArn": "a"}]}

    with pytest.raises(ServiceError, match="'a' already exists"):
        is_free("AWS::CloudWatch::Alarm", context(alarms), {"AlarmName": "a"}, {})
