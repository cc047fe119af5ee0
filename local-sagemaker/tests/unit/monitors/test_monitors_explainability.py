"""Kernel SHAP against shap's own explainers; aggregation, attribution drift, partial dependence, made baselines."""

from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from jsonschema import validate
from sklearn.metrics import ndcg_score

from model_checks.analysis import coalitions
from model_checks.analysis import explainability as ex
from model_checks.analysis.baselines import make_baseline
from model_checks.analysis.partial_dependence import partial_dependence
from tests.monitor_schemas import ANALYSIS, CLARIFY_VIOLATIONS

RANDOM = np.random.default_rng(31)
WIDTH = 7
ROWS = RANDOM.normal(size=(300, WIDTH))
TARGET = ROWS[:, 0] * 2 + ROWS[:, 1] * ROWS[:, 2] + RANDOM.normal(size=300) * 0.1
BOOSTER = xgboost.train({"max_depth": 4, "nthread": 1}, xgboost.DMatrix(ROWS, TARGET), 20)


def predict(rows: Any) -> Any:
    return BOOSTER.inplace_predict(np.asarray(rows, dtype=float)).reshape(-1, 1).astype(float)


def test_with_all_coalitions_the_values_are_those_of_exact_tree_shap() -> None:
    import shap  # by who needs it: it takes most of a second, in every worker

    baseline = ROWS[:4]
    found = ex.kernel_shap(ROWS[:40], baseline, predict, ex.SamplingSettings(samples=2**WIDTH))
    exact = shap.TreeExplainer(BOOSTER, baseline, feature_perturbation="interventional")
    assert found.values[:, :, 0] == pytest.approx(exact.shap_values(ROWS[:40]), abs=1e-5)
    assert found.expected[0] == pytest.approx(exact.expected_value, abs=1e-6)


@pytest.mark.parametrize("samples", [6, 10, 40, 90])
@pytest.mark.parametrize("same", [(), (2,), (1, 4)])
def test_with_few_samples_the_values_are_those_of_shap_on_the_same_coalitions(samples: int, same: Any) -> None:
    import shap

    rows, baseline = ROWS[:5].copy(), ROWS[200:201]
    rows[:, list(same)] = baseline[:, list(same)]
    found = ex.kernel_shap(rows, baseline, predict, ex.SamplingSettings(samples=samples, seed=7))
    explainer = shap.KernelExplainer(lambda x: predict(x)[:, 0], baseline)
    for row, values in zip(rows, found.values[:, :, 0], strict=True):
        np.random.seed(7)
        right = explainer.shap_values(row, nsamples=samples, l1_reg=0, silent=True)
        assert values == pytest.approx(right, abs=1e-6)


def test_many_rows_share_several_draws_of_which_none_is_decisive() -> None:
    rows = RANDOM.normal(size=(1100, WIDTH))
    exact = ex.kernel_shap(rows, ROWS[:1], predict, ex.SamplingSettings(samples=2**WIDTH)).values
    found = [
        ex.kernel_shap(rows, ROWS[:1], predict, ex.SamplingSettings(samples=50, seed=seed)) for seed in (1, 2, 3, 1)
    ]
    assert (found[0].values == found[3].values).all()
    errors = [np.abs(one.values - exact).mean() for one in found]
    single = [
        np.abs(ex.kernel_shap(rows[:500], ROWS[:1], predict, ex.SamplingSettings(50, s)).values - exact[:500]).mean()
        for s in range(12)
    ]
    assert max(errors) < max(single)
    assert found[0].values.sum(axis=1) + found[0].expected == pytest.approx(predict(rows), abs=1e-9)


def test_the_best_of_several_draws_tells_three_features_apart_best() -> None:
    random = np.random.RandomState(4)
    one = [coalitions.best_coalitions(8, 60, random, 1) for _ in range(6)]
    best = coalitions.best_coalitions(8, 60, np.random.RandomState(4), 6)
    triples = coalitions._triples(8)
    assert len(triples) == 56 and len(coalitions._triples(200)) == 120
    errors = [coalitions._error(*draw, triples) for draw in one]
    assert coalitions._error(*best, triples) == min(errors)
    assert len(best[0]) == 60


@pytest.mark.parametrize(
    "settings", [ex.SamplingSettings(10, 1), ex.SamplingSettings(None, None), ex.SamplingSettings(5, 3, True)]
)
def test_values_add_up_to_the_prediction(settings: ex.SamplingSettings) -> None:
    def probability(rows: Any) -> Any:
        return 1 / (1 + np.exp(-predict(rows)))

    model = probability if settings.logit else predict
    found = ex.kernel_shap(ROWS[:50], ROWS[:3], model, settings)
    link = (lambda p: np.log(p / (1 - p))) if settings.logit else (lambda p: p)
    assert found.values.sum(axis=1) + found.expected == pytest.approx(link(model(ROWS[:50])), abs=1e-9)


def test_several_labels_are_explained_at_once() -> None:
    def two(rows: Any) -> Any:
        return np.concatenate([predict(rows), rows[:, :1] * 3], axis=1)

    found = ex.kernel_shap(ROWS[:20], ROWS[:1], two, ex.SamplingSettings(samples=2**WIDTH))
    assert found.values[:, 0, 1] == pytest.approx((ROWS[:20, 0] - ROWS[0, 0]) * 3)
    assert np.abs(found.values[:, 1:, 1]).max() < 1e-9


def test_text_features_are_explained() -> None:
    rows = np.array([["a", 1.0], ["b", 2.0], ["a", 5.0]], dtype=object)

    def model(values: Any) -> Any:
        return np.array([[(1.0 if text == "b" else 0.0) + number] for text, number in values])

    found = ex.kernel_shap(rows, np.array([["a", 0.0]], dtype=object), model, ex.SamplingSettings())
    assert found.values[:, :, 0] == pytest.approx(np.array([[0, 1], [1, 2], [0, 5]]))


def test_only_chosen_features_are_explained_the_others_stay() -> None:
    baseline, chosen = ROWS[:1], [0, 1, 3]
    found = ex.kernel_shap(ROWS[:6], baseline, predict, ex.SamplingSettings(explained=chosen)).values[:, :, 0]
    assert (found[:, [2, 4, 5, 6]] == 0).all()

    def value(row: Any, kept: tuple[int, ...]) -> float:
        mixed = row.copy()
        for feature in chosen:
            if feature not in kept:
                mixed[feature] = baseline[0, feature]
        return float(predict(mixed[None])[0, 0])

    for row, values in zip(ROWS[:6], found, strict=True):
        for feature in chosen:
            rest = [f for f in chosen if f != feature]
            exact = sum(
                factorial(size) * factorial(2 - size) / 6 * (value(row, (*some, feature)) - value(row, some))
                for size in range(3)
                for some in combinations(rest, size)
            )
            assert values[feature] == pytest.approx(exact, abs=1e-6)


def test_aggregations() -> None:
    values = np.array([[[-3.0], [1.0]], [[1.0], [1.0]], [[1.0], [4.0]]])
    found = ex.Explanation(values, np.zeros(1))
    assert found.aggregate("mean_abs")[:, 0] == pytest.approx([5 / 3, 2])
    assert found.aggregate("median")[:, 0] == pytest.approx([1, 1])
    assert found.aggregate("mean_sq")[:, 0] == pytest.approx([11 / 3, 6])


def test_a_seed_makes_runs_equal() -> None:
    one, two = (ex.kernel_shap(ROWS[:9], ROWS[:1], predict, ex.SamplingSettings(10, 5)).values for _ in range(2))
    assert (one == two).all()


def attributions(**values: float) -> dict[str, Any]:
    return {"explanations": {"kernel_shap": {"label0": {"global_shap_values": values, "expected_value": 0.0}}}}


def test_the_documented_example_of_attribution_drift() -> None:
    base = {"SAT": 0.70, "GPA": 0.50, "Class rank": 0.05}
    now = {"SAT": 0.10, "GPA": 0.20, "Class rank": 0.70}
    score = ndcg_score([list(base.values())], [list(now.values())])
    assert ex.ndcg(base, now) == pytest.approx(score)
    assert round(ex.ndcg(base, now), 4) == 0.6876
    found = ex.violations(attributions(**now), attributions(**base))
    validate({"version": "1.0", "violations": found}, CLARIFY_VIOLATIONS)
    assert found[0]["description"] == f"Feature attribution drift {ex.ndcg(base, now)} exceeds threshold 0.9"


@pytest.mark.parametrize(
    ("base", "now", "score"),
    [
        ({"a": 1.0}, {"a": 5.0}, 1.0),
        ({"a": 0.0, "b": 0.0}, {"a": 1.0, "b": 2.0}, 1.0),
        ({"a": 3.0, "b": 1.0}, {"a": 2.0, "b": 1.0, "c": 0.5}, 1.0),
        ({"a": 1.0, "b": 0.0}, {"b": 1.0}, 1 / np.log2(3)),
    ],
)
def test_edges_of_attribution_drift(base: dict[str, float], now: dict[str, float], score: float) -> None:
    assert ex.ndcg(base, now) == pytest.approx(score)


def test_an_unchanged_or_absent_label_does_not_violate() -> None:
    assert ex.violations(attributions(a=1.0, b=0.5), attributions(a=2.0, b=0.1)) == []
    assert ex.violations({"version": "1.0"}, attributions(a=2.0, b=0.1)) == []


def test_partial_dependence_is_the_mean_prediction_at_each_value() -> None:
    frame = pd.DataFrame(ROWS, columns=list("abcdefg"))
    entry = partial_dependence(frame, ROWS, "b", 5, predict, ["label0"])
    validate({"version": "1.0", "explanations": {"pdp": [entry]}}, ANALYSIS)
    edges = np.linspace(ROWS[:, 1].min(), ROWS[:, 1].max(), 6)
    assert entry["feature_values"] == pytest.approx((edges[:-1] + edges[1:]) / 2)
    assert entry["data_distribution"] == pytest.approx(np.histogram(ROWS[:, 1], edges)[0] / 300)
    for value, mean in zip(entry["feature_values"], entry["model_predictions"][0], strict=True):
        changed = ROWS.copy()
        changed[:, 1] = value
        assert mean == pytest.approx(predict(changed).mean())


def test_partial_dependence_of_text() -> None:
    frame = pd.DataFrame({"t": ["x", "y", "x"], "n": [1.0, 2.0, 3.0]})
    rows = frame.astype(object).to_numpy()

    def model(values: Any) -> Any:
        return np.array([[10.0 if text == "x" else 0.0] for text, _ in values])

    entry = partial_dependence(frame, rows, "t", 5, model, ["label0"])
    assert entry["feature_values"] == ["x", "y"]
    assert entry["model_predictions"] == [[10.0, 0.0]]
    many = pd.DataFrame({"t": [f"text {i}" for i in range(200)]})
    assert "error" in partial_dependence(many, many.to_numpy(), "t", 5, model, ["label0"])


def test_a_baseline_is_made_from_the_data() -> None:
    frame = pd.DataFrame({"x": [0.0, 0.2, 10.0, 10.2], "c": ["a", "a", "b", "b"]})
    assert make_baseline(frame, None, None).to_dict("list") == {"x": [5.1], "c": ["a"]}
    clusters = make_baseline(frame, 2, 0).sort_values("x")
    assert clusters["x"].tolist() == pytest.approx([0.1, 10.1])
    assert clusters["c"].tolist() == ["a", "b"]
