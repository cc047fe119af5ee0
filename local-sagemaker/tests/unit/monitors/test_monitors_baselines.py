"""SHAP baselines that are given, and those that are made of the dataset."""

import numpy as np
import pandas as pd
import pytest

from model_checks.analysis.baselines import baseline_from, make_baseline

FEATURES = pd.DataFrame({"age": [30, 40], "pay": [1.5, 2.5], "town": ["x", "y"]})


def test_empty_texts_are_missing_numbers_and_stay_empty_texts() -> None:
    found = baseline_from([["", "", ""]], FEATURES)
    assert list(found.columns) == ["age", "pay", "town"]
    assert found[["age", "pay"]].isna().all(axis=None) and found["town"].tolist() == [""]


def test_numbers_may_be_given_as_text() -> None:
    found = baseline_from([["40", 1, "x"], [50, "2.5", None]], FEATURES)
    assert found["age"].tolist() == [40, 50] and found["age"].dtype == np.int64
    assert found["pay"].tolist() == [1.0, 2.5]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "has no rows"),
        ([[1, 2]], "2 values for 3 features"),
        ([["old", 1, "x"]], "'old' for the numeric feature age"),
    ],
)
def test_what_is_no_baseline(rows: list[list[object]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        baseline_from(rows, FEATURES)


def test_a_cluster_without_a_text_has_none() -> None:
    frame = pd.DataFrame({"n": [0.0] * 5 + [100.0] * 5, "t": ["a"] * 5 + [None] * 5})
    found = make_baseline(frame, 2, 1).sort_values("n")
    assert found["n"].tolist() == [0.0, 100.0]
    assert found["t"].iloc[0] == "a" and pd.isna(found["t"].iloc[1])
