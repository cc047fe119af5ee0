"""Unit tests see no crash of a machine: their SQLite files wait for no disk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_sagemaker.records import sqlite


@pytest.fixture(autouse=True, scope="module")
def _wait_for_no_disk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "SYNCHRONOUS", "OFF")
        yield
