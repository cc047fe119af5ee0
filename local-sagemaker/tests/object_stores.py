"""Fixtures of object stores, for the tests of both tiers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_sagemaker.objects.disk import DiskObjects


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DiskObjects]:
    """A store with the bucket ``box``."""
    store = DiskObjects(tmp_path / "objects")
    store.buckets.create("box")
    yield store
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of `store`."""
    return tmp_path / "objects"
