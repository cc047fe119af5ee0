"""Filters of triggers against pushes, and variables of configurations."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.codepipeline.triggers import Push, matches
from local_sagemaker.codepipeline.variables import UnresolvedVariable, resolve

MAIN = Push("branch", "main", "c", ("modeldeploy/a/x.py", "README.md"))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (None, True),
        ([{"branches": {"includes": ["main"]}}], True),
        ([{"branches": {"includes": ["release/*"]}}], False),
        ([{"branches": {"includes": ["**"], "excludes": ["ma*"]}}], False),
        ([{"filePaths": {"includes": ["modeldeploy/**"]}}], True),
        ([{"filePaths": {"includes": ["modeldeploy/*"]}}], False),
        ([{"branches": {"includes": ["main"]}, "filePaths": {"includes": ["modelbuild/**"]}}], False),
        ([{"filePaths": {"includes": ["modelbuild/**"]}}, {"branches": {"includes": ["main"]}}], True),
        ([{"tags": {"includes": ["*"]}}], False),
    ],
)
def test_a_push_starts_what_its_filters_let_through(filters: list[dict[str, Any]] | None, expected: bool) -> None:
    trigger = {"gitConfiguration": {"sourceActionName": "Code", **({"push": filters} if filters else {})}}
    assert matches(trigger, MAIN) is expected


def test_tags_have_filters_of_their_own() -> None:
    trigger = {"gitConfiguration": {"push": [{"tags": {"includes": ["v*"]}}]}}
    assert matches(trigger, Push("tag", "v1", "c", ()))
    assert not matches(trigger, Push("tag", "w1", "c", ()))


def test_variables_are_resolved_or_fail_by_name() -> None:
    assert resolve("#{variables.A}-#{Build.B_2}", {"variables": {"A": "1"}, "Build": {"B_2": "2"}}) == "1-2"
    with pytest.raises(UnresolvedVariable, match="variable C or the namespace Build"):
        resolve("#{Build.C}", {"Build": {}})
