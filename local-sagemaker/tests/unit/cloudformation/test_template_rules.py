"""A template's Rules: which values they let through, and what they refuse whatever the values are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_sagemaker.cloudformation import parameters, rules
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.intrinsics import Scope
from local_sagemaker.cloudformation.template import Template, load

PARAMETERS = {
    "Stage": {"Type": "String", "Default": "dev"},
    "Sizes": {"Type": "CommaDelimitedList", "Default": "a,b"},
    "Certificate": {"Type": "String", "Default": ""},
}
LATEST = {"Fn::Not": [{"Fn::Contains": [["1", "2"], {"Ref": "Stage"}]}]}
"""As the rule of CDK's templates about the version of the bootstrap stack."""


def template(rule: Any) -> Template:
    topic = {"Topic": {"Type": "AWS::SNS::Topic"}}
    return load(json.dumps({"Parameters": PARAMETERS, "Rules": {"R": rule}, "Resources": topic}))


def check(rule: Any, **values: str) -> None:
    read = template(rule)
    rules.check_shape(read.rules)
    nothing: Any = None
    resolved = parameters.resolve(read, values, nothing)
    rules.assert_all(read.rules, Scope(read, resolved, {"AWS::Region": "us-east-1"}, nothing, nothing, nothing))


def assertion(value: Any, **members: Any) -> dict[str, Any]:
    return {"Assertions": [{"Assert": value, "AssertDescription": "as described"}], **members}


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (LATEST, True),
        ({"Fn::Contains": [["dev", "test"], {"Ref": "Stage"}]}, True),
        ({"Fn::Contains": [{"Ref": "Sizes"}, "c"]}, False),
        ({"Fn::EachMemberIn": [{"Ref": "Sizes"}, ["a", "b", "c"]]}, True),
        ({"Fn::EachMemberIn": [["a", "d"], {"Ref": "Sizes"}]}, False),
        ({"Fn::EachMemberEquals": [{"Ref": "Sizes"}, "a"]}, False),
        ({"Fn::And": [LATEST, {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}]}, False),
        ({"Fn::Or": [LATEST, {"Fn::Equals": [{"Ref": "Certificate"}, "x"]}]}, True),
    ],
)  # fmt: skip
def test_an_assertion_that_does_not_hold_is_refused_with_its_description(value: Any, holds: bool) -> None:
    rule = assertion(value)
    if holds:
        check(rule)
        return
    with pytest.raises(TemplateError) as raised:
        check(rule)
    assert raised.value.message == "Template validation error: The rule R failed: as described"


def test_a_rule_counts_where_its_condition_holds() -> None:
    condition = {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
    rule = assertion({"Fn::Not": [{"Fn::Equals": [{"Ref": "Certificate"}, ""]}]}, RuleCondition=condition)
    check(rule)
    check(rule, Stage="prod", Certificate="arn")
    with pytest.raises(TemplateError):
        check(rule, Stage="prod")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (assertion({"Fn::ValueOf": ["Stage", "VpcId"]}), "LocalUnsupported: Fn::ValueOf is not executed"),
        (assertion({"Fn::Join": ["", []]}), "Template format error: Fn::Join can't be used in Rules/R"),
        ({"Assertions": []}, "Template format error: The rule R needs a list of Assertions"),
        ({"Assertions": [{}]}, "Template format error: Every assertion of the rule R needs an Assert"),
        ({"Asserts": []}, "Template format error: Unrecognized member Asserts of the rule R"),
        (assertion({"Fn::Equals": [{"Ref": "Topic"}, "x"]}), "Template format error: Unresolved resource dependencies"),
        (assertion({"Fn::Contains": ["x"]}), "Template error: every Fn::Contains object requires a list argument"),
        (assertion("perhaps"), "Template error: every condition of the rule R must be a boolean"),
    ],
)  # fmt: skip
def test_what_no_value_makes_right_is_refused(rule: Any, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        check(rule)
    assert raised.value.message.startswith(message)
