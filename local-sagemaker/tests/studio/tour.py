"""The newcomer's tour, step by step, with a picture of each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.studio.full_world import Full
from tests.support import ROOT

PICTURES = ROOT / "build" / "studio-tour"
"""Kept after the test, to be looked at; no part of the repository."""
TABS = ("Data quality", "Bias", "Explainability", "Activity", "Settings", "Model quality")


class Tour:
    """What a newcomer does in a browser. Every click and every entry is counted: a minute is enough for forty."""

    def __init__(self, page: Any, full: Full, folder: Path) -> None:
        self.page, self.full, self.folder, self.actions = page, full, folder, 0
        self.registered = ""

    def click(self, target: Any) -> None:
        self.actions += 1
        target.click()

    def fill(self, label: str, text: str) -> None:
        self.actions += 1
        self.page.get_by_label(label, exact=True).fill(text)

    def picture(self, name: str) -> None:
        self.page.screenshot(path=self.folder / f"{name}.png", full_page=True)

    def run(self) -> None:
        """All of it. Raises where something is not as it should be."""
        self.start()
        self.training()
        self.version()
        self.deploy()
        self.monitor()

    def start(self) -> None:
        """One changed parameter; green without a reload."""
        page = self.page
        self.click(page.get_by_role("navigation", name="Main").get_by_role("link", name="Pipelines"))
        self.click(page.get_by_role("link", name="Start Demo"))
        self.fill("Rounds", "15")
        page.locator("#preview-changes", has_text="12 → 15").wait_for()
        page.locator("#preview-command", has_text=re.compile('"15"')).wait_for()
        self.picture("1-start")
        self.click(page.get_by_role("button", name="Start", exact=True))
        page.wait_for_url(re.compile("/executions/"))
        address = page.url
        page.evaluate("window.tour = 1")
        page.locator("h1 + .badge", has_text="Succeeded").wait_for()
        assert page.evaluate("window.tour") == 1, "the page was loaded again"
        assert page.url == address

    def training(self) -> None:
        """The log and the curve of the training step."""
        page = self.page
        self.click(page.locator("a.node", has_text="Train"))
        self.click(page.get_by_role("link", name="Log", exact=True))
        page.locator(".log", has_text="train-rmse").wait_for()
        self.picture("2-log")
        self.click(page.get_by_role("link", name="Metrics", exact=True))
        page.locator("svg.chart .curve").first.wait_for()
        self.picture("3-execution")

    def version(self) -> None:
        """The new version with all its tabs; approved with a comment, after the rule that fires was named."""
        page = self.page
        self.click(page.get_by_text("Registered:").get_by_role("link"))
        page.wait_for_url(re.compile("/models/"))
        self.registered = page.url.partition("?")[0].rpartition("/")[2]
        tabs = page.get_by_role("navigation", name="Version")
        for tab in TABS:
            self.click(tabs.get_by_role("link", name=tab))
            tabs.locator("[aria-current]", has_text=tab).wait_for()
        self.click(page.get_by_role("button", name="Update status"))
        assert "approved-model" in page.get_by_role("dialog").inner_text(), "what the approval starts is named"
        self.fill("Comment", "Better than before")
        self.picture("4-approve")
        self.click(page.get_by_role("button", name="Update", exact=True))
        page.locator("h1 + .badge", has_text="Approved").wait_for()
        assert "Better than before" in page.locator("main").inner_text()
        self.picture("5-version")
        self.event()

    def event(self) -> None:
        """The approval is an event, with the rule that it matched and what that has started."""
        page, version = self.page, self.page.url
        menu = page.get_by_role("navigation", name="Main")
        self.click(menu.get_by_text("More", exact=True))
        self.click(menu.get_by_role("link", name="Events"))
        row = page.locator("tbody tr", has_text="Model Package State Change").filter(has_text="Approved").first
        row.get_by_text("by rule approved-model").wait_for()
        page.goto(version)

    def deploy(self) -> None:
        """To the endpoint that is monitored, whose capture goes on; a test request gets its response."""
        page = self.page
        self.click(page.get_by_role("button", name="Deploy"))
        self.fill("Endpoint", self.full.endpoint)
        self.click(page.get_by_role("dialog").get_by_role("button", name="Deploy"))
        page.wait_for_url(re.compile("/endpoints/"))
        page.locator("h1 + .badge", has_text="InService").wait_for()
        page.get_by_text(re.compile(f"serves demo / {self.registered}", re.IGNORECASE)).wait_for()
        self.click(page.get_by_role("link", name="Test", exact=True).first)
        self.fill("Body", "0.1,0.2,0.3")
        self.click(page.get_by_role("button", name="Send"))
        page.get_by_role("region", name="Body of the response").wait_for()
        assert "200 OK" in page.get_by_role("region", name="Response", exact=True).inner_text()
        self.picture("6-endpoint")

    def monitor(self) -> None:
        """It is monitored: trends with their bounds, and an execution that runs now."""
        page = self.page
        self.click(page.get_by_role("link", name="See it monitored"))
        page.wait_for_url(re.compile("/monitoring/"))
        page.locator("svg.trend").first.wait_for()
        assert page.locator("svg.trend .bound").count() > 0
        rows = page.get_by_role("region", name="Table of executions").locator("tbody tr")
        before = rows.count()
        self.click(page.get_by_role("button", name="Run now"))
        page.get_by_text("has begun").wait_for()
        page.locator(f"[aria-label='Table of executions'] tbody tr:nth-child({before + 1})").wait_for()
        rows.first.locator(".badge", has_text=re.compile("Completed|Violations")).wait_for()
        self.picture("7-monitoring")
