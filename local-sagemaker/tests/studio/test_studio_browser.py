"""The newcomer's tour in a browser, and axe-core on the pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.cli.control import post
from tests.studio.conftest import World

pytestmark = pytest.mark.timeout(900)
"""A browser beside everything else on a loaded machine takes its time."""


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
    assert not [text for text in messages if "net::" not in text]  # a stream that ends with its page is no error


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
    page.get_by_text("Registered:").get_by_role("link").click()
    page.wait_for_url(re.compile("/models/"))
    for tab in ("Data quality", "Bias", "Explainability", "Activity", "Settings", "Model quality"):
        page.get_by_role("navigation", name="Version").get_by_role("link", name=tab).click()
        page.get_by_role("navigation", name="Version").locator("[aria-current]", has_text=tab).wait_for()
    page.get_by_role("button", name="Update status").click()
    page.get_by_label("Comment").fill("Better than before")
    page.get_by_role("button", name="Update", exact=True).click()
    page.locator("h1 + .badge", has_text="Approved").wait_for()
    assert "Better than before" in page.locator("main").inner_text()
    page.get_by_role("button", name="Deploy").click()
    page.get_by_label("Endpoint", exact=True).fill("tour")
    page.get_by_role("dialog").get_by_role("button", name="Deploy").click()
    page.wait_for_url(re.compile("/endpoints/tour"))
    page.locator("h1 + .badge", has_text="InService").wait_for()
    page.get_by_role("link", name="Test", exact=True).first.click()
    page.get_by_label("Body").fill("0.1,0.2,0.3")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("region", name="Body of the answer").wait_for()
    assert "200 OK" in page.get_by_role("region", name="Answer", exact=True).inner_text()


def test_failing_run_is_explained_and_retried(world: World, signed_in: Any) -> None:
    page = signed_in
    page.set_default_timeout(120_000)
    page.goto(f"{world.pages.origin}{world.execution('Broken')}")
    failure = page.get_by_role("region", name="Failure")
    assert "FileNotFoundError" in failure.inner_text()
    page.get_by_role("button", name="Retry").click()
    page.wait_for_url(re.compile("/executions/"))
    page.locator("h1 + .badge", has_text="Failed").wait_for()


AXE = Path(__file__).parent / "axe" / "axe.min.js"
PAGES = (
    "/_studio/", "/_studio/pipelines", "/_studio/pipelines/Demo", "/_studio/pipelines/Demo?tab=graph",
    "/_studio/pipelines/Demo/start", "/_studio/models", "/_studio/models/Demo", "/_studio/models/Demo/1",
    "/_studio/endpoints", "/_studio/monitoring", "/_studio/delivery", "/_studio/jobs", "/_studio/experiments",
    "/_studio/logs", "/_studio/s3", "/_studio/lineage", "/_studio/events", "/_studio/functions", "/_studio/service",
    "/_studio/search?q=demo",
)  # fmt: skip


def test_every_page_is_accessible_in_both_themes_and_narrow(world: World, signed_in: Any) -> None:
    """axe-core finds nothing serious, and at 360 pixels no page scrolls sideways."""
    page = signed_in
    page.set_default_timeout(120_000)
    session = page.context.new_cdp_session(page)
    paths = (*PAGES, f"{world.execution('Demo')}?step=Train", world.execution("Broken"))
    found = []
    for theme in ("light", "dark"):
        page.context.add_cookies([{"name": "theme", "value": theme, "url": f"{world.pages.origin}/_studio/"}])
        for path in paths:
            page.set_viewport_size({"width": 360 if theme == "dark" else 1280, "height": 900})
            page.goto(f"{world.pages.origin}{path}")
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"{path} scrolls sideways in {theme}")
            session.send("Runtime.evaluate", {"expression": AXE.read_text("utf-8")})
            wanted = "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(r.violations))"
            options = {"expression": wanted, "awaitPromise": True, "returnByValue": True}
            for item in json.loads(session.send("Runtime.evaluate", options)["result"]["value"]):
                if item["impact"] in ("serious", "critical"):
                    found.append(f"{path} ({theme}): {item['id']}: {item['nodes'][0]['html'][:200]}")
    assert not found, "\n".join(found)
