"""Patterns of parameters that no value can be compared with: they are searched in a process with a time limit."""

from __future__ import annotations

import json

import pytest

from local_sagemaker.cloudformation import parameters
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.template import load


@pytest.mark.parametrize(
    ("pattern", "value", "message"),
    [
        (
            "(a+)+",
            "a" * 40 + "b",
            "Template error: the AllowedPattern of parameter 'P': the regular expression '(a+)+' takes too long",
        ),
        (
            "(",
            "a",
            "Template error: the AllowedPattern of parameter 'P': the regular expression '(': missing ), unterminated "
            "subpattern at position 0",
        ),
    ],
)
def test_a_pattern_that_can_not_be_used_is_refused(pattern: str, value: str, message: str) -> None:
    rule = {"Type": "String", "AllowedPattern": pattern}
    template = load(json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Parameters": {"P": rule}}))
    with pytest.raises(TemplateError) as raised:
        parameters.resolve(template, {"P": value}, str)
    assert raised.value.message == message
