"""A failing run in a browser."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.studio.conftest import World

pytestmark = pytest.mark.timeout(900)
"""A browser beside everything else on a loaded machine takes its time."""


def test_failing_run_is_explained_and_retried(world: World, signed_in: Any) -> None:
    page = signed_in
    page.set_default_timeout(120_000)
    page.goto(f"{world.pages.origin}{world.execution('Broken')}")
    failure = page.get_by_role("region", name="Failure")
    assert "FileNotFoundError" in failure.inner_text()
    page.get_by_role("button", name="Retry", exact=True).click()
    page.get_by_role("button", name="Retry now").click()
    page.wait_for_url(re.compile("/executions/"))
    page.locator("h1 + .badge", has_text="Failed").wait_for()
