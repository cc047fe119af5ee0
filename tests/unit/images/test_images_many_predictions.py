"""Answers of many rows: the texts of the numbers, and predictions from several threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xgboost as xgb

from local_sagemaker.images.builtin_xgboost import encode, inplace

GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize(
    "values",
    [
        GENERATOR.normal(size=5000),
        GENERATOR.uniform(size=5000),
        10.0 ** GENERATOR.uniform(-40, 38, size=5000),
        -(10.0 ** GENERATOR.uniform(-3, 15, size=5000)),
        np.arange(100) / 4,
        np.repeat([0.5, 1e-3, 1e15, np.nan, np.inf, -0.0], 40),
        np.full(40, 0.001),
        np.array([0.5]),
    ],
)
def test_numbers_are_written_as_python_writes_them(values: np.ndarray) -> None:
    predictions = values.astype(np.float32)
    expected = "".join(f"{number!r}\n" for number in predictions.tolist()).encode()
    assert encode.csv_lines(predictions) == expected
    assert encode.batch_lines(predictions) == expected


def test_threads_predict_side_by_side() -> None:
    rows = GENERATOR.normal(size=(600, 4)).astype(np.float32)
    booster = xgb.train({"nthread": 1}, xgb.DMatrix(rows, rows[:, 0] * 3), 10)
    expected = booster.inplace_predict(rows)
    parts = [slice(start, start + 1 + start % 7) for start in range(590)] * 4
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda part: inplace.predict(booster, rows[part]), parts))
    for part, predictions in zip(parts, found, strict=True):
        assert (predictions == expected[part]).all()
