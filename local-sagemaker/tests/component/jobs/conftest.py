"""One fork server (without the slow imports) for all job tests, and a world per test module."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.config import Settings
from local_sagemaker.files.removal import discard
from local_sagemaker.processes import ForkedProcesses
from tests.component.jobs.world import Make, World, new_world


@pytest.fixture(scope="session")
def processes() -> Iterator[ForkedProcesses]:
    """The fork server."""
    home = Path(tempfile.mkdtemp(prefix="jobs-processes-"))
    found = ForkedProcesses(settings=Settings(home=home), keep=[Path(tempfile.gettempdir())], load=False)
    yield found
    found.close()
    discard(home)


@pytest.fixture(scope="module")
def world(processes: ForkedProcesses) -> Iterator[World]:
    """A world that the tests of a module share; names are their own."""
    with new_world(processes) as found:
        yield found


@pytest.fixture
def make_world(processes: ForkedProcesses) -> Iterator[Make]:
    """Makes worlds with settings of their own."""
    with ExitStack() as stack:

        def make(**more: Any) -> World:
            return stack.enter_context(new_world(processes, **more))

        yield make
