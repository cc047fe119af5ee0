"""Fixtures for pytest: a clean environment, and a real service in a process of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_sagemaker import lifecycle
from local_sagemaker.testing import Service


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """No AWS setting of the machine reaches a test, and no test reaches AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAGEMAKER_", "LOCAL_"))}
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(kept, AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true")
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """One service for all tests that do not disturb it; resources need names of their own."""
    yield from _service()


@pytest.fixture
def own_service() -> Iterator[Service]:
    """A service for one test that kills, fills or empties it."""
    yield from _service()


def _service() -> Iterator[Service]:
    home = Path(tempfile.mkdtemp(prefix="service-"))
    made = Service(home)
    made.up()
    try:
        yield made
    finally:
        if lifecycle.running(made.settings):
            made.down()
        shutil.rmtree(home, ignore_errors=True)
