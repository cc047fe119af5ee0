"""The numbers of property files that executions are listed by."""

from __future__ import annotations

from local_sagemaker.engine.property_metrics import numbers_in


def test_names_are_paths_without_value() -> None:
    document = {
        "regression_metrics": {"mse": {"value": 4.5, "standard_deviation": "NaN"}, "r2": {"value": 1}},
        "rows": 12, "passed": True, "list": [1, 2], "nan": float("nan"), "value": 3, "deep": {"value": {"value": 2}},
    }  # fmt: skip
    assert dict(numbers_in(document)) == {
        "regression_metrics.mse": 4.5, "regression_metrics.r2": 1, "rows": 12, "value": 3, "deep.value": 2,
    }  # fmt: skip


def test_what_is_no_object_has_no_names() -> None:
    assert not list(numbers_in([1, 2]))
    assert not list(numbers_in(5))
    deep: object = 1
    for _ in range(50):
        deep = {"a": deep}
    assert not list(numbers_in(deep))
