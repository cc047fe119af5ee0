"""A service for one benchmark, with a state folder that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker import lifecycle
from local_sagemaker.config import Settings


@dataclass(frozen=True)
class OwnService:
    """A running service."""

    settings: Settings
    url: str
    pid: int


@contextmanager
def own_service() -> Iterator[OwnService]:
    """Starts a service, and stops it at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        settings = Settings(home=Path(folder))
        found = lifecycle.start(settings)
        try:
            yield OwnService(settings, str(found["url"]), int(found["pid"]))
        finally:
            lifecycle.stop(settings)
