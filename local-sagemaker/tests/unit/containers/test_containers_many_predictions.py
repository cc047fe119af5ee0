"""Requests and answers of many rows: texts to numbers and back, and predictions from several threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given
from hypothesis import strategies as st

from local_sagemaker.containers.xgboost import csv_table, decode, encode, inplace_predict

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
        found = list(pool.map(lambda part: inplace_predict.predict(booster, rows[part]), parts))
    for part, predictions in zip(parts, found, strict=True):
        assert (predictions == expected[part]).all()


FIELDS = st.sampled_from(
    ["1", "-2.5", "1e400", "1E-3", "nan", "inf", "", " 1", "+1", "1_0", "0x1", "x", '"1"', "1\r", "é"]
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False).map(repr)


@given(st.lists(st.lists(FLOATS | FIELDS, min_size=1, max_size=4), min_size=1, max_size=6))
def test_a_table_is_read_as_by_the_exact_rules_or_left_to_them(rows: list[list[str]]) -> None:
    body = "\n".join(map(",".join, rows)).encode()
    found = csv_table.plain_request(body)
    if found is not None:
        with np.errstate(over="ignore"):
            expected = decode.csv_rows(body.decode()).astype(np.float32)
        assert found.shape == expected.shape
        assert np.array_equal(found, expected, equal_nan=True)


def test_plain_rows_are_read() -> None:
    rows = GENERATOR.normal(size=(300, 7)).astype(np.float32)
    body = "\n".join(",".join(map(repr, row)) for row in rows.tolist()).encode()
    found = csv_table.plain_request(body)
    assert found is not None
    assert (found == rows).all()
    for odd in (body + b",1", body.replace(b"\n", b",1\n", 1), body.replace(b",", b"\n", 1), b"1\n2\n3"):
        assert csv_table.plain_request(odd) is None
