"""Fixtures that all tests share; the service ships its own, for everybody's tests (`local_sagemaker.testing`)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from local_sagemaker.files.removal import remove

pytest_plugins = ["local_sagemaker.testing.fixtures", "local_sagemaker.testing.unit_test_guard"]

hypothesis.settings.register_profile("without deadlines", deadline=None)  # a loaded machine is no failure
hypothesis.settings.load_profile("without deadlines")


@pytest.fixture
def deep_folder() -> Iterator[Path]:
    """A folder for what is nested more than a thread's stack is deep: pytest can't remove that from its own."""
    folder = Path(tempfile.mkdtemp(prefix="deep-"))
    yield folder
    remove(folder)
