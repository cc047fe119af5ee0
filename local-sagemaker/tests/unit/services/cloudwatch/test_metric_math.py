"""Expressions of metric math: what they are, and what is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.services.cloudwatch.metric_math import SAMPLE, MetricMathError, MetricScope, check, evaluate

M1, M2 = {0.0: 1.0, 60.0: 4.0}, {0.0: 2.0, 60.0: 0.0, 120.0: 8.0}
M3 = {0.0: 1.0, 120.0: 3.0}


def value(expression: str) -> Any:
    return evaluate(
        expression, MetricScope({"m1": M1, "m2": M2, "m3": M3, "k": 5.0}, ["m1", "m2"], [0.0, 60.0, 120.0], 60)
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1", M1),
        ("100 * m1 / m2", {0.0: 50.0}),
        ("m1 + m2 * 2", {0.0: 5.0, 60.0: 4.0}),
        ("-(m1 - 2) ^ 2", {0.0: -1.0, 60.0: -4.0}),
        ("SUM([m1, m2])", {0.0: 3.0, 60.0: 4.0, 120.0: 8.0}),
        ("MAX(METRICS())", {0.0: 2.0, 60.0: 4.0, 120.0: 8.0}),
        ("m2 / SUM(m2)", {0.0: 0.2, 60.0: 0.0, 120.0: 0.8}),
        ("FILL(m1, 0)", {0.0: 1.0, 60.0: 4.0, 120.0: 0.0}),
        ("FILL(m1, REPEAT)", {0.0: 1.0, 60.0: 4.0, 120.0: 4.0}),
        ("IF(m2 > 0, m1, 0)", {0.0: 1.0, 60.0: 0.0}),
        ("IF(m2 > 1 AND m2 < 5, 1, 0)", {0.0: 1.0, 60.0: 0.0, 120.0: 0.0}),
        ("m1 / PERIOD(m1)", {0.0: 1 / 60, 60.0: 4 / 60}),
        ("DIFF(m2)", {60.0: -2.0, 120.0: 8.0}),
        ("RATE(m2)", {60.0: -2.0 / 60, 120.0: 8.0 / 60}),
        ("RUNNING_SUM(m1)", {0.0: 1.0, 60.0: 5.0}),
        ("CEIL(m1 / 3)", {0.0: 1.0, 60.0: 2.0}),
        ("SUM(FILL(METRICS(), 0))", {0.0: 3.0, 60.0: 4.0, 120.0: 8.0}),
        ("FILL(m1, k)", {0.0: 1.0, 60.0: 4.0, 120.0: 5.0}),
        ("MIN(RATE(METRICS()))", {60.0: -2.0 / 60, 120.0: 8.0 / 60}),
        ("FILL(m3, LINEAR)", {0.0: 1.0, 60.0: 2.0, 120.0: 3.0}),
        ("2 ^ 3 ^ 2 * TIME_SERIES(1)", {0.0: 512.0, 60.0: 512.0, 120.0: 512.0}),
        ("TIME_SERIES(7)", {0.0: 7.0, 60.0: 7.0, 120.0: 7.0}),
    ],
)
def test_what_expressions_are(expression: str, expected: Any) -> None:
    found = value(expression)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("ANOMALY_DETECTION_BAND(m1, 2)", "LocalUnsupported: the function ANOMALY_DETECTION_BAND"),
        ("SEARCH('{AWS/EC2} x', 'Sum')", "LocalUnsupported: the function SEARCH"),
        ("m1 +", "Invalid expression"),
        ("(" * 60 + "m1" + ")" * 60, "Invalid expression"),
        ("m3", "there is no query m3"),
        ("^".join(["m1"] * 1000), "Invalid expression"),
        ("-" * 1000 + "m1", "Invalid expression"),
        ('SUM(METRICS("x"))', "LocalUnsupported: texts in expressions"),
        ("m1 m2", "Invalid expression"),
    ],
)
def test_what_is_refused(expression: str, text: str) -> None:
    with pytest.raises(MetricMathError, match=text):
        check(expression, {"m1": SAMPLE, "m2": SAMPLE}, ["m1", "m2"])
