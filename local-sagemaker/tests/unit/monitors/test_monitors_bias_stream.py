"""Bias counted in blocks against smclarify's own report of the whole frame, on random data and on odd data."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from smclarify.bias import report
from smclarify.bias.report import FacetColumn, LabelColumn, StageType, bias_report

from model_checks.analysis import bias, bias_columns
from model_checks.analysis.bias_counts import BiasStream, CountedBlock, Cut, Facet, count

SIZE = 400
RANDOM = np.random.default_rng(8)
FRAME = pd.DataFrame(
    {
        "sex": RANDOM.choice(["F", "M", "I"], SIZE),
        "class": RANDOM.integers(0, 5, SIZE),
        "age": RANDOM.normal(40, 10, SIZE).round(1),
        "rank": RANDOM.permutation(SIZE),
        "member": RANDOM.random(SIZE) < 0.3,
        "holes": np.where(RANDOM.random(SIZE) < 0.2, np.nan, RANDOM.integers(0, 3, SIZE)),
        "region": RANDOM.integers(0, 4, SIZE),
    }
)
LABELS: dict[str, tuple[pd.Series, pd.Series, list[Any]]] = {
    "whole": (FRAME["class"] // 2, FRAME["region"] // 2, [1]),
    "text": (
        pd.Series(np.where(FRAME["age"] > 40, "yes", "no")),
        pd.Series(np.where(FRAME["rank"] > 300, "yes", "no")),
        ["yes"],
    ),
    "several": (FRAME["class"], FRAME["region"], [1, 3]),
    "decimal": (FRAME["age"], FRAME["age"] + RANDOM.normal(0, 8, SIZE), [42]),
    "measured": (FRAME["rank"], FRAME["rank"] // 2 + 100, [200]),
    "none positive": (FRAME["class"] * 0, FRAME["class"] * 0, [1]),
    "numbers as text": (FRAME["class"] // 2, FRAME["region"] // 2, ["1"]),
}
FACETS: list[tuple[str, Any]] = [
    ("sex", ["F"]),
    ("sex", ["F", "I"]),
    ("sex", None),
    ("class", [2]),
    ("class", None),
    ("age", [45]),
]
FACETS += [("age", None), ("rank", [100]), ("rank", [9000]), ("member", [True]), ("member", None), ("holes", [1.0])]
FACETS += [("sex", ["X"]), ("class", ["2"]), ("holes", [0, 1])]


def stream(
    frame: pd.DataFrame,
    label: pd.Series,
    predicted: pd.Series | None,
    positive: list[Any],
    facet: Facet,
    size: int = 90,
    cut: Cut | None = None,
) -> BiasStream:
    def blocks(features: bool, text: frozenset[str]) -> Iterator[CountedBlock]:
        del text
        for at in range(0, len(frame), size):
            some = slice(at, at + size)
            shown = frame if features else frame[[facet.name]]
            guess = None if predicted is None else predicted.iloc[some]
            yield CountedBlock(shown.iloc[some], label.iloc[some], guess, frame["region"].iloc[some])

    return BiasStream(blocks, "label", positive, [facet], cut)


def categories(series: pd.Series) -> pd.Series:
    text = pd.api.types.is_string_dtype(series.dtype)
    return series.astype(object).astype("category") if text else series


def right(
    label: pd.Series,
    predicted: pd.Series,
    positive: list[Any],
    facet: tuple[str, Any],
    stage: StageType,
    metrics: list[str],
) -> list[Any]:
    frame = FRAME.assign(**{facet[0]: categories(FRAME[facet[0]])})
    found: list[Any] = bias_report(
        frame,
        FacetColumn(facet[0], list(facet[1]) if facet[1] else None),
        LabelColumn("label", categories(label), list(positive)),
        stage,
        LabelColumn("predicted", categories(predicted), list(positive)),
        metrics,
        FRAME["region"],
    )
    return found


@pytest.mark.parametrize("facet", FACETS, ids=str)
@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.filterwarnings("ignore")
def test_blocks_give_what_smclarify_reports_of_the_whole(kind: str, facet: tuple[str, Any]) -> None:
    label, predicted, positive = LABELS[kind]
    data = stream(FRAME, label, predicted, positive, Facet(facet[0], facet[1]))
    counted = cache(lambda: count(data))  # both stages are of the same rows
    for stage, methods in (
        (StageType.PRE_TRAINING, bias.PRE_TRAINING),
        (StageType.POST_TRAINING, bias.POST_TRAINING),
    ):
        some = [method for method in methods if method.name != "FT"]
        reference = (label, predicted, positive, facet, stage, [method.name for method in some])
        try:
            found = bias.section(counted(), some)
        except ValueError as error:  # of the predictions
            with pytest.raises(ValueError, match=f"{re.escape(str(error))}|Threshold values must be provided"):
                right(*reference)
            continue
        try:
            expected = right(*reference)
        except ValueError as error:  # smclarify fails as a whole where a facet has no threshold, we metric by metric
            assert {m["error"] for entry in found["facets"][facet[0]] for m in entry["metrics"]} == {str(error)}
            continue
        by_text = {entry["value_or_threshold"]: entry["metrics"] for entry in expected}
        assert found["label_value_or_threshold"] == report.label_value_or_threshold(categories(label), list(positive))
        for entry in found["facets"][facet[0]]:
            check({m["name"]: m for m in by_text.pop(entry["value_or_threshold"])}, entry["metrics"])
        assert not by_text


def check(expected: dict[str, Any], found: list[Any]) -> None:
    for metric in found:
        same = expected[metric["name"]]
        assert metric["description"] == same["description"]
        if same["value"] is None or isinstance(same["value"], str) or np.isnan(same["value"]):
            assert (metric["value"], metric.get("error")) == (
                same["value"] if isinstance(same["value"], str) else None,
                same.get("error"),
            )
        else:
            assert metric["value"] == pytest.approx(same["value"], rel=1e-13, abs=1e-15), metric["name"]


@pytest.mark.parametrize(("size", "sampled"), [(100, 5000), (9999, 5000), (64, 200)])
def test_the_flip_test_sees_the_same_rows_in_any_blocks(size: int, sampled: int) -> None:
    label, predicted, positive = LABELS["whole"]
    numbers = FRAME.drop(columns="sex").fillna(0)
    facet = Facet("region", [1])
    flip = [method for method in bias.POST_TRAINING if method.name == "FT"]
    values = [
        bias.section(count(stream(numbers, label, predicted, positive, facet, some), sampled), flip)
        for some in (size, SIZE)
    ]
    assert values[0] == values[1]
    assert values[0]["facets"]["region"][0]["metrics"][0]["value"] is not None


def test_scores_of_a_binary_label_are_cut_and_others_are_not() -> None:
    label, scores, facet = FRAME["class"] // 3, pd.Series(RANDOM.random(SIZE)), Facet("sex", ["F"])

    def positives(cut: Cut | None, given: pd.Series) -> tuple[float | None, int, str]:
        found = count(stream(FRAME, label, given, [1], facet, 50, cut))
        return found.cut_at, found.predicted, found.predicted_error

    assert positives(Cut(), scores) == (0.5, (scores > 0.5).sum(), "")
    assert positives(Cut(0.9), scores) == (0.9, (scores > 0.9).sum(), "")
    whole = (scores > 0.3).astype(float)
    assert positives(Cut(), whole) == (None, (scores > 0.3).sum(), "")
    assert positives(None, scores)[2] == "Predicted Label Column series datatype is not the same as Label Column series"
    error = "No Label values are present in the predicted Label Column,"
    assert positives(Cut(), scores / 4)[2].startswith(error)


def test_a_column_of_numbers_with_text_further_down_is_read_again_as_text() -> None:
    texts = pd.Series([*("1" for _ in range(60)), *("0" for _ in range(60)), *("x" for _ in range(30))])
    asked: list[frozenset[str]] = []

    def blocks(features: bool, text: frozenset[str]) -> Iterator[CountedBlock]:
        del features
        asked.append(text)
        for at in range(0, 150, 50):
            some = texts.iloc[at : at + 50]
            numeric = "y" not in text and some.str.isdigit().all()
            label = (some.astype(int) if numeric else some).rename("y")
            yield CountedBlock(pd.DataFrame({"f": [0, 1] * 25}), label)

    found = count(BiasStream(blocks, "y", ["1"], [Facet("f", [1])]))
    assert (found.rows, found.positive) == (150, 60)
    assert asked == [frozenset(), {"y"}, {"y"}]


def test_too_many_categories_are_refused_and_too_many_numbers_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bias_columns, "DISTINCT", 50)
    label, predicted, positive = LABELS["whole"]
    names = FRAME.assign(name=[f"n{i}" for i in range(SIZE)])
    found = bias.section(count(stream(names, label, predicted, positive, Facet("name"))), [bias.PRE_TRAINING[1]])
    assert "more than 50 different values" in found["facets"]["name"][0]["metrics"][0]["error"]
    (entry,) = bias.section(count(stream(names, label, predicted, positive, Facet("rank", [99]))), [])["facets"]["rank"]
    assert entry["value_or_threshold"] == f"(99, {SIZE - 1}]"
