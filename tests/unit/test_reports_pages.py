"""The pages of the checks, read back: every number on them is one of the JSON files, and nothing is fetched."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pipelines.reports import features
from pipelines.reports.checks import TITLES, Files, ReportedCheck
from pipelines.reports.evidence import Evidence
from pipelines.reports.names import Names
from pipelines.reports.page import page
from pipelines.reports.text import number
from pipelines.reports.verdicts import verdict
from pipelines.reports.writer import SECTIONS
from tests.project.pages import ReadPage
from tests.support import shared_file


def made(kind: str, names: Names | None = None, **files: Any) -> ReadPage:
    """The page of a check that found these files."""
    used = Files("s3://b/old/statistics.json", "s3://b/old/constraints.json")
    calculated = Files("s3://b/now/statistics.json", "s3://b/now/constraints.json")
    failed = bool(files.get("violations"))
    check = ReportedCheck("The<Step>", kind, "Failed" if failed else "Succeeded", "", False, False, calculated, used,
                  "s3://b/now/constraint_violations.json" if failed else None, "arn:job/x", None)  # fmt: skip
    evidence = Evidence(check, names or Names(), baseline=used if "baseline_constraints" in files else None, **files)
    text = page(evidence, verdict(evidence), list(SECTIONS[kind](evidence)), "arn:aws:execution/abc", None)
    found = ReadPage(text)
    assert found.loads == []
    assert len(found.identifiers) == len(set(found.identifiers))
    assert TITLES[kind] in found.text and "The<Step>" in found.text
    for name, value in found.numbers.items():
        assert found.shown[name] == number(value), name
    return found


def column(name: str, values: np.ndarray, missing: int = 0) -> dict[str, Any]:
    """A feature as Model Monitor writes it, with all values in its sketch."""
    return {
        "name": name,
        "inferred_type": "Fractional",
        "numerical_statistics": {
            "common": {"num_present": len(values), "num_missing": missing},
            "mean": float(values.mean()),
            "sum": float(values.sum()),
            "std_dev": float(values.std()),
            "min": float(values.min()),
            "max": float(values.max()),
            "approximate_num_distinct_values": len(set(values)),
            "distribution": {"kll": {"sketch": {"data": [values.tolist()]}}},
        },
    }


def words(name: str, **counts: int) -> dict[str, Any]:
    buckets = [{"value": value, "count": count} for value, count in counts.items()]
    return {
        "name": name,
        "inferred_type": "String",
        "string_statistics": {
            "common": {"num_present": sum(counts.values()), "num_missing": 0},
            "distinct_count": float(len(counts)),
            "distribution": {"categorical": {"buckets": buckets}},
        },
    }


DRIFT = {
    "monitoring_config": {"distribution_constraints": {"comparison_threshold": 0.1, "comparison_method": "Simple"}}
}


def test_data_quality_shows_every_feature_beside_its_baseline() -> None:
    draw = np.random.default_rng(7)
    before, now = draw.normal(0, 1, 500), draw.normal(0.5, 2, 400)
    found = made(
        "DATA_QUALITY",
        Names(("weight",)),
        statistics={"features": [column("_c0", now, 100), words("<b>", red=3, blue=1), column("extra", now)]},
        baseline_statistics={"features": [column("_c0", before), words("<b>", red=1, green=1), column("gone", before)]},
        baseline_constraints=DRIFT,
        violations=({"feature_name": "_c0", "constraint_check_type": "baseline_drift_check",
                     "description": "Baseline drift distance: 0.4 exceeds threshold: 0.1"},),
    )  # fmt: skip
    for side, values in (("baseline", before), ("current", now)):
        for name, value in (("mean", values.mean()), ("std_dev", values.std()), ("min", values.min()),
                            ("max", values.max())):  # fmt: skip
            assert found.numbers[f"_c0/{name}/{side}"] == value
    assert found.numbers["_c0/completeness/current"] == 0.8
    assert found.numbers["_c0/distance"] == pytest.approx(stats.ks_2samp(before, now).statistic)
    assert found.numbers["<b>/distance"] == 0.5
    assert found.numbers["extra/mean/current"] == now.mean() and found.numbers["gone/mean/baseline"] == before.mean()
    assert "extra/distance" not in found.numbers
    assert "weight (_c0)" in found.text and found.plots == 1
    assert next(iter(found.plotted["distributions"])) == "_c0"  # what violates comes first
    shown = found.plotted["distributions"]["_c0"]
    counts, _ = np.histogram(now, shown["edges"])
    assert shown["current"] == pytest.approx(counts / len(now))
    assert sum(shown["baseline"]) == pytest.approx(1)
    assert found.plotted["distributions"]["<b>"] == {
        "values": ["red", "green", "blue"], "baseline": [0.5, 0.5, 0.0], "current": [0.75, 0.0, 0.25],
    }  # fmt: skip


def test_robust_comparison_takes_the_slack_off() -> None:
    values = np.arange(100.0)
    both = {
        "statistics": {"features": [column("a", values + 40)]},
        "baseline_statistics": {"features": [column("a", values)]},
    }
    config = {"monitoring_config": {"distribution_constraints": {"comparison_method": "Robust"}}}
    found = made("DATA_QUALITY", baseline_constraints=config, **both)
    assert found.numbers["a/distance"] == pytest.approx(0.4 - 1.8 * (200 / 10_000) ** 0.5)


def test_compacted_sketches_and_buckets_without_a_sketch() -> None:
    """Values of level n stand for 2^n rows; files without a sketch still have ten buckets."""
    sketched = column("a", np.array([1.0, 2.0]))
    sketched["numerical_statistics"]["distribution"]["kll"]["sketch"]["data"] = [[1.0], [5.0]]
    assert features.points(sketched) == [(1.0, 1.0), (5.0, 2.0)]
    sketched["numerical_statistics"]["distribution"]["kll"] = {
        "buckets": [{"lower_bound": 0.0, "upper_bound": 2.0, "count": 7.0}]
    }
    assert features.points(sketched) == [(1.0, 7.0)]


def test_odd_columns_have_a_page_too() -> None:
    constant, empty = column("constant", np.array([3.0, 3.0])), {"name": "empty", "inferred_type": "Unknown"}
    huge = {"name": "ids", "inferred_type": "String",
            "string_statistics": {"common": {"num_present": 9, "num_missing": 0}, "distinct_count": 9.0}}  # fmt: skip
    statistics = {"features": [constant, empty, huge]}
    found = made("DATA_QUALITY", statistics=statistics, baseline_statistics=statistics, baseline_constraints=DRIFT)
    assert found.numbers["constant/distance"] == 0 and "empty/distance" not in found.numbers
    assert found.numbers["ids/distinct_count/current"] == 9.0
    assert made("DATA_QUALITY", statistics={}).plots == 0


def test_a_wide_table_plots_what_moved_most() -> None:
    values = np.arange(50.0)
    before = [column(f"f{index}", values) for index in range(200)]
    now = [column(f"f{index}", values + (30 if index == 150 else 0)) for index in range(200)]
    found = made("DATA_QUALITY", statistics={"features": now}, baseline_statistics={"features": before},
                 baseline_constraints=DRIFT)  # fmt: skip
    assert next(iter(found.plotted["distributions"])) == "f150" and len(found.plotted["distributions"]) == 12
    assert sum(name.endswith("/mean/current") for name in found.numbers) == 200


def metric(value: float | None, deviation: float | None = None) -> dict[str, Any]:
    return {"value": value, "standard_deviation": deviation}


def test_regression_quality() -> None:
    before = {"regression_metrics": {"mse": metric(4.0, 0.1), "r2": metric(0.5)}}
    now = {"regression_metrics": {"mse": metric(6.0, 0.2), "r2": metric(0.25)}}
    limits = {"regression_constraints": {"mse": {"threshold": 4.0, "comparison_operator": "GreaterThanThreshold"}}}
    found = made("MODEL_QUALITY", statistics=now, baseline_statistics=before, baseline_constraints=limits)
    assert found.numbers == {
        "mse/value/baseline": 4.0, "mse/standard_deviation/baseline": 0.1, "mse/value/current": 6.0,
        "mse/standard_deviation/current": 0.2, "mse/threshold": 4.0, "r2/value/baseline": 0.5,
        "r2/value/current": 0.25,
    }  # fmt: skip
    assert "at most 4" in found.text and "50.0 % above" in found.text and "Mean squared error" in found.text
    assert found.plotted["metrics"] == {"baseline": {"mse": 4.0, "r2": 0.5}, "current": {"mse": 6.0, "r2": 0.25}}


def test_binary_quality_has_curves_and_matrices() -> None:
    curves = {
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": [0, 0, 1],
            "true_positive_rates": [0, 1, 1],
        },
        "precision_recall_curve": {"precisions": [1, 0.5], "recalls": [0, 1]},
    }
    now = {"binary_classification_metrics": {
        "confusion_matrix": {"0": {"0": 5, "1": 2}, "1": {"0": 1, "1": 4}}, "auc": metric(0.8, None),
        "true_negative_rate": metric(None), "recall_best_constant_classifier": metric(1.0), **curves,
    }}  # fmt: skip
    found = made("MODEL_QUALITY", statistics=now, baseline_statistics=now, baseline_constraints={"x": 1})
    assert found.numbers["confusion_matrix/0/1/current"] == 2 and found.numbers["confusion_matrix/1/0/baseline"] == 1
    assert found.plotted["receiver_operating_characteristic_curve"]["current"] == [[0, 0, 1], [0, 1, 1]]
    assert found.plotted["precision_recall_curve"]["baseline"] == [[0, 1], [1, 0.5]]
    assert "true_negative_rate/value/current" not in found.numbers
    assert "always predicts the same class" in found.text


def facet(text: str, **values: Any) -> dict[str, Any]:
    metrics = [{"name": name, "description": f"The {name}", "value": value} for name, value in values.items()]
    return {"label": "column_0", "label_value_or_threshold": "(15.0, 29.0]",
            "facets": {"column_1": [{"value_or_threshold": text, "metrics": metrics}]}}  # fmt: skip


def test_bias_with_an_interval_that_moved_with_the_data() -> None:
    found = made(
        "MODEL_BIAS",
        Names(("rings", "sex=F")),
        constraints={"post_training_bias_metrics": facet("(0.5, 2.0]", DPPL=-0.3, TE="Infinity", CDDPL=None)},
        baseline_constraints={"post_training_bias_metrics": facet("(0.5, 1.0]", DPPL=0.2, TE=2.5, CDDPL=None)},
    )
    key = "post_training_bias_metrics/column_1/(0.5, 2.0]"
    assert found.numbers == {
        f"{key}/DPPL/baseline": 0.2, f"{key}/DPPL/current": -0.3, f"{key}/TE/baseline": 2.5,
        f"{key}/TE/current": "Infinity",
    }  # fmt: skip
    assert found.plotted[key] == {"names": ["DPPL"], "baseline": [0.2], "current": [-0.3]}
    assert "sex=F (column_1)" in found.text and "rings (column_0) in (15.0, 29.0]" in found.text


def test_bias_of_predictions_that_are_all_alike() -> None:
    """A model of one round: no metric can be computed, and there is nothing to plot."""
    nothing = {"post_training_bias_metrics": facet("(0.5, 1.0]", DPPL=None, DI=None)}
    found = made("MODEL_BIAS", constraints=nothing)
    assert found.plots == 0 and "The DPPL" in found.text
    assert found.plotted["post_training_bias_metrics/column_1/(0.5, 1.0]"]["names"] == []


def test_attributions_are_ranked() -> None:
    def analysis(**values: float) -> dict[str, Any]:
        return {"explanations": {"kernel_shap": {"label0": {"global_shap_values": values, "expected_value": 9.5}}}}

    found = made("MODEL_EXPLAINABILITY", constraints=analysis(a=0.1, b=0.9, new=0.5),
                 baseline_constraints=analysis(a=0.8, b=0.4, gone=0.2))  # fmt: skip
    assert found.plotted["attributions/label0"] == {
        "names": ["b", "new", "a"], "baseline": [0.4, None, 0.8], "current": [0.9, 0.5, 0.1],
    }  # fmt: skip
    assert (found.numbers["label0/a/baseline"], found.numbers["label0/a/current"]) == (0.8, 0.1)
    assert found.numbers["label0/expected_value/current"] == 9.5
    assert found.numbers["label0/ndcg"] == pytest.approx(
        (0.4 + 0.8 / 2 + 0.2 / np.log2(5)) / (0.8 + 0.4 / np.log2(3) + 0.1)
    )
    assert "gone" in found.text


@pytest.mark.parametrize("kind", list(SECTIONS))
def test_a_check_that_left_nothing_has_a_page(kind: str) -> None:
    assert made(kind).numbers == {}


@pytest.mark.truth
def test_a_real_statistics_file_of_aws() -> None:
    statistics = json.loads(shared_file("truth/dq-housing-full/statistics.json").read_text())
    constraints = json.loads(shared_file("truth/dq-housing-full/constraints.json").read_text())
    found = made("DATA_QUALITY", statistics=statistics, baseline_statistics=statistics,
                 baseline_constraints=constraints)  # fmt: skip
    for name, feature in features.by_name(statistics).items():
        written = features.numbers(feature)
        for field in ("mean", "std_dev", "min", "max"):
            if field in written:
                assert found.numbers[f"{name}/{field}/current"] == written[field]
        if features.points(feature):
            assert found.numbers[f"{name}/distance"] == 0


@pytest.mark.truth
def test_a_real_bias_analysis_of_aws() -> None:
    analysis = json.loads(shared_file("truth/clarify-adult-ll-bias/analysis_baseline.json").read_text())
    written = json.loads(shared_file("truth/clarify-adult-ll-bias/constraint_violations_endpoint.json").read_text())
    found = made("MODEL_BIAS", constraints=analysis, baseline_constraints=analysis,
                 violations=tuple(written["violations"]))  # fmt: skip
    for stage in ("pre_training_bias_metrics", "post_training_bias_metrics"):
        for name, groups in analysis[stage]["facets"].items():
            for group in groups:
                for item in group["metrics"]:
                    key = f"{stage}/{name}/{group['value_or_threshold']}/{item['name']}/current"
                    assert found.numbers.get(key) == item["value"]
    for item in written["violations"]:
        assert f"{item['metric_name']} for {item['facet']}" in found.text
        assert item["description"] in found.text


def test_one_page_holds_several_plots() -> None:
    found = made("DATA_BIAS", constraints={"pre_training_bias_metrics": facet("1", CI=0.5),
                                           "post_training_bias_metrics": facet("1", DI=0.5)})  # fmt: skip
    assert found.plots == 2
