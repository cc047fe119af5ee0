"""States of alarms by their data points, and rules of composite alarms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from local_sagemaker.errors import ValidationError
from local_sagemaker.services.cloudwatch.alarm_evaluation import evaluate
from local_sagemaker.services.cloudwatch.composite_rules import CompositeRule


def state(
    values: Sequence[float | None], *, periods: int = 3, needed: int | None = None, treat: str = "missing"
) -> Any:
    alarm = {
        "EvaluationPeriods": periods, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 1.0,
        "TreatMissingData": treat, **({"DatapointsToAlarm": needed} if needed else {}),
    }  # fmt: skip
    points = [(60.0 * number, value) for number, value in enumerate(values) if value is not None]
    verdict = evaluate(alarm, points, 60.0 * len(values), 60.0)
    return verdict.state if verdict else None


@pytest.mark.parametrize(
    ("values", "options", "expected"),
    [
        ([2, 2, 2], {}, "ALARM"),
        ([0, 2, 2], {}, "OK"),
        ([0, 2, 2], {"needed": 2}, "ALARM"),
        ([2, 2, 2, 0], {}, "OK"),
        ([], {}, "INSUFFICIENT_DATA"),
        ([], {"treat": "notBreaching"}, "OK"),
        ([], {"treat": "breaching"}, "ALARM"),
        ([], {"treat": "ignore"}, None),
        ([2], {"treat": "breaching"}, "ALARM"),
        ([2], {"treat": "notBreaching"}, "OK"),
        ([1], {"periods": 1}, "OK"),
        ([1.5], {"periods": 1}, "ALARM"),
        ([5, 5, 5, 5, 5], {"periods": 2}, "ALARM"),
    ],
)
def test_the_state_follows_from_the_newest_points(values: list[float], options: Any, expected: Any) -> None:
    assert state(values, **options) == expected


@pytest.mark.parametrize(
    ("points", "needed", "states"),
    [
        ("0-X-X", 3, ["OK", "OK", "OK", "OK"]),
        ("0----", 3, ["OK", "OK", "OK", "OK"]),
        ("-----", 3, ["INSUFFICIENT_DATA", None, "ALARM", "OK"]),
        ("0XX-X", 3, ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ("--X--", 3, ["ALARM", None, "ALARM", "OK"]),
        ("0-X-X", 2, ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ("00X0X", 2, ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ("0-X--", 2, ["OK", "OK", "ALARM", "OK"]),
        ("----0", 2, ["OK", "OK", "ALARM", "OK"]),
        ("---X-", 2, ["ALARM", None, "ALARM", "OK"]),
        ("----X", 3, [None, None, "ALARM", "OK"]),
    ],
)
def test_missing_data_as_in_the_tables_of_the_guide(points: str, needed: int, states: list[str | None]) -> None:
    """CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data" (DEL-40)."""
    values = [{"0": 0.0, "X": 2.0}.get(point) for point in points]
    treatments = ("missing", "ignore", "breaching", "notBreaching")
    assert [state(values, needed=needed, treat=treatment) for treatment in treatments] == states


def test_the_reason_names_the_points_and_the_threshold() -> None:
    alarm = {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 1.0}
    verdict = evaluate(alarm, [(0.0, 2.0)], 60.0, 60.0)
    assert verdict is not None
    assert verdict.reason == (
        "Threshold Crossed: 1 out of the last 1 datapoint [2.0 (01/01/70 00:00:00)] was greater than the threshold "
        "(1.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("ALARM(a)", True),
        ("ALARM(b)", False),
        ('ALARM("a") AND OK(b)', True),
        ("ALARM(b) OR (ALARM(a) AND NOT ALARM(b))", True),
        ("NOT (ALARM(a) OR ALARM(b))", False),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:a)", True),
        ("TRUE AND NOT FALSE", True),
        ("ALARM(absent)", False),
    ],
)
def test_rules_of_composite_alarms(rule: str, expected: bool) -> None:
    assert CompositeRule(rule).holds({"a": "ALARM", "b": "OK"}.get) is expected


@pytest.mark.parametrize("rule", ["", "ALARM(", "ALARM(a) AND", "a OR b", "(" * 60 + "TRUE" + ")" * 60, "TRUE TRUE"])
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(ValidationError):
        CompositeRule(rule)
