"""Takes the README's pictures of the web pages, of whatever the running service holds: `make docs`.

    python tools/screenshots.py docs/images

A picture is taken only of what exists: a pipeline's newest execution, its start form, the newest model version, and an
endpoint in service. It needs a chromium on PATH, and says so where there is none.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).with_name("local-sagemaker")
SIZE = {"width": 1280, "height": 860}
ROW = "0.455,0.365,0.095,0.514,0.2245,0.101,0.15,0,0,1"


def twin(page: str) -> Any:
    """The JSON twin of a page; None where there is no such page."""
    done = subprocess.run([COMMAND, "studio", "--json", page], capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def wanted() -> dict[str, str]:
    """The pages to picture, by the name of the file."""
    pages: dict[str, str] = {}
    home = twin("") or {}
    for item in home.get("recent", [])[:1]:
        place = f"pipelines/{item['pipeline']}"
        steps = (twin(f"{place}/executions/{item['identifier']}") or {}).get("steps", [])
        training = next((step["name"] for step in steps if step["type"] == "Training"), "")
        pages["execution"] = f"{place}/executions/{item['identifier']}?step={training}&tab=metrics"
        pages["start"] = f"{place}/start"
    for group in (twin("models") or {}).get("rows", [])[:1]:
        if group["latest"]:
            pages["version"] = f"models/{group['name']}/{group['latest']}"
    for endpoint in (twin("endpoints") or {}).get("rows", []):
        if endpoint["status"] == "InService":
            pages["endpoint"] = f"endpoints/{endpoint['name']}?tab=test"
    return pages


def main() -> int:
    """Writes the pictures; exit code 0 also where there is no browser, which is said."""
    folder = Path(sys.argv[1])
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        print("No pictures: there is no chromium on this machine (apt-get install chromium).")
        return 0
    from playwright.sync_api import sync_playwright

    pages = wanted()
    folder.mkdir(parents=True, exist_ok=True)
    link = subprocess.run([COMMAND, "studio", "--no-open"], capture_output=True, text=True, check=True).stdout.strip()
    origin = link.partition("/_studio")[0]
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=options)
        page = browser.new_page(viewport=SIZE, device_scale_factor=1)
        page.goto(link)
        page.wait_for_url(f"{origin}/_studio/")
        for name, path in pages.items():
            page.goto(f"{origin}/_studio/{path}")
            if name == "endpoint":
                page.get_by_label("Body").fill(ROW)
                page.get_by_role("button", name="Send").click()
                page.get_by_role("region", name="Body of the response").wait_for()
            page.wait_for_timeout(300)
            page.screenshot(path=folder / f"studio-{name}.png")
            print(folder / f"studio-{name}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
