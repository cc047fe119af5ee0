"""Forms of the query protocol: odd names of members are unknown ones, not a fault of the service."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from local_sagemaker.wire import detect
from local_sagemaker.wire.body import Body, source_of
from local_sagemaker.wire.protocols import query
from local_sagemaker.wire.request import WireRequest


def members(action: str, *pairs: tuple[str, str]) -> Any:
    text = urlencode([("Action", action), ("Version", "2010-05-15"), *pairs])
    request = WireRequest("POST", "/", text, {"host": "127.0.0.1:5000"}, Body(source_of(b"")))
    return query.parse(request, detect.find("cloudformation", request))


@pytest.mark.parametrize("name", ["EnableTerminationProtection.", "StackName..", ".", ""])
def test_dots_at_the_end_of_a_name_add_nothing(name: str) -> None:
    pairs = [("StackName", "s"), ("EnableTerminationProtection", "true")]
    expected = {"StackName": "s", "EnableTerminationProtection": True}
    assert members("UpdateTerminationProtection", *pairs, (name, "x")) == expected
    assert members("UpdateTerminationProtection", (name, "x"), *pairs) == expected


def test_lists_and_structures() -> None:
    pairs = [("StackName", "s"), ("Tags.member.2.Key", "b"), ("Tags.member.1.Key", "a"), ("Tags.member.1.Key.", "z")]
    assert members("CreateStack", *pairs) == {"StackName": "s", "Tags": [{"Key": "a"}, {"Key": "b"}]}
