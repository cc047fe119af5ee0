"""The order of keys, against orders that AWS's containers wrote."""

import pytest

from model_checks.analysis.scala_map_order import in_map_order

RECORDED = [
    # violated metrics: of a binary and of a multiclass problem
    ["auc", "precision", "truePositiveRate", "f1", "accuracy", "falseNegativeRate", "recall", "f2"],
    ["weightedF2", "accuracy", "weightedRecall", "weightedPrecision", "weightedF1"],
    # domains of a feature
    ["40s", "30s", "60s", "50s", "<30"],
    # classes of a confusion matrix
    ["0.007767947390675545", "0.031237782910466194", "6.0", "0.0", "0.024877721443772316", "3.0", "2.0", "4.0", "5.0"],
    ["surprise", "happy", "optimistic", "anger", "neutral"],
]


@pytest.mark.parametrize("recorded", RECORDED)
def test_more_than_four_keys_have_the_recorded_order(recorded: list[str]) -> None:
    assert in_map_order(sorted(recorded)) == recorded


def test_few_keys_stay_in_the_order_of_their_appearance() -> None:
    assert in_map_order(["b", "a", "b", "c"]) == ["b", "a", "c"]


def test_characters_outside_the_basic_plane_are_two_units() -> None:
    keys = ["\U0001f600", "é", "a", "bb", "\ud800", ""]
    assert sorted(in_map_order(keys)) == sorted(keys)
