"""A pytest plugin for moto's own tests: `mock_aws` does nothing, and every client goes to the local service.

It runs in an environment of its own, beside moto and what its tests need, where this package is not installed.
"""

from __future__ import annotations

import inspect
import os
import urllib.request
from collections.abc import Iterator
from contextlib import ContextDecorator
from typing import Any

import moto
import pytest


class _Nothing(ContextDecorator):
    """`mock_aws` as a context manager, or started and stopped by hand."""

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def start(self, reset: bool = True) -> None:
        """Nothing is to be mocked."""

    def stop(self) -> None:
        """Nothing was mocked."""


def _mock_aws(func: Any = None, config: Any = None) -> Any:
    del config
    return func if callable(func) or inspect.isclass(func) else _Nothing()


moto.mock_aws = _mock_aws


@pytest.fixture(autouse=True)
def _empty_service() -> Iterator[None]:
    """An empty service for each test; the variables that name it are as they were."""
    url = f"{os.environ['AWS_ENDPOINT_URL']}/_local-sagemaker/reset"
    request = urllib.request.Request(url, b"", {"x-secret": os.environ["AWS_SECRET_ACCESS_KEY"]})
    with urllib.request.urlopen(request, timeout=60):
        pass
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
