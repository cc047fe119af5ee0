"""The figures of the structure (`make structure`): what has reached its limit stays there."""

from __future__ import annotations

import pytest

from tools import structure

PLAIN = tuple(
    f"local-sagemaker/local_sagemaker/{place}"
    for place in ("api/", "records/", "events.py", "app.py", "region.py", "regions.py", "background.py")
)
"""Where the words have been gone over: every function's name begins with a verb or is a noun."""


@pytest.fixture(scope="module")
def figures() -> structure.Figures:
    return structure.measure()


def test_no_figure_passes_its_limit(figures: structure.Figures) -> None:
    assert structure.problems(figures) == []


def test_names_of_functions_where_the_words_have_been_gone_over(figures: structure.Figures) -> None:
    assert [function for function in figures.participles if function.startswith(PLAIN)] == []
