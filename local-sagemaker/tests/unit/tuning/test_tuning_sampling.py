"""Ranges with their scales, points at random, on a grid and by a model."""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
from collections.abc import Mapping
from typing import Any

import pytest

from local_sagemaker.errors import ValidationError
from local_sagemaker.tuning.bayesian import best, read
from local_sagemaker.tuning.ranges import Space, combinations, parse
from local_sagemaker.tuning.sampling import Observation, SearchState, draw, on_grid


def one(low: str, high: str, scaling: str | None = None, *, whole: bool = False) -> Space:
    given = {"Name": "x", "MinValue": low, "MaxValue": high, **({"ScalingType": scaling} if scaling else {})}
    return parse({"IntegerParameterRanges" if whole else "ContinuousParameterRanges": [given]})


def state(space: Space, number: int = 0, tried: list[Observation] | None = None, **more: Any) -> SearchState:
    return SearchState(
        **{"strategy": "Random", "seed": 1, "minimise": True, "space": space, "number": number,
           "observations": tried or [], **more},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "scaling", "middle"),
    [
        ("0", "4", "Linear", 2.0),
        ("0", "4", "Auto", 2.0),
        ("0.01", "1", "Auto", 0.1),
        ("0.01", "1", None, 0.1),
        ("1e-4", "1", "Logarithmic", 0.01),
        ("0", "0.99", "ReverseLogarithmic", 0.9),
    ],
)
def test_scales(low: str, high: str, scaling: str | None, middle: float) -> None:
    (given,) = one(low, high, scaling)
    assert float(given.at(0.5)) == pytest.approx(middle)
    assert float(given.at(0)) == pytest.approx(float(low))
    assert float(given.at(1)) == pytest.approx(float(high))
    assert given.features(given.at(0.25)) == [pytest.approx(0.25)]


def test_whole_numbers_are_equally_likely() -> None:
    (given,) = one("1", "4", whole=True)
    assert [given.at((n + 0.5) / 8) for n in range(8)] == ["1", "1", "2", "2", "3", "3", "4", "4"]
    assert given.at(1) == "4"
    assert combinations((given, given)) == 16
    assert math.isinf(combinations(one("0", "1")))


@pytest.mark.parametrize(
    ("low", "high", "scaling"),
    [("2", "1", "Linear"), ("x", "1", "Linear"), ("0", "1", "Logarithmic"), ("0", "1", "ReverseLogarithmic")],
)
def test_ranges_that_can_not_be_searched(low: str, high: str, scaling: str) -> None:
    with pytest.raises(ValidationError):
        one(low, high, scaling)


def test_random_points_depend_on_the_seed_and_the_number_only() -> None:
    space = one("0", "1")
    points = [draw(state(space, number)) for number in range(4)]
    assert len({point["x"] for point in points}) == 4
    assert draw(state(space, 2, [Observation(points[0], None)])) == points[2]
    assert draw(state(space, 2, seed=2)) != points[2]


def test_no_combination_is_drawn_twice_while_others_are_left() -> None:
    space = parse(
        {
            "IntegerParameterRanges": [{"Name": "a", "MinValue": "1", "MaxValue": "5"}],
            "CategoricalParameterRanges": [{"Name": "b", "Values": ["x", "y"]}],
        }
    )
    tried: list[Observation] = []
    for number in range(10):
        tried.append(Observation(draw(state(space, number, tried)), None))
    assert len({tuple(point.values.items()) for point in tried}) == 10
    assert set(draw(state(space, 10, tried))) == {"a", "b"}
    assert [on_grid(state(space, number)) for number in (0, 1, 2)] == [
        {"a": "1", "b": "x"}, {"a": "1", "b": "y"}, {"a": "2", "b": "x"},
    ]  # fmt: skip


def test_the_model_finds_better_points_than_chance() -> None:
    space = parse(
        {
            "ContinuousParameterRanges": [{"Name": "x", "MinValue": "1e-4", "MaxValue": "1"}],
            "IntegerParameterRanges": [{"Name": "n", "MinValue": "1", "MaxValue": "30"}],
            "CategoricalParameterRanges": [{"Name": "kind", "Values": ["good", "bad"]}],
        }
    )

    def objective(values: Mapping[str, str]) -> float:
        x, n = math.log10(float(values["x"])), int(values["n"])
        return -((x + 1.5) ** 2) - ((n - 20) / 10) ** 2 - (values["kind"] == "bad")

    chance: list[Observation] = []
    for number in range(12):
        values = draw(state(space, number, chance))
        chance.append(Observation(values, objective(values)))
    modelled = [
        Observation({"x": "7", "n": "1", "kind": "gone"}, 9.0),
        *chance[:5],
    ]  # the first is of another space: no use
    for number in range(5, 12):
        running = [Observation(one.values, None, running=True) for one in modelled[6:][-1:]]  # two jobs in parallel
        known = modelled[: len(modelled) - len(running)]
        asked = state(space, number, [*known, *running], strategy="Bayesian", minimise=False)
        values = best(read(json.loads(json.dumps(dataclasses.asdict(asked))))) or {}
        modelled.append(Observation(values, objective(values)))
    assert values == best(asked), "the same seed gives the same point"
    late = [one.objective or 0.0 for one in modelled[-5:]]
    assert max(late) > max(one.objective or 0.0 for one in chance)
    assert statistics.median(late) > statistics.median(one.objective or 0.0 for one in chance)


def test_a_model_has_no_point_when_all_were_tried() -> None:
    space = parse({"CategoricalParameterRanges": [{"Name": "kind", "Values": ["a", "b"]}]})
    tried = [Observation({"kind": kind}, value) for kind, value in (("a", 1.0), ("b", 2.0))]
    assert best(state(space, 2, tried)) is None
    assert best(state(space, 2, tried[:1])) == {"kind": "b"}
