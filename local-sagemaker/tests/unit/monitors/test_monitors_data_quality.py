"""Statistics and suggested constraints against pandas, on several kinds of tables."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from jsonschema import validate

from model_checks.analysis import data_quality
from model_checks.analysis.profile import DatasetProfile, Work, profile_dataset
from tests.monitor_schemas import CONSTRAINTS, STATISTICS


def text_blocks(frame: pd.DataFrame, rows: int = 97) -> object:
    """Blocks of texts, as a CSV file gives them."""
    texts = {name: [None if pd.isna(v) else str(v) for v in frame[name]] for name in frame.columns}

    def blocks(work: Work, text: frozenset[str] | None = None) -> Iterator[DatasetProfile]:
        for at in range(0, len(frame), rows):
            part = {name: pa.array(values[at : at + rows], pa.string()) for name, values in texts.items()}
            yield work(part, min(rows, len(frame) - at), at)

    return blocks


def profiled(frame: pd.DataFrame) -> DatasetProfile:
    return profile_dataset(text_blocks(frame))  # type: ignore[arg-type]


def tables() -> dict[str, pd.DataFrame]:
    """A binary problem with texts and missing values, a multiclass one, a wide one, and one row."""
    random = np.random.default_rng(5)
    size = 500
    binary = pd.DataFrame(
        {
            "label": random.integers(0, 2, size),
            "age": np.where(random.random(size) < 0.1, np.nan, random.normal(40, 12, size).round(2)),
            "job": random.choice(["clerk", "nurse, head", 'the "boss"', "line\nbreak"], size),
            "note": [f"text {i}" for i in range(size)],
            "void": np.nan,
        }
    )
    multiclass = pd.DataFrame({"kind": random.choice(list("abc"), size), "x": random.exponential(size=size)})
    wide = pd.DataFrame(random.normal(size=(120, 60)), columns=[f"f{i}" for i in range(60)])
    return {"binary": binary, "multiclass": multiclass, "wide": wide, "one row": binary.head(1)}


@pytest.mark.parametrize("name", list(tables()))
def test_statistics_equal_pandas(name: str) -> None:
    frame = tables()[name]
    found = data_quality.statistics(profiled(frame))
    constraints = data_quality.suggest_constraints(found)
    validate(found, STATISTICS)
    validate(constraints, CONSTRAINTS)
    assert found["dataset"]["item_count"] == len(frame)
    assert [feature["name"] for feature in found["features"]] == list(frame.columns)
    for feature, constraint in zip(found["features"], constraints["features"], strict=True):
        column = frame[feature["name"]]
        assert constraint["completeness"] == pytest.approx(column.notna().mean())
        if "numerical_statistics" in feature:
            check_numbers(feature["numerical_statistics"], column.astype(float))
            assert constraint["num_constraints"]["is_non_negative"] == bool(column.min() >= 0)
        elif "string_statistics" in feature:
            check_texts(feature["string_statistics"], column)
        else:
            assert column.isna().all()


def check_numbers(found: dict, column: pd.Series) -> None:  # type: ignore[type-arg]
    known = column.dropna()
    assert found["common"] == {"num_present": len(known), "num_missing": int(column.isna().sum())}
    assert found["mean"] == pytest.approx(known.mean(), rel=1e-12)
    assert found["sum"] == pytest.approx(known.sum(), rel=1e-12)
    assert found["std_dev"] == pytest.approx(known.std(ddof=0), rel=1e-12)
    assert (found["min"], found["max"]) == (known.min(), known.max())
    assert found["approximate_num_distinct_values"] == known.nunique()
    kll = found["distribution"]["kll"]
    assert kll["sketch"]["data"] == [known.tolist()]
    low, high = known.min(), known.max()
    for i, bucket in enumerate(kll["buckets"]):
        lower, upper = low + (high - low) * i / 10, low + (high - low) * (i + 1) / 10
        assert (bucket["lower_bound"], bucket["upper_bound"]) == (lower, upper)
        inside = (known >= lower) & ((known < upper) if i < 9 else True)
        assert bucket["count"] == inside.sum() or low == high


def check_texts(found: dict, column: pd.Series) -> None:  # type: ignore[type-arg]
    counts = column.dropna().value_counts()
    assert found["distinct_count"] == len(counts)
    if len(counts) <= 120:
        listed = found["distribution"]["categorical"]["buckets"]
        assert {bucket["value"]: bucket["count"] for bucket in listed} == counts.to_dict()
    else:
        assert "distribution" not in found


@pytest.mark.parametrize(
    ("values", "kind", "present"),
    [
        (["1", "2", None], "Integral", 2),
        (["1", "2.5"], "Fractional", 2),
        (["0.0", "1.0"], "Fractional", 2),
        (["1", "2", "x"], "String", 3),
        (["48235.0", "B2 9"], "String", 2),
        (["true", "false"], "String", 2),
        (["true", "1"], "String", 2),
        ([None, None], "Unknown", 0),
        (["1e400", "2"], "String", 2),
        (["1" * 400, "2"], "String", 2),
        (["99999999999999999999"], "Integral", 1),
    ],
)
def test_mixed_columns(values: list[str | None], kind: str, present: int) -> None:
    frame = pd.DataFrame({"c": values}, dtype=object)
    feature = data_quality.statistics(profile_dataset(text_blocks(frame, 1)))["features"][0]  # type: ignore[arg-type]
    assert feature["inferred_type"] == kind
    block = feature.get("numerical_statistics") or feature.get("string_statistics")
    assert (block or {"common": {"num_present": 0}})["common"]["num_present"] == present


def test_a_column_of_numbers_that_turns_to_text_late_is_counted_as_text_from_its_start() -> None:
    frame = pd.DataFrame({"c": ["1"] * 300 + ["x"] * 2})
    feature = data_quality.statistics(profiled(frame))["features"][0]
    assert feature["string_statistics"]["distribution"]["categorical"]["buckets"] == [
        {"value": "1", "count": 300},
        {"value": "x", "count": 2},
    ]


def test_typed_columns_are_profiled_like_texts() -> None:
    table = {
        "i": pa.array([1, 2, None]),
        "f": pa.array([1.5, float("nan"), None]),
        "b": pa.array([True, False, None]),
        "d": pa.array(["a", "b", "a"]).dictionary_encode(),
        "n": pa.nulls(3),
    }
    found = data_quality.statistics(profile_dataset(lambda work: [work(table, 3, 0)]))
    validate(found, STATISTICS)
    assert [f["inferred_type"] for f in found["features"]] == ["Integral", "Fractional", "String", "String", "Unknown"]
    assert found["features"][1]["numerical_statistics"]["common"] == {"num_present": 1, "num_missing": 2}


def test_a_column_that_only_some_blocks_have_is_missing_in_the_others() -> None:
    blocks = [{"a": pa.array([1, 2])}, {"a": pa.array([3]), "b": pa.array([4])}]
    found = data_quality.statistics(profile_dataset(lambda work: [work(b, len(b["a"]), 0) for b in blocks]))
    assert found["features"][1]["numerical_statistics"]["common"] == {"num_present": 1, "num_missing": 2}
