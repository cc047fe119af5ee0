"""Each check of data quality, with its thresholds, overrides and texts."""

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jsonschema import validate

from model_checks.analysis import data_quality
from model_checks.analysis.data_quality_violations import domains_of, violations
from model_checks.analysis.profile import profile_dataset
from tests.monitor_schemas import DATA_VIOLATIONS
from tests.unit.monitors.test_monitors_data_quality import text_blocks

RANDOM = np.random.default_rng(11)
BASE = pd.DataFrame(
    {
        "count": RANDOM.integers(0, 50, 2000),
        "size": RANDOM.normal(10, 2, 2000).round(3),
        "color": RANDOM.choice(["red", "green", "blue"], 2000),
    }
)
STATISTICS = data_quality.statistics(profile_dataset(text_blocks(BASE)))  # type: ignore[arg-type]
CONSTRAINTS = data_quality.suggest_constraints(STATISTICS)


def check(frame: pd.DataFrame, constraints: Any = CONSTRAINTS, baseline: Any = STATISTICS) -> list[dict[str, str]]:
    profile = profile_dataset(text_blocks(frame), domains_of(constraints))  # type: ignore[arg-type]
    found = violations(profile, data_quality.statistics(profile), constraints, baseline)
    if found:
        validate({"violations": found}, DATA_VIOLATIONS)
    return found


def kinds(found: list[dict[str, str]]) -> set[tuple[str, str]]:
    return {(v["feature_name"], v["constraint_check_type"]) for v in found}


def changed(**config: Any) -> Any:
    constraints = copy.deepcopy(CONSTRAINTS)
    distribution = {
        name: value for name, value in config.items() if name.startswith(("comparison", "categorical", "perform"))
    }
    constraints["monitoring_config"]["distribution_constraints"].update(distribution)
    constraints["monitoring_config"].update({n: v for n, v in config.items() if n not in distribution})
    return constraints


def test_the_baseline_does_not_violate_itself() -> None:
    assert check(BASE) == []
    assert check(BASE.sample(frac=1, random_state=0)) == []


def test_missing_values() -> None:
    found = check(BASE.assign(size=BASE["size"].where(BASE.index % 4 > 0)))
    assert found == [
        {
            "feature_name": "size",
            "constraint_check_type": "completeness_check",
            "description": "Value: 0.75 does not meet the constraint requirement! ",
        }
    ]


def test_another_type() -> None:
    texts = BASE["count"].astype(object).where(BASE.index != 7, "many")
    found = check(BASE.assign(count=texts))
    assert [v for v in found if v["constraint_check_type"] == "data_type_check"] == [
        {
            "feature_name": "count",
            "constraint_check_type": "data_type_check",
            "description": "Data type match requirement is not met. Expected data type: Integral, "
            "Expected match: 100.0%. Observed: Only 99.95% of data is Integral.",
        }
    ]
    assert check(BASE.assign(count=texts), changed(datatype_check_threshold=0.9)) == []


def test_integers_match_fractional_but_not_the_other_way() -> None:
    assert check(BASE.assign(size=BASE["size"].round().astype(int))) == []
    assert kinds(check(BASE.assign(count=BASE["count"].astype(float)))) == {("count", "data_type_check")}


def test_a_feature_of_another_type_is_not_checked_for_drift() -> None:
    drifted = (BASE["count"] * 100).astype(object).where(BASE.index % 2 == 0, "many")
    assert kinds(check(BASE.assign(count=drifted))) == {("count", "data_type_check")}
    assert kinds(check(BASE.assign(count=BASE["count"] * 100.5))) == {("count", "data_type_check")}


def test_numbers_in_a_text_column() -> None:
    assert ("color", "data_type_check") in kinds(check(BASE.assign(color=1.5)))


def test_drifted_numbers() -> None:
    frame = BASE.assign(size=BASE["size"] + 1)
    (violation,) = check(frame)
    assert violation["constraint_check_type"] == "baseline_drift_check"
    distance = float(violation["description"].split("distance: ")[1].split(" exceeds threshold: ")[0])
    points = np.union1d(BASE["size"], frame["size"])
    shares = [np.searchsorted(np.sort(data["size"]), points, "right") / len(data) for data in (BASE, frame)]
    expected = np.abs(shares[0] - shares[1]).max()
    assert distance == pytest.approx(expected - 1.8 * np.sqrt(4000 / 4_000_000), abs=1e-12)
    assert violation["description"].endswith("exceeds threshold: 0.1")


@pytest.mark.parametrize(
    ("config", "violated"),
    [
        ({"comparison_threshold": 0.9}, False),
        ({"perform_comparison": "Disabled"}, False),
        ({"comparison_method": "Simple", "comparison_threshold": 0.18}, True),
        ({"comparison_method": "linf_robust", "comparison_threshold": 0.18}, False),
        ({"evaluate_constraints": "Disabled"}, False),
    ],
)
def test_drift_settings(config: dict[str, Any], violated: bool) -> None:
    assert bool(check(BASE.assign(size=BASE["size"] + 1), changed(**config))) == violated


def test_drifted_categories_and_new_ones() -> None:
    colors = BASE["color"].where(BASE.index % 3 > 0, "pink")
    found = check(BASE.assign(color=colors))
    assert kinds(found) == {("color", "baseline_drift_check"), ("color", "categorical_values_check")}
    inside = float((colors != "pink").mean())
    assert found[1]["description"] == f"Value: {inside} does not meet the constraint requirement! "
    assert kinds(check(BASE.assign(color=colors), changed(domain_content_threshold=0.5))) == {
        ("color", "baseline_drift_check")
    }


def test_values_inside_the_domain_are_counted_among_many_others() -> None:
    colors = [f"color {i}" if i % 2 else "red" for i in range(40_000)]
    frame = pd.DataFrame({"count": 1, "size": 1.5, "color": colors})
    found = {v["constraint_check_type"]: v for v in check(frame, baseline=None)}
    assert found["categorical_values_check"]["description"].startswith("Value: 0.5 ")


def test_chi_squared_as_drift_method() -> None:
    shifted = BASE.assign(color=BASE["color"].where(BASE.index % 10 > 0, "red"))
    assert check(shifted) == []
    assert kinds(check(shifted, changed(categorical_drift_method="ChiSquared"))) == {("color", "baseline_drift_check")}
    assert check(BASE, changed(categorical_drift_method="ChiSquared")) == []


@pytest.mark.parametrize(
    ("frame", "name", "kind", "ending"),
    [
        (BASE.drop(columns="color"), "Missing columns", "missing_column_check", "current dataset: 2, "),
        (BASE.assign(more=1), "Extra columns", "extra_column_check", "current dataset: 4, "),
    ],
)
def test_columns(frame: pd.DataFrame, name: str, kind: str, ending: str) -> None:
    (violation,) = check(frame)
    assert (violation["feature_name"], violation["constraint_check_type"]) == (name, kind)
    assert violation["description"].endswith(f"{ending}Number of columns in baseline constraints: 3")


@pytest.mark.parametrize(
    ("holder", "key"),
    [
        (None, "monitoringConfigOverrides"),
        ("num_constraints", "monitoring_config_overrides"),
    ],
)
def test_a_feature_can_be_excepted(holder: str | None, key: str) -> None:
    constraints = copy.deepcopy(CONSTRAINTS)
    target = constraints["features"][1] if holder is None else constraints["features"][1][holder]
    target[key] = {"evaluate_constraints": "Disabled"}
    assert check(BASE.assign(size=BASE["size"] + 5), constraints) == []


def test_an_overridden_threshold_of_one_feature() -> None:
    constraints = copy.deepcopy(CONSTRAINTS)
    constraints["features"][1]["monitoringConfigOverrides"] = {
        "distribution_constraints": {"comparison_threshold": 0.95}
    }
    assert check(BASE.assign(size=BASE["size"] + 1), constraints) == []
