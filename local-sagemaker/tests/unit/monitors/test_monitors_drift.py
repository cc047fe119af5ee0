"""Distances against scipy and by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from model_checks.analysis import drift


def numeric(values: list[float]) -> dict:  # type: ignore[type-arg]
    return {"distribution": {"kll": {"sketch": {"data": [values]}}}}


def test_the_numeric_distance_is_the_two_sample_kolmogorov_smirnov_statistic() -> None:
    random = np.random.default_rng(3)
    left, right = random.normal(size=400).round(1).tolist(), random.normal(0.3, 1.2, 300).round(1).tolist()
    expected = stats.ks_2samp(left, right).statistic
    assert drift.numeric_distance(numeric(left), numeric(right)) == pytest.approx(expected, abs=1e-12)
    assert drift.numeric_distance(numeric(left), numeric(left)) == 0


def test_values_of_higher_levels_weigh_more() -> None:
    base = {"distribution": {"kll": {"sketch": {"data": [[1.0], [2.0], [3.0]]}}}}
    assert drift.numeric_distance(base, numeric([3.0])) == pytest.approx(3 / 7)


def test_the_categorical_distance_is_the_largest_difference_of_shares() -> None:
    assert drift.categorical_distance({"a": 3, "b": 1}, {"a": 1, "c": 1}) == 0.5


def test_robust_takes_off_the_slack_of_small_samples() -> None:
    assert drift.robust(0.5, 100, 100) == pytest.approx(0.5 - 1.8 * math.sqrt(0.02))
    assert drift.robust(0.2, 100, 100) == 0


def test_chi_squared_equals_scipy_where_no_category_is_small() -> None:
    base, current = {"a": 60, "b": 30, "c": 10}, {"a": 300, "b": 150, "c": 150}
    expected = stats.chisquare([300, 150, 150], [360, 180, 60])
    assert drift.chi_squared(base, current) == pytest.approx((expected.statistic, expected.pvalue))


def test_chi_squared_merges_small_categories_and_gives_up_below_two() -> None:
    base = {"a": 500, "b": 490, "c": 5, "d": 5}
    found = drift.chi_squared(base, {"a": 50, "b": 40, "c": 5, "d": 5})
    assert found is not None
    assert found[0] == pytest.approx(stats.chisquare([50, 50], [50, 50]).statistic)
    assert drift.chi_squared({"a": 1}, {"a": 5}) is None
    assert drift.chi_squared({"a": 1, "b": 1}, {"x": 5}) is None
