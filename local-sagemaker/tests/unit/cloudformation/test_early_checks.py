"""Errors of functions that are found before a stack has resources, and values that wait for resources."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_sagemaker.cloudformation import parameters
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.intrinsics import Scope, output_text
from local_sagemaker.cloudformation.static_checks import check_values
from local_sagemaker.cloudformation.template import load

DOCUMENT: dict[str, Any] = {
    "Mappings": {"M": {"A": {"B": "mapped"}}},
    "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "Gone": {"Type": "AWS::SNS::Topic", "Condition": "Never"}},
}
NO_TEXT = "Template format error: The Value field of every Outputs member must evaluate to a String"
PIECE = {"Fn::Select": [1, {"Fn::Split": ["/", {"Ref": "Topic"}]}]}
LOST = {"Fn::FindInMap": ["M", "A", "C"]}


def check(value: Any, **more: Any) -> None:
    template = load(json.dumps({**DOCUMENT, "Outputs": {"O": {"Value": value, **more}}}))
    nothing: Any = None
    check_values(Scope(template, parameters.resolve(template, {}, nothing), {}, nothing, nothing, nothing))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (LOST, "Template error: Unable to get mapping for M::A::C"),
        ({"Fn::Join": ["", [{"Ref": "Topic"}, LOST]]}, "Template error: Unable to get mapping for M::A::C"),
        ({"Fn::If": ["Nowhere", 1, 2]}, "Template error: unresolved condition dependency Nowhere in Fn::If"),
        ({"Fn::If": ["Never", 1, {"Fn::Join": ["", [PIECE, LOST]]}]}, "Template error: Unable to get mapping"),
        ({"Fn::Select": [5, ["a"]]}, "Template error: Fn::Select cannot select nonexistent value at index 5"),
        ({"Ref": "Gone"}, "Unresolved resource dependencies [Gone] in the Outputs block of the template"),
        ([1, 2], f"{NO_TEXT} and not a List."),
        ({"a": "b"}, f"{NO_TEXT} and not a Map."),
        ({"Ref": "AWS::NoValue"}, f"{NO_TEXT}."),
        ({"Fn::Contains": [["a"], "a"]}, "Template error: unknown function Fn::Contains"),
        ({"Fn::Sub": ["${Topic}-${X}", {"X": LOST}]}, "Template error: Unable to get mapping for M::A::C"),
    ],
)
def test_an_error_that_no_resource_can_mend_is_found_before(value: Any, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        check(value)
    assert raised.value.message.startswith(message)


@pytest.mark.parametrize(
    "value",
    [PIECE, {"Fn::GetAtt": "Topic.TopicName"}, {"Fn::ImportValue": "elsewhere"}, {"Fn::If": ["Never", LOST, PIECE]}],
)
def test_what_needs_a_resource_waits_for_it(value: Any) -> None:
    check(value)


def test_what_has_a_false_condition_is_not_evaluated() -> None:
    check(LOST, Condition="Never")


def test_a_circle_of_conditions_is_refused_though_nothing_uses_them() -> None:
    circle = {"C": {"Fn::Not": [{"Condition": "D"}]}, "D": {"Fn::Not": [{"Condition": "C"}]}}
    template = load(json.dumps({**DOCUMENT, "Conditions": {**DOCUMENT["Conditions"], **circle}}))
    nothing: Any = None
    with pytest.raises(TemplateError, match="Circular dependency between conditions"):
        check_values(Scope(template, {}, {}, nothing, nothing, nothing))


def test_an_output_is_a_text_as_yaml_writes_it() -> None:
    assert [output_text(value) for value in (True, 5, "x")] == ["true", "5", "x"]
