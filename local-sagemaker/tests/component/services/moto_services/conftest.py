"""Fixtures of the tests of the services behind moto."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.component.services.moto_services.bridge import Bridge, Client


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    made = Bridge(tmp_path)
    yield made
    made.close()


@pytest.fixture
def client(bridge: Bridge) -> Client:
    return bridge.client
