"""Quantile and distinct sketches against the values themselves."""

import numpy as np
import pytest
from datasketches import kll_doubles_sketch

from model_checks.analysis.sketches import (
    KEPT,
    UNSAMPLED,
    DistinctSketch,
    K,
    QuantileSketch,
    buckets,
    hash_doubles,
    with_weights,
)

# twice the library's own bound on a rank (99 %), for the two edges of a bucket
BOUND = 2 * kll_doubles_sketch(K).normalized_rank_error(False)


def filled(values: np.ndarray, block: int) -> QuantileSketch:
    """A sketch merged from blocks, as several threads make it."""
    whole = QuantileSketch()
    for at in range(0, len(values), block):
        part = QuantileSketch()
        part.update(values[at : at + block], at)
        whole.merge(part)
    return whole


def test_few_values_are_all_kept_in_file_order() -> None:
    values = np.array([3.0, 1.0, 2.0, 1.0])
    assert [level.tolist() for level in filled(values, 3).levels()] == [[3.0, 1.0, 2.0, 1.0]]


def test_up_to_k_values_stay_raw_and_one_more_makes_a_sketch() -> None:
    values = np.random.default_rng(0).normal(size=K + 1)
    assert len(filled(values[:K], 700).levels()) == 1
    assert sum(len(level) * 2**h for h, level in enumerate(filled(values, 700).levels())) == K + 1


@pytest.mark.parametrize("count", [5_000, 200_000, 3 * UNSAMPLED])
def test_buckets_of_a_large_sketch_are_within_the_error_bound(count: int) -> None:
    values = np.random.default_rng(1).gamma(2.0, size=count)
    sketch = filled(values, 1 << 17)
    levels = sketch.levels()
    assert sketch.count == count
    assert with_weights(levels)[1].sum() == count
    found = buckets(levels, float(values.min()), float(values.max()))
    exact = np.histogram(values, 10)[0]
    assert sum(bucket["count"] for bucket in found) == count
    for bucket, right in zip(found, exact, strict=True):
        assert abs(bucket["count"] - right) <= BOUND * count


def test_a_constant_column_has_everything_in_the_last_bucket() -> None:
    found = buckets([np.full(7, 5.0)], 5.0, 5.0)
    assert [bucket["count"] for bucket in found] == [0.0] * 9 + [7.0]


def test_buckets_are_half_open_except_the_last() -> None:
    found = buckets([np.arange(11.0)], 0.0, 10.0)
    assert [bucket["count"] for bucket in found] == [1.0] * 9 + [2.0]


@pytest.mark.parametrize("distinct", [1, 20, KEPT - 1, 50_000, 1_000_000])
def test_distinct_counts_are_exact_when_small_and_close_when_large(distinct: int) -> None:
    values = np.tile(np.random.default_rng(2).permutation(np.arange(distinct) / 7), 2)
    whole = DistinctSketch()
    for part in np.array_split(values, 5):
        one = DistinctSketch()
        one.update(hash_doubles(part))
        whole.merge(one)
    assert whole.estimate() == pytest.approx(distinct, rel=0.06 if distinct >= KEPT else 0)


def test_equal_numbers_have_equal_hashes() -> None:
    found = hash_doubles(np.array([0.0, -0.0, 1.0, 1.0]))
    assert found[0] == found[1] != found[2] == found[3]
