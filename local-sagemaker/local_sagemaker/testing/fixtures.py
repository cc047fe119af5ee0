"""Fixtures of this repository's own tests: a clean environment, and services that leave it as it is."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

from local_sagemaker.testing import LocalSageMaker, temporary_service

# Thousands of tests and the libraries under test stay to the end: to look for garbage among them again and again, after
# every 700 new objects, takes a seventh of the time.
gc.set_threshold(50_000, 20, 20)


def pytest_collection_finish() -> None:
    """What has been collected is no garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """No AWS setting of the machine reaches a test, and no test reaches AWS.

    Services that live for one test load no library before it is needed: to load all takes ten seconds of a core.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAGEMAKER_", "LOCAL_"))}
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(kept, AWS_DEFAULT_REGION="us-east-1", AWS_EC2_METADATA_DISABLED="true")
    os.environ["LOCAL_SAGEMAKER_PRELOAD"] = "no"
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def service(request: pytest.FixtureRequest) -> LocalSageMaker:
    """The pytest plugin's service, without its environment: for all tests that do not disturb it.

    Resources need names of their own.
    """
    before = os.environ["LOCAL_SAGEMAKER_PRELOAD"]
    os.environ["LOCAL_SAGEMAKER_PRELOAD"] = "yes"  # many tests use it
    try:
        local: LocalSageMaker = request.getfixturevalue("local_sagemaker_process")
    finally:
        os.environ["LOCAL_SAGEMAKER_PRELOAD"] = before
    return local


@pytest.fixture
def own_service() -> Iterator[LocalSageMaker]:
    """A service for one test that kills, fills or empties it."""
    with temporary_service() as service:
        yield service
