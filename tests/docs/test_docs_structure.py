"""The figures of the structure (`make structure`): what has reached its limit stays there."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SERVICE = "local-sagemaker/"
PLAIN = tuple(
    f"local-sagemaker/local_sagemaker/{place}"
    for place in ("api/", "records/", "events.py", "app.py", "region.py", "regions.py", "background.py")
)
"""Where the words have been gone over: every function's name begins with a verb or is a noun."""


@pytest.fixture(scope="module")
def structure() -> ModuleType:
    spec = importlib.util.spec_from_file_location("structure", ROOT / "tools" / "structure.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def figures(structure: ModuleType) -> object:
    return structure.measure()


def test_functions_and_files_are_short(figures: object) -> None:
    assert [function for function in figures.long_functions if function.startswith(SERVICE)] == []
    assert figures.long_files == []


def test_broad_excepts_are_the_boundaries(structure: ModuleType, figures: object) -> None:
    assert sorted({*figures.broad}) == sorted(structure.allowed_broad_excepts())


def test_names_of_functions_where_the_words_have_been_gone_over(figures: object) -> None:
    assert [function for function in figures.participles if function.startswith(PLAIN)] == []
