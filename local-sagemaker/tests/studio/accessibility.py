"""What is wrong with a page for those who see it otherwise: axe-core's findings, and controls out of sight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

AXE = Path(__file__).parent / "axe" / "axe.min.js"
OUT_OF_SIGHT = (
    "[...document.querySelectorAll('a, button, input, select, textarea')].filter(item => item.checkVisibility())"
    ".filter(item => !item.closest('svg, nav.tabs, .skip'))"
    ".filter(item => { const box = item.getBoundingClientRect(); return box.width && (box.left < -1 || box.right > "
    "innerWidth + 1); }).map(item => item.outerHTML.slice(0, 150))"
)
"""Graphs and rows of tabs are swiped; the link that skips the navigation is seen when it has the focus."""
RUN_AXE = "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(r.violations))"


def serious_violations(session: Any) -> list[str]:
    """What axe-core, which the page has loaded, calls serious or critical."""
    options = {"expression": RUN_AXE, "awaitPromise": True, "returnByValue": True}
    violations = json.loads(session.send("Runtime.evaluate", options)["result"]["value"])
    return [
        f"{item['id']}: {item['nodes'][0]['html'][:200]}"
        for item in violations
        if item["impact"] in ("serious", "critical")
    ]
