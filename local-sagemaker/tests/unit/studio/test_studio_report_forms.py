"""Files of Model Monitor's and Clarify's form with anything in them, as any script can write them: pages read them."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from local_sagemaker.studio.views import check_reports, monitor_trend
from local_sagemaker.studio.views.report_form import fit_report
from local_sagemaker.studio.views.violation_texts import violations_in_words

_BIAS = {"label": "y", "facets": {"sex": [
    {"value_or_threshold": "1", "metrics": [{"name": "CI", "description": "d", "value": 0.1}]}]}}  # fmt: skip
_COUNTS = {"num_present": 3, "num_missing": 1}
REPORT: dict[str, Any] = {
    "version": 0.0,
    "dataset": {"item_count": 3},
    "regression_metrics": {"mse": {"value": 4.2, "standard_deviation": 1.0}},
    "binary_classification_constraints": {"auc": {"threshold": 0.9, "comparison_operator": "LessThanThreshold"}},
    "features": [{
        "name": "a", "inferred_type": "Fractional", "completeness": 1.0,
        "numerical_statistics": {
            "common": _COUNTS, "mean": 1.0, "std_dev": 2.0,
            "distribution": {"kll": {"buckets": [{"count": 3.0}], "sketch": {"data": [[1.0, 2.0], [3.0]]}}},
        },
    }, {"name": "b", "string_statistics": {"common": _COUNTS}}],
    "monitoring_config": {"distribution_constraints": {"comparison_threshold": 0.1, "comparison_method": "Robust"}},
    "explanations": {"kernel_shap": {"label0": {"global_shap_values": {"a": 1.0, "b": 2.0}}}},
    "pre_training_bias_metrics": _BIAS,
    "post_training_bias_metrics": _BIAS,
    "violations": [{"feature_name": "a", "constraint_check_type": "data_type_check", "description": "d"}],
}  # fmt: skip
ODD: tuple[Any, ...] = (
    None, 1, -3, "x", [], {}, [1], {"a": 1}, True, float("-inf"), float("nan"), ["x", {}], {"value": "x"}, 10**400,
    [[1]], [None], 1e308, {"": {"": {}}},
)  # fmt: skip


def paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield above
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in items:
        yield from paths(part, (*above, name))


def mutated(source: random.Random) -> Any:
    """The report with up to three of its parts replaced by something odd."""
    document = copy.deepcopy(REPORT)
    for _ in range(source.randint(1, 3)):
        *way, last = source.choice([path for path in paths(document) if path])
        part: Any = document
        for name in way:
            part = part[name]
        part[last] = copy.deepcopy(source.choice(ODD))
    return document


def read_all(one: Any, other: Any) -> int:
    """How many rows all readers of such files make of two."""
    kinds = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
    files = [monitor_trend.MonitorFiles(1.0, one), monitor_trend.MonitorFiles(2.0, other)]
    rows = [
        check_reports.metric_rows(one, other, other, one), check_reports.feature_rows(one, other),
        check_reports.bias_rows(one, one, other, other), check_reports.attribution_rows(one, other),
        violations_in_words(one), *(monitor_trend.read_trends(kind, files, one, other) for kind in kinds),
    ]  # fmt: skip
    return sum(len(one) for one in rows)


def test_what_has_the_form_stays() -> None:
    fitted = fit_report(REPORT)
    assert fitted is not None
    assert read_all(fitted, fitted) == read_all(REPORT, REPORT) > 10


@pytest.mark.parametrize("seed", range(20))
def test_what_has_another_form_is_left_out(seed: int) -> None:
    source = random.Random(seed)
    for _ in range(50):
        read_all(fit_report(mutated(source)), fit_report(mutated(source)))


@pytest.mark.parametrize("document", [None, 1, "x", [], [REPORT], True])
def test_a_file_of_another_form_is_none(document: Any) -> None:
    assert fit_report(document) is None
    read_all(None, None)
