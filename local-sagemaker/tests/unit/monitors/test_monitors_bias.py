"""Bias metrics against their published formulas, written out here with numpy; and their drift."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from jsonschema import validate
from sklearn.neighbors import KNeighborsClassifier

from model_checks.analysis import bias
from tests.monitor_schemas import ANALYSIS, CLARIFY_VIOLATIONS

RANDOM = np.random.default_rng(23)
SIZE = 400
FRAME = pd.DataFrame(
    {
        "sex": RANDOM.choice(["F", "M", "I"], SIZE),
        "age": RANDOM.normal(40, 10, SIZE),
        "region": RANDOM.integers(0, 3, SIZE),
    }
)
LABELS = pd.Series((FRAME["age"] + RANDOM.normal(0, 10, SIZE) > 42).astype(int))
PREDICTED = pd.Series(((FRAME["age"] > 41) ^ (RANDOM.random(SIZE) < 0.1)).astype(int))


def data(facets: list[bias.Facet], **changes: Any) -> bias.BiasData:
    fields: dict[str, Any] = {
        "frame": FRAME,
        "label_name": "label",
        "labels": LABELS,
        "positive": [1],
        "facets": facets,
        "predictions": PREDICTED,
        "group": FRAME["region"],
    }
    return bias.BiasData(**{**fields, **changes})


def values(section: dict[str, Any], facet: str, entry: int = 0) -> dict[str, Any]:
    return {metric["name"]: metric["value"] for metric in section["facets"][facet][entry]["metrics"]}


def disparity(d: Any, outcome: Any) -> float:
    total = 0.0
    for region in range(3):
        rows = (FRAME["region"] == region).to_numpy()
        rejected = (d & ~outcome & rows).sum() / (~outcome & rows).sum()
        accepted = (d & outcome & rows).sum() / (outcome & rows).sum()
        total += rows.sum() * (rejected - accepted)
    return total / SIZE


def expected_before(d: Any, y: Any) -> dict[str, float]:
    pa, pd_ = y[~d].mean(), y[d].mean()
    a, b = np.array([1 - pa, pa]), np.array([1 - pd_, pd_])
    mix = (a + b) / 2
    return {
        "CDDL": disparity(d, y),
        "CI": ((~d).sum() - d.sum()) / len(d),
        "DPL": pa - pd_,
        "JS": 0.5 * ((a * np.log(a / mix)).sum() + (b * np.log(b / mix)).sum()),
        "KL": (a * np.log(a / b)).sum(),
        "KS": abs(a - b).max(),
        "LP": np.sqrt(((a - b) ** 2).sum()),
        "TVD": abs(a - b).sum() / 2,
    }


def expected_after(d: Any, y: Any, p: Any) -> dict[str, float]:
    a = ~d

    def share(top: Any, bottom: Any) -> float:
        return float(top.sum() / bottom.sum())

    benefit = p.astype(int) - y.astype(int) + 1
    return {
        "AD": (y == p)[a].mean() - (y == p)[d].mean(),
        "CDDPL": disparity(d, p),
        "DAR": share(y & p & a, p & a) - share(y & p & d, p & d),
        "DCA": share(y & a, p & a) - share(y & d, p & d),
        "DCR": share(~y & d, ~p & d) - share(~y & a, ~p & a),
        "DI": p[d].mean() / p[a].mean(),
        "DPPL": p[a].mean() - p[d].mean(),
        "DRR": share(~y & ~p & d, ~p & d) - share(~y & ~p & a, ~p & a),
        "GE": ((benefit / benefit.mean()) ** 2 - 1).sum() / (2 * len(d)),
        "RD": share(y & p & a, y & a) - share(y & p & d, y & d),
        "SD": share(~y & ~p & d, ~y & d) - share(~y & ~p & a, ~y & a),
        "TE": share(y & ~p & d, ~y & p & d) - share(y & ~p & a, ~y & p & a),
    }


@pytest.mark.parametrize(
    ("facet", "in_facet", "text"),
    [
        (bias.Facet("sex", ["F"]), FRAME["sex"] == "F", "F"),
        (bias.Facet("sex", ["F", "I"]), FRAME["sex"] != "M", "F,I"),
        (bias.Facet("age", [45]), FRAME["age"] > 45, f"(45.0, {FRAME['age'].max()}]"),
    ],
)
def test_metrics_equal_their_formulas(facet: bias.Facet, in_facet: pd.Series, text: str) -> None:
    d, y, p = in_facet.to_numpy(), LABELS.to_numpy() == 1, PREDICTED.to_numpy() == 1
    before = bias.section(data([facet]), bias.PRE_TRAINING)
    after = bias.section(data([facet]), bias.POST_TRAINING)
    validate({"version": "1.0", "pre_training_bias_metrics": before, "post_training_bias_metrics": after}, ANALYSIS)
    assert before["facets"][facet.name][0]["value_or_threshold"] == text
    assert values(before, facet.name) == pytest.approx(expected_before(d, y), abs=1e-12)
    found = values(after, facet.name)
    flip = found.pop("FT")
    assert found == pytest.approx(expected_after(d, y, p), abs=1e-12)
    rest = FRAME.drop(columns=facet.name)
    if facet.name == "age":  # the rest has text
        assert flip is None
    else:
        near = KNeighborsClassifier(5).fit(rest[~d].to_numpy(), p[~d]).predict(rest[d].to_numpy())
        assert flip == pytest.approx(((p[d] > near).sum() - (p[d] < near).sum()) / d.sum())


def test_a_facet_without_values_is_every_value_against_the_rest() -> None:
    section = bias.section(data([bias.Facet("sex")]), bias.PRE_TRAINING)
    assert {entry["value_or_threshold"] for entry in section["facets"]["sex"]} == {"F", "M", "I"}
    for position, entry in enumerate(section["facets"]["sex"]):
        d = (FRAME["sex"] == entry["value_or_threshold"]).to_numpy()
        assert values(section, "sex", position)["CI"] == pytest.approx(expected_before(d, LABELS.to_numpy() == 1)["CI"])


def test_continuous_labels_and_predictions_are_cut_at_the_threshold() -> None:
    labels, predicted = FRAME["age"] / 2, FRAME["age"] / 2 + 1
    facet = bias.Facet("sex", ["F"])
    section = bias.section(data([facet], labels=labels, predictions=predicted, positive=[20]), bias.POST_TRAINING)
    d, y, p = (FRAME["sex"] == "F").to_numpy(), (labels > 20).to_numpy(), (predicted > 20).to_numpy()
    assert section["label_value_or_threshold"] == f"(20.0, {labels.max()}]"
    found = values(section, "sex")
    for name in ("AD", "DI", "DPPL", "RD"):
        assert found[name] == pytest.approx(expected_after(d, y, p)[name])


@pytest.mark.parametrize(
    ("facet", "changes", "error"),
    [
        (bias.Facet("sex", ["F"]), {"group": None}, "Group variable is empty or not provided"),
        (bias.Facet("sex", ["X"]), {}, "Facet set is empty"),
        (bias.Facet("age"), {}, "Threshold values must be provided for continuous features"),
    ],
)
def test_what_can_not_be_computed_says_why(facet: bias.Facet, changes: dict[str, Any], error: str) -> None:
    methods = [*bias.PRE_TRAINING, *bias.POST_TRAINING]
    (entry,) = bias.section(data([facet], **changes), methods)["facets"][facet.name]
    failed = [metric for metric in entry["metrics"] if metric["value"] is None]
    assert failed
    assert any(error in metric["error"] for metric in failed)
    assert all(list(metric) == ["name", "description", "value", "error"] for metric in failed)


@pytest.mark.parametrize(
    ("share", "error"),
    [(0, "No Label values are present in the predicted Label"), (0.5, "datatype is not the same")],
)
def test_predictions_that_can_not_be_judged_are_an_error_of_their_stage(share: float, error: str) -> None:
    given = data([bias.Facet("sex", ["F"])], predictions=LABELS * share)
    with pytest.raises(ValueError, match=error):
        bias.section(given, bias.POST_TRAINING)
    assert bias.section(given, bias.PRE_TRAINING)["facets"]["sex"]


def test_a_weak_regression_model_is_no_error_of_its_stage() -> None:
    rings = pd.Series(np.arange(len(FRAME)) % 20)
    changes = {"labels": rings, "positive": [15], "predictions": rings * 0.0 + 3.5 + rings / 100}
    given = data([bias.Facet("sex", ["F"])], **changes)
    (entry,) = bias.section(given, bias.POST_TRAINING)["facets"]["sex"]
    assert {metric["value"] for metric in entry["metrics"]} == {None}
    assert all("No Label values are present" in metric["error"] for metric in entry["metrics"])


def test_infinite_metrics_are_texts() -> None:
    predicted = pd.Series(np.where(FRAME["sex"] == "F", LABELS & (FRAME["region"] == 0), LABELS))
    found = values(bias.section(data([bias.Facet("sex", ["F"])], predictions=predicted), bias.POST_TRAINING), "sex")
    assert found["TE"] == "Infinity"


def test_chosen_metrics_and_unknown_ones() -> None:
    assert [method.name for method in bias.choose_metrics(["DPL", "CI"], bias.PRE_TRAINING)] == ["CI", "DPL"]
    assert bias.choose_metrics("all", bias.PRE_TRAINING) == list(bias.PRE_TRAINING)
    with pytest.raises(ValueError, match="XYZ"):
        bias.choose_metrics(["XYZ"], bias.PRE_TRAINING)


def analysis(text: str = "0", **metrics: Any) -> dict[str, Any]:
    listed = [{"name": name, "description": name, "value": value} for name, value in metrics.items()]
    entry = {"value_or_threshold": text, "metrics": listed}
    section = {"label": "y", "facets": {"f": [entry]}, "label_value_or_threshold": "1"}
    return {"version": "1.0", "post_training_bias_metrics": section}


@pytest.mark.parametrize(
    ("baseline", "current", "violated"),
    [
        (0.2, 0.1, False),
        (0.2, 0.2, False),
        (0.2, -0.2, False),
        (0.2, -0.3, True),
        (2.9, "Infinity", True),
        ("Infinity", "-Infinity", False),
        ("Infinity", 5.0, False),
        (None, 5.0, False),
        (0.1, None, False),
    ],
)
def test_drift_is_a_larger_distance_from_zero(baseline: Any, current: Any, violated: bool) -> None:
    found = bias.violations(analysis(TE=current), analysis(TE=baseline))
    assert bool(found) == violated
    if violated:
        validate({"version": "1.0", "violations": found}, CLARIFY_VIOLATIONS)
        (violation,) = found
        assert violation["description"] == (
            f"Metric value {current} doesn't meet the baseline constraint requirement {baseline}"
        )


def test_a_threshold_is_found_again_when_the_maximum_moved_and_other_facets_are_passed_over() -> None:
    assert bias.violations(analysis("(0.5, 3.0]", CI=0.4), analysis("(0.5, 2.0]", CI=0.1))
    assert bias.violations(analysis("(0.6, 2.0]", CI=0.4), analysis("(0.5, 2.0]", CI=0.1)) == []
    assert bias.violations({"version": "1.0"}, analysis(CI=0.1)) == []


def test_the_flip_test_of_many_rows_looks_at_a_sample_and_all_else_at_every_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(4)
    frame = pd.DataFrame({"f": random.integers(0, 2, 3000), "x": random.normal(size=3000)})
    label = pd.Series((frame["x"] + random.normal(size=3000) > 0).astype(int))
    predicted = pd.Series((frame["x"] + 0.5 * frame["f"] > 0).astype(int))
    data = bias.BiasData(frame, "y", label, [1], [bias.Facet("f", [0])], predicted)

    def values() -> dict[str, float]:
        (entry,) = bias.section(data, bias.POST_TRAINING)["facets"]["f"]
        return {metric["name"]: metric["value"] for metric in entry["metrics"]}

    whole = values()
    monkeypatch.setattr(bias, "FLIP_ROWS", 1500)
    sampled = values()
    assert sampled["FT"] == values()["FT"] != whole["FT"]
    assert sampled["FT"] == pytest.approx(whole["FT"], abs=0.05)
    assert {**sampled, "FT": 0} == {**whole, "FT": 0}
