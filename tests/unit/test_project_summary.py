"""Words for what happened: conditions with their values, remarks on steps, durations, plain progress lines."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from pipelines import conditions, progress

REPORT = {"Steps.Evaluate.PropertyFiles.Report": {"a": {"b c": [1, {"d": 2.5}]}, "name": "x", "flag": True}}


def json_get(path: str) -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}, "Path": path}}


def condition(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([condition("LessThanOrEqualTo", json_get("a['b c'][1].d"), 6.0)], "a['b c'][1].d (2.5000) <= 6.0"),
        ([condition("GreaterThan", json_get("a.missing"), 1)], "a.missing > 1"),
        ([condition("Equals", {"Get": "Parameters.Mode"}, "fast")], 'Parameters.Mode = "fast"'),
        (
            [condition("LessThan", json_get("a['b c'][0]"), 2), condition("GreaterThanOrEqualTo", 3, 2)],
            "a['b c'][0] (1.0000) < 2 and 3 >= 2",
        ),
        ([{"Type": "Not", "Condition": condition("Equals", 1, 2)}], "not (1 = 2)"),
        ([{"Type": "Or", "Conditions": [condition("Equals", 1, 2), condition("Equals", 2, 2)]}], "(1 = 2) or (2 = 2)"),
        ([{"Type": "In", "QueryValue": {"Get": "Parameters.M"}, "Values": ["a", "b"]}], 'Parameters.M in ("a", "b")'),
        ([{"Type": "NotIn", "Value": "c", "In": [1, {"Get": "Parameters.P"}]}], '"c" not in (1, Parameters.P ("x"))'),
        ([condition("NotEquals", 1, 2)], "1 != 2"),
        ([condition("GreaterThanOrEqualTo", json_get("a['b c'][0]"), {"Get": "Parameters.Min"})],
         "a['b c'][0] (1.0000) >= Parameters.Min (0.7)"),
        ([condition("Equals", {"Get": "Steps.L.OutputParameters['n']"}, 3)], "Steps.L.OutputParameters['n'] = 3"),
    ],
)  # fmt: skip
def test_conditions_in_words(given: list[dict[str, Any]], expected: str) -> None:
    values = {**REPORT, "Parameters.Min": "0.7", "Parameters.P": '"x"'}
    assert conditions.words({"Arguments": {"Conditions": given}}, values) == expected


def test_metrics_are_the_numbers_of_a_report() -> None:
    report = {"regression_metrics": {"mse": {"value": 4.5, "standard_deviation": 2}}, "note": "x", "good": True}
    assert list(conditions.metrics(report)) == [
        ("regression_metrics.mse.value", 4.5), ("regression_metrics.mse.standard_deviation", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("step", "note", "expected"),
    [
        ({"CacheHitResult": {"SourcePipelineExecutionArn": "arn:p/execution/abc"}}, "x",
         "cache hit: reused from execution abc"),
        ({"SelectiveExecutionResult": {"SourcePipelineExecutionArn": "arn:p/execution/abc"}}, "",
         "reused from execution abc"),
        ({"Metadata": {"Condition": {"Outcome": "False"}}}, "", "the condition is not met"),
        ({}, "Cache miss: no earlier run", ""),  # true of every step of a first run
        ({}, "Cache miss: the role differs", "Cache miss: the role differs"),
    ],
)  # fmt: skip
def test_remarks(step: dict[str, Any], note: str, expected: str) -> None:
    assert progress.remark(step, note) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (125, "2 min 05 s")])
def test_durations(seconds: float, expected: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert progress.duration({"StartTime": start, "EndTime": start + timedelta(seconds=seconds)}) == expected


def test_plain_lines_say_every_change_once() -> None:
    output = io.StringIO()
    lines = progress.Lines(Console(file=output, width=80))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    step = {"StepStatus": "Executing", "StartTime": start}
    lines.show(progress.Progress(steps={"Train": step}))
    lines.show(progress.Progress(steps={"Train": step}))
    ended = {**step, "StepStatus": "Succeeded", "EndTime": start + timedelta(seconds=3)}
    note = "Cache miss: InputDataConfig differs from the newest run, and this note is longer than the terminal is wide"
    lines.show(progress.Progress(steps={"Train": ended}, notes={"Train": note}))
    assert [line.split() for line in output.getvalue().splitlines()] == [
        ["Train", "Executing"],
        ["Train", "Succeeded", "3.0", "s", *note.split()],
    ]
