"""Every kind of violation in words: what, which constraint, by how much. Texts as the containers write them."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.reports import violations
from pipelines.reports.attributions import ndcg
from pipelines.reports.checks import Files, ReportedCheck
from pipelines.reports.evidence import Evidence
from pipelines.reports.names import Names
from pipelines.reports.verdicts import verdict


def check(kind: str = "DATA_QUALITY", **changed: Any) -> ReportedCheck:
    given: dict[str, Any] = {
        "step": "Check", "kind": kind, "status": "Failed", "reason": "", "skipped": False, "registers": False,
        "calculated": Files("s3://b/now/statistics.json", "s3://b/now/constraints.json"),
        "used": Files("s3://b/old/statistics.json", "s3://b/old/constraints.json"),
        "violations": "s3://b/now/constraint_violations.json", "job": None, "cached_from": None,
    }  # fmt: skip
    return ReportedCheck(**{**given, **changed})


def numeric(name: str, mean: float, present: int = 90, missing: int = 10) -> dict[str, Any]:
    common = {"num_present": present, "num_missing": missing}
    return {"name": name, "inferred_type": "Fractional", "numerical_statistics": {"common": common, "mean": mean}}


def text(name: str, **counts: int) -> dict[str, Any]:
    buckets = [{"value": value, "count": count} for value, count in counts.items()]
    statistics = {"common": {"num_present": sum(counts.values()), "num_missing": 0},
                  "distribution": {"categorical": {"buckets": buckets}}}  # fmt: skip
    return {"name": name, "inferred_type": "String", "string_statistics": statistics}


def attributions(**values: float) -> dict[str, Any]:
    return {"explanations": {"kernel_shap": {"label0": {"global_shap_values": values, "expected_value": 1.0}}}}


def feature_violation(name: str, constraint: str, description: str) -> dict[str, Any]:
    return {"feature_name": name, "constraint_check_type": constraint, "description": description}


NAMES = Names(("rings", "length"))
STATISTICS = {"features": [numeric("_c1", 2.5), text("color", red=8, blue=2), numeric("_c9", 0.0)]}
BASELINE_STATISTICS = {"features": [numeric("_c1", 1.0, 100, 0), text("color", red=9), numeric("_c8", 0.0)]}
CONSTRAINTS = {"features": [
    {"name": "_c1", "completeness": 1.0}, {"name": "_c8", "completeness": 1.0},
    {"name": "color", "string_constraints": {"domains": ["red"]}},
]}  # fmt: skip

DATA_QUALITY = [
    (feature_violation("_c1", "data_type_check",
     "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. "
     "Observed: Only 99.5% of data is Integral."),
     "length (_c1)", "99.5 % of its values are Integral, 100.0 % must be (0.5 points too few)"),
    (feature_violation("_c1", "completeness_check", "Value: 0.9 does not meet the constraint requirement! "),
     "length (_c1)", "90.0 % of its values are present, 100.0 % must be (10.0 % too few)"),
    (feature_violation("_c1", "baseline_drift_check", "Baseline drift distance: 0.25 exceeds threshold: 0.1"),
     "length (_c1)", "distance 0.25, 0.15 over the threshold 0.1; mean 1 -> 2.5"),
    (feature_violation("Extra columns", "extra_column_check", "There are extra columns in current dataset. Number of "
     "columns in current dataset: 3, Number of columns in baseline constraints: 2"),
     "Extra columns", "3 columns where the baseline has 2; new: _c9; gone: _c8"),
    (feature_violation("Missing columns", "missing_column_check", "There are missing columns in current dataset. "
     "Number of columns in current dataset: 8, Number of columns in baseline constraints: 9"),
     "Missing columns", "8 columns where the baseline has 9; new: _c9; gone: _c8"),
    (feature_violation("color", "categorical_values_check", "Value: 0.8 does not meet the constraint requirement! "),
     "color", "20.0 % of its values are not known to the baseline: 'blue'"),
    (feature_violation("_c1", "a_new_check", "Something else."), "length (_c1)", "Something else."),
]  # fmt: skip


@pytest.mark.parametrize(("item", "subject", "amount"), DATA_QUALITY)
def test_data_quality(item: dict[str, Any], subject: str, amount: str) -> None:
    evidence = Evidence(check(), NAMES, STATISTICS, {}, None, BASELINE_STATISTICS, CONSTRAINTS, (item,))
    (found,) = violations.read(evidence)
    assert (found.subject, found.constraint, found.amount) == (subject, item["constraint_check_type"], amount)
    assert found.description == item["description"].strip()


@pytest.mark.parametrize(("item", "subject", "amount"), DATA_QUALITY)
def test_without_the_other_files_the_containers_words_remain(item: dict[str, Any], subject: str, amount: str) -> None:
    (found,) = violations.read(Evidence(check(), NAMES, violations=(item,)))
    assert found.subject == subject
    assert found.amount


@pytest.mark.parametrize(
    ("description", "amount"),
    [
        ("Metric mse with 6.0 +/- 0.25 was GreaterThanThreshold '4.0'",
         "6 (± 0.25) must not exceed 4, 50.0 % above"),
        ("Metric auc with 0.4617 was LessThanThreshold '1.0'", "0.4617 must not fall below 1, 53.8 % below"),
        ("Metric truePositiveRate with 0.5 was LessThanThreshold '0'", "0.5 must not fall below 0, +0.5"),
        ("Metric f1 is odd", "Metric f1 is odd"),
    ],
)  # fmt: skip
def test_model_quality(description: str, amount: str) -> None:
    operator = "GreaterThanThreshold" if "Greater" in description else "LessThanThreshold"
    item = {"constraint_check_type": operator, "description": description, "metric_name": "m"}
    (found,) = violations.read(Evidence(check("MODEL_QUALITY"), violations=(item,)))
    assert (found.subject, found.constraint, found.amount) == ("m", operator, amount)


@pytest.mark.parametrize(
    ("values", "amount"),
    [
        (("0.3", "-0.2"), "0.3, further from 0 than the baseline's -0.2 (by 0.1, 50.0 %)"),
        (("-0.3", "0.0"), "-0.3, further from 0 than the baseline's 0 (by 0.3)"),
        (("Infinity", "2.92"), "Infinity, further from 0 than the baseline's 2.92"),
    ],
)
def test_bias(values: tuple[str, str], amount: str) -> None:
    now, before = values
    item = {"facet": "column_1", "facet_value": "(0.5, 1.0]", "metric_name": "DPL",
            "constraint_check_type": "bias_drift_check",
            "description": f"Metric value {now} doesn't meet the baseline constraint requirement {before}"}  # fmt: skip
    (found,) = violations.read(Evidence(check("DATA_BIAS"), NAMES, violations=(item,)))
    assert found.line() == f"DPL for length (column_1) in (0.5, 1.0] violates bias_drift_check: {amount}"


def test_explainability_names_what_moved() -> None:
    before, now = attributions(SAT=0.7, GPA=0.5, rank=0.05), attributions(SAT=0.1, GPA=0.2, rank=0.6)
    item = {"label": "label0", "metric_name": "shap", "constraint_check_type": "feature_attribution_drift_check",
            "description": "Feature attribution drift 0.75 exceeds threshold 0.9"}  # fmt: skip
    evidence = Evidence(check("MODEL_EXPLAINABILITY"), Names(), constraints=now, baseline_constraints=before,
                        violations=(item,))  # fmt: skip
    (found,) = violations.read(evidence)
    assert found.amount == "nDCG 0.75, 0.15 below 0.9; moved most: SAT from rank 1 to 3, rank from rank 3 to 1"


@pytest.mark.parametrize(
    ("before", "now", "score"),
    [
        ({"a": 3.0, "b": 2.0}, {"a": 3.0, "b": 2.0}, 1.0),
        ({"a": 0.0}, {"a": 5.0}, 1.0),
        ({"a": 1.0, "b": 0.0}, {"b": 1.0}, 0.6309297535714575),  # 1 / log2(3): a is gone, so it ranks last
    ],
)
def test_ndcg(before: dict[str, float], now: dict[str, float], score: float) -> None:
    assert ndcg(before, now) == pytest.approx(score)


def test_ndcg_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import ndcg_score

    before, now = {"a": 0.7, "b": 0.5, "c": 0.05, "d": 0.3}, {"a": 0.1, "b": 0.2, "c": 0.6, "d": 0.15}
    expected = ndcg_score([list(before.values())], [[now[name] for name in before]])
    assert ndcg(before, now) == pytest.approx(expected)


VIOLATION = DATA_QUALITY[2][0]


@pytest.mark.parametrize(
    ("changed", "found", "good", "said"),
    [
        ({"status": "Succeeded"}, 0, True, "passed"),
        ({"status": "Succeeded", "registers": True}, 0, True, "passed, new baseline registered"),
        ({"status": "Succeeded", "skipped": True, "registers": True}, 0, None, "baseline registered"),
        ({"status": "Succeeded", "skipped": True}, 0, None, "nothing compared, the baseline stays"),
        ({"status": "Succeeded", "cached_from": "abc"}, 0, True, "passed (the cached result of execution abc)"),
        ({}, 1, False, "FAILED: 1 violation"),
        ({"status": "Succeeded"}, 2, False, "2 violations, which fail nothing here"),
        ({"reason": "ClientError: no baseline"}, 0, False, "FAILED without a comparison: ClientError: no baseline"),
        ({"status": "Stopped"}, 0, False, "STOPPED without a comparison: no reason is given"),
    ],
)
def test_verdicts(changed: dict[str, Any], found: int, good: bool | None, said: str) -> None:
    given = verdict(Evidence(check(**changed), violations=(VIOLATION,) * found))
    assert (given.good, given.text) == (good, said)


def test_the_terminal_shows_the_first_violations_and_counts_the_rest() -> None:
    lines = list(verdict(Evidence(check(), violations=(VIOLATION,) * 20)).lines("Check"))
    assert len(lines) == 14
    assert lines[0].split(maxsplit=1) == ["Check", "FAILED: 20 violations"]
    assert "8 more" in lines[-1]
