"""Every bias metric against the container's own library, on random datasets, most of them small and lopsided."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from smclarify.bias import metrics as library
from smclarify.bias.metrics.common import divide as library_divide
from smclarify.bias.metrics.common import metric_description
from smclarify.bias.report import _categorical_data_idx, _interval_index

from model_checks.analysis.bias_columns import ColumnScan, Listed, threshold
from model_checks.analysis.bias_metrics import (
    FLIP_TEST,
    POST_TRAINING,
    PRE_TRAINING,
    BiasCounts,
    divide,
    flip_test,
)

LIBRARY = {metric.__name__: metric for metric in (*library.PRETRAINING_METRICS, *library.POSTTRAINING_METRICS)}
SIZES = (1, 2, 3, 5, 8, 40, 300)


def outcome(compute: Any) -> float | str:
    """A metric's value, or the text of its error."""
    try:
        return float(compute())
    except (ValueError, TypeError) as error:
        return str(error)


@cache
def dataset(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    size = SIZES[seed % len(SIZES)]
    shares = random.choice([0.0, 0.1, 0.5, 0.9, 1.0], 3)
    columns = {name: random.random(size) < share for name, share in zip(("d", "y", "p"), shares, strict=True)}
    groups = random.choice([1.0, 2.0, np.nan] if seed % 2 else ["a", "b", "c"], size)
    return pd.DataFrame({**columns, "g": groups, "x1": random.normal(size=size), "x2": random.integers(0, 9, size)})


@cache
def counts(seed: int, grouped: bool) -> BiasCounts:
    data = dataset(seed)
    codes, values = pd.factorize(data["g"], use_na_sentinel=False) if grouped else (np.zeros(len(data), int), [0])
    table = np.zeros((2, 2, 2, len(values)), dtype=np.int64)
    np.add.at(table, (data["d"].astype(int), data["y"].astype(int), data["p"].astype(int), codes), 1)
    return BiasCounts(table, pd.Series(values) if grouped else None)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("metric", [*PRE_TRAINING, *POST_TRAINING], ids=lambda metric: metric.name)
def test_a_metric_is_what_the_library_computes(metric: Any) -> None:
    values = 0
    for seed in range(70):
        data, grouped = dataset(seed).copy(), seed % 5 > 0
        arguments = {
            "feature": data["d"],
            "label": data["y"],
            "df": data[["x1", "x2"]],
            "sensitive_facet_index": data["d"],
            "positive_label_index": data["y"],
            "positive_predicted_label_index": data["p"],
            "group_variable": data["g"] if grouped else None,
        }
        of_library = LIBRARY[metric.name]
        chosen = {name: arguments[name] for name in inspect.signature(of_library).parameters}
        expected = outcome(lambda function=of_library, given=chosen: function(**given))
        if metric is FLIP_TEST:
            found = outcome(lambda data=data: flip_test(data[["x1", "x2"]], data["d"].to_numpy(), data["p"].to_numpy()))
        else:
            found = outcome(lambda seed=seed, grouped=grouped: metric.compute(counts(seed, grouped)))
        assert found == (expected if isinstance(expected, str) else pytest.approx(expected, abs=1e-12, nan_ok=True))
        values += isinstance(found, float)
    assert values > 12


def test_the_metrics_are_those_of_the_library_with_its_descriptions() -> None:
    for ours, theirs in (
        (PRE_TRAINING, library.PRETRAINING_METRICS),
        (POST_TRAINING, library.POSTTRAINING_METRICS),
    ):
        expected = {metric.__name__: metric_description(metric) for metric in theirs}
        assert {metric.name: metric.description for metric in ours} == expected
        assert [metric.name for metric in ours] == sorted(expected)


def test_the_flip_test_refuses_text_as_the_library_does() -> None:
    data = dataset(6).assign(x1="a")
    expected = outcome(lambda: LIBRARY["FT"](data[["x1", "x2"]], data["d"], data["p"]))
    found = outcome(lambda: flip_test(data[["x1", "x2"]], data["d"].to_numpy(), data["p"].to_numpy()))
    assert found == expected == "FlipTest does not support non-numeric columns"


@pytest.mark.parametrize(("a", "b"), [(0, 0), (1, 0), (-1, 0), (1, 3), (0, 3)])
def test_ratios_over_zero(a: int, b: int) -> None:
    assert divide(a, b) == library_divide(a, b)


COLUMNS: list[tuple[list[Any], list[Any]]] = [
    ([1, 2, 3, 1], [1]),
    ([1, 2, 3, 1], ["1", "3"]),
    ([1, 2, 3, 1], ["1.0"]),
    ([1, 2, 3, 1], ["x"]),
    ([1.5, 2.0, 1.5], ["1.5"]),
    ([1.5, 2.0, 1.5], ["x"]),
    (["1", "2", "10"], [10, 1]),
    (["a", "b"], ["c"]),
    ([True, False], ["True"]),
    ([True, False], [0]),
    ([False, False], ["x"]),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("column", "values"), COLUMNS, ids=str)
def test_listed_values_are_found_where_the_library_finds_them(column: list[Any], values: list[Any]) -> None:
    series = pd.Series(column, dtype=object if isinstance(column[0], str) else None, name="c")
    try:
        expected: Any = _categorical_data_idx(series.astype("category"), list(values)).astype(bool).tolist()
    except Exception as error:  # it raises a bare Exception for what it can't convert
        expected = str(error)
    scan = ColumnScan("c")
    scan.update(series)
    try:
        found: Any = Listed(scan, values).rows(scan.conform(series)).tolist()
    except ValueError as error:
        found = str(error)
    assert found == expected


@pytest.mark.parametrize("limits", [[3], [9], [20], ["4"], [-5], [2, 6]], ids=str)
def test_thresholds_cut_where_the_library_does(limits: list[Any]) -> None:
    series = pd.Series(np.arange(10.0), name="c")
    scan = ColumnScan("c")
    scan.update(series)
    expected = _interval_index(series, [float(limit) for limit in limits])
    assert threshold(scan, limits).text == ",".join(map(str, expected))
