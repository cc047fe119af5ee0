"""Inputs of targets (DEL-34): constants, paths, templates, as recorded of AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_sagemaker.errors import ValidationError
from local_sagemaker.eventbridge.target_input import UnfitInput, check, text_for

EVENT = {"id": "1", "detail-type": "T", "detail": {"name": "a", "parts": {"k": [1, 2]}, "words": ["x"]}}
RULE = {"name": "r", "arn": "arn:r", "ingestion": "2026-01-01T00:00:00Z"}


def transformed(template: str, **paths: str) -> str:
    target = {"Id": "t", "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    check(target)
    return text_for(target, EVENT, RULE)


def test_what_a_target_receives() -> None:
    assert text_for({"Id": "t", "Input": "{}"}, EVENT, RULE) == "{}"
    assert text_for({"Id": "t", "InputPath": "$.detail.parts"}, EVENT, RULE) == '{"k": [1, 2]}'
    paths = {"name": "$.detail.name", "parts": "$.detail.parts", "none": "$.detail.nothing", "k": "$.detail.parts.k"}
    assert transformed('{"n": <name>, "p": <parts>, "none": <none>, "t": "<name> has <none>"}', **paths) == (
        '{"n": "a", "p": {"k":[1,2]}, "none": "", "t": "a has "}'
    )
    assert transformed('"<name> has <parts>"\n"and <k>"', **paths) == '"a has {k:[1,2]}"\n"and [1,2]"'
    assert transformed('"say \\"<name>\\" of <aws.events.rule-name>"', **paths) == '"say \\"a\\" of r"'
    whole = transformed('{"e": <aws.events.event>, "all": <aws.events.event.json>}')
    assert json.loads(whole) == {"e": {"id": "1", "detailType": "T"}, "all": EVENT}


@pytest.mark.parametrize("template", ["<name> is here", '{"t": "<listed>"}'])
def test_what_is_no_json_is_not_sent(template: str) -> None:
    with pytest.raises(UnfitInput):
        transformed(template, name="$.detail.name", listed="$.detail.words")


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
