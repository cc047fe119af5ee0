"""Which changes a stack's policy allows, by the examples of the user guide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.services.cloudformation.stack_policies import DELETE, MODIFY, REPLACE, check, statements

ALLOW = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
BASES = {"StringEquals": {"ResourceType": ["AWS::RDS::DBInstance"]}}
TYPES = {"StringLike": {"ResourceType": "AWS::S*"}}


@pytest.mark.parametrize(
    ("rules", "action", "allowed"),
    [
        ([], DELETE, True),
        ([ALLOW], REPLACE, True),
        ([{**ALLOW, "Action": "Update:Modify"}], MODIFY, True),
        ([{**ALLOW, "Action": "Update:Modify"}], REPLACE, False),
        ([{**ALLOW, "Effect": "Deny"}, ALLOW], MODIFY, False),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Resource": "LogicalResourceId/To*"}], MODIFY, False),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Resource": "LogicalResourceId/to*"}], MODIFY, True),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Condition": BASES}], MODIFY, True),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Condition": TYPES}], MODIFY, False),
        ([{"Effect": "Allow", "NotAction": "Update:Delete", "Principal": "*", "Resource": "*"}], DELETE, False),
        ([{"Effect": "Allow", "NotAction": "Update:Delete", "Principal": "*", "Resource": "*"}], MODIFY, True),
        ([{"Effect": "Allow", "Action": "Update:Modify", "Principal": "*",
           "NotResource": "LogicalResourceId/B"}], MODIFY, True),
        ([ALLOW, {"Effect": "Deny", "Action": "Update:*", "Principal": "*"}], MODIFY, True),
    ],
)  # fmt: skip
def test_what_a_policy_allows(rules: list[dict[str, Any]], action: str, allowed: bool) -> None:
    """What no statement allows is denied; one without Resource concerns nothing (serverless/serverless#5012)."""
    text = json.dumps({"Statement": rules} if rules else {})
    if allowed:
        check(text, action, "Topic", "AWS::SNS::Topic")
        return
    with pytest.raises(TemplateError, match=r"^Action (denied|not allowed) by stack policy"):
        check(text, action, "Topic", "AWS::SNS::Topic")


@pytest.mark.parametrize(
    "wrong",
    [
        "x", "[]", json.dumps({"Statement": "x"}), json.dumps({"Statement": [{**ALLOW, "Odd": 1}]}),
        json.dumps({"Statement": [{**ALLOW, "Effect": "Perhaps"}]}),
        json.dumps({"Statement": [{**ALLOW, "Action": "Delete:*"}]}),
        json.dumps({"Statement": [{**ALLOW, "Principal": "me"}]}),
        json.dumps({"Statement": [{**ALLOW, "Resource": "Topic"}]}),
        json.dumps({"Statement": [{**ALLOW, "NotAction": "Update:Delete"}]}),
        json.dumps({"Statement": [{**ALLOW, "NotResource": "LogicalResourceId/Topic"}]}),
        json.dumps({"Statement": [{**ALLOW, "Condition": {"StringEquals": {"Odd": "x"}}}]}),
    ],
)  # fmt: skip
def test_what_is_no_policy(wrong: str) -> None:
    with pytest.raises(TemplateError, match="Error validating stack policy: Invalid stack policy"):
        statements(wrong)
