"""The newcomer's tour in a browser, and axe-core on the pages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local_sagemaker.cli.control import post
from tests.studio.conftest import World


@pytest.fixture
def signed_in(world: World, browser: Any) -> Any:
    """A page of a browser that has opened the one-time link; what the console says fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(post(world.service.settings, world.service.description, "studio")["url"])
    page.wait_for_url(f"{world.pages.origin}/_studio/")
    yield page
    context.close()
    assert not messages


def test_newcomers_tour(world: World, signed_in: Any) -> None:
    page = signed_in
    page.set_default_timeout(120_000)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Pipelines").click()
    page.get_by_role("link", name="Start Demo").click()
    page.get_by_label("Rounds").fill("15")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile("/executions/"))
    address = page.url
    page.evaluate("window.tour = 1")
    page.locator("h1 + .badge", has_text="Succeeded").wait_for()
    assert page.evaluate("window.tour") == 1, "the page was loaded again"
    assert page.url == address
    page.locator("a.node", has_text="Train").click()
    page.get_by_role("link", name="Log", exact=True).click()
    page.locator(".log", has_text="train-rmse").wait_for()
    page.get_by_role("link", name="Metrics", exact=True).click()
    page.locator("svg.chart .curve").first.wait_for()


def test_failing_run_is_explained_and_retried(world: World, signed_in: Any) -> None:
    page = signed_in
    page.set_default_timeout(120_000)
    page.goto(f"{world.pages.origin}{world.execution('Broken')}")
    failure = page.get_by_role("region", name="Failure")
    assert "FileNotFoundError" in failure.inner_text()
    page.get_by_role("button", name="Retry").click()
    page.wait_for_url(re.compile("/executions/"))
    page.locator("h1 + .badge", has_text="Failed").wait_for()
