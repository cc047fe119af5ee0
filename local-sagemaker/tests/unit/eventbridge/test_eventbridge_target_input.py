"""Inputs of targets: constants, paths, templates."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.errors import ValidationError
from local_sagemaker.eventbridge.target_input import check, text_for

EVENT = {"id": "1", "detail": {"name": "a", "parts": {"k": [1, 2]}}}
RULE = {"name": "r", "arn": "arn:r", "ingestion": "2026-01-01T00:00:00Z"}


def transformed(template: str, **paths: str) -> str:
    target = {"Id": "t", "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    check(target)
    return text_for(target, EVENT, RULE)


def test_what_a_target_receives() -> None:
    assert text_for({"Id": "t", "Input": "{}"}, EVENT, RULE) == "{}"
    assert text_for({"Id": "t", "InputPath": "$.detail.parts"}, EVENT, RULE) == '{"k": [1, 2]}'
    paths = {"name": "$.detail.name", "parts": "$.detail.parts", "none": "$.detail.nothing"}
    assert transformed(
        '{"n": <name>, "p": <parts>, "t": "<name> has <parts><none>", "r": "<aws.events.rule-name>"}', **paths
    ) == ('{"n": "a", "p": {"k": [1, 2]}, "t": "a has {k: [1, 2]}", "r": "r"}')


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (
            {"Input": "{}", "InputPath": "$"},
            "Only one of Input, InputPath, or InputTransformer must be provided for target t.",
        ),
        (
            {"InputTransformer": {"InputTemplate": "<x>"}},
            "InputTemplate for target t contains invalid placeholder x.",
        ),
    ],
)
def test_inputs_that_are_refused(target: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError) as raised:
        check({"Id": "t", **target})
    assert raised.value.message == text
