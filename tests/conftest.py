"""Fixtures that all tests share; the service's are its own (`local_sagemaker.testing`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import shared_file

pytest_plugins = ["local_sagemaker.testing.fixtures", "local_sagemaker.testing.unit_test_guard"]


@pytest.fixture(scope="session")
def abalone_csv() -> Path:
    """The published abalone file."""
    return shared_file("data/abalone.csv")
