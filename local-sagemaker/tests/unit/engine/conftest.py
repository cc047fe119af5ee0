"""The fixture of all engine tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.engine.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh service."""
    made = World(tmp_path / "home")
    yield made
    made.close()
