"""The pytest plugin: fixtures with a real service in a process of its own, never started unless a test uses one.

pytest loads this module in every environment where the distribution is installed, so it imports next to nothing. It is
also loaded by pytest-xdist's workers; each has its own session, and so its own service.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_sagemaker.testing.service import LocalSageMaker

FIXTURE = "local_sagemaker"

_SERVICE: pytest.StashKey[Any] = pytest.StashKey()


@pytest.fixture(scope="session")
def local_sagemaker_process() -> Iterator[LocalSageMaker]:
    """The session's service alone; tests that use only this keep their environment."""
    from local_sagemaker.testing.service import temporary_service

    with temporary_service() as service:
        yield service


@pytest.fixture(scope="session")
def local_sagemaker(
    request: pytest.FixtureRequest, local_sagemaker_process: LocalSageMaker
) -> Iterator[LocalSageMaker]:
    """A local SageMaker for the session (with pytest-xdist: for each worker), on a state folder of its own.

    In tests that use it, the environment points boto3, the SageMaker SDK and every process that a test starts at it.
    """
    request.config.stash[_SERVICE] = local_sagemaker_process
    # For the rest of the test that comes first; `pytest_runtest_protocol` does it for the others.
    _enter(local_sagemaker_process)
    try:
        yield local_sagemaker_process
    finally:
        del request.config.stash[_SERVICE]


@pytest.fixture
def make_local_sagemaker() -> Iterator[Callable[[], LocalSageMaker]]:
    """Starts further services, for tests that kill, fill or empty one; they end with the test.

    They don't change the environment: use their `client`, `run` and `environment`.
    """
    from local_sagemaker.testing.service import temporary_service

    with ExitStack() as services:
        yield lambda: services.enter_context(temporary_service())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Sets the environment for a test that uses the fixture, set-up and tear-down included, and restores it."""
    if FIXTURE not in getattr(item, "fixturenames", ()):
        return (yield)
    before = dict(os.environ)
    try:
        if service := item.config.stash.get(_SERVICE, None):
            _enter(service)
        return (yield)
    finally:
        _restore(before)


def _enter(service: LocalSageMaker) -> None:
    """Points this process and its children at the service: its variables, and the hook for explicit AWS hosts."""
    from local_sagemaker.hook import sitecustomize as hook

    environment = service.environment()
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
    hook.install(service.url)


def _restore(before: dict[str, str]) -> None:
    for name in set(os.environ) - set(before):
        del os.environ[name]
    for name, value in before.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
