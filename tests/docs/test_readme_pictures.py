"""The README's pictures of the web pages."""

from __future__ import annotations

import re
import struct

from tests.support import ROOT


def test_what_the_pictures_wait_for_is_on_a_page() -> None:
    """`make docs` would else wait for it in vain."""
    templates = ROOT / "local-sagemaker" / "local_sagemaker" / "studio" / "templates"
    pages = "".join(file.read_text("utf-8") for file in templates.glob("*.html"))
    tool = (ROOT / "tools" / "screenshots.py").read_text("utf-8")
    wanted = re.findall(r'get_by_role\("region", name="([^"]+)"\)', tool)
    assert wanted
    for label in wanted:
        assert f'aria-label="{label}"' in pages, label


def test_the_readme_shows_the_tour() -> None:
    """studio ST-35: start, execution and version, at least, as `make docs` takes them, each with a text instead."""
    shown = dict(re.findall(r"!\[([^\]]+)\]\((docs/images/studio-\w+\.png)\)", (ROOT / "README.md").read_text("utf-8")))
    names = {path.rpartition("-")[2].removesuffix(".png") for path in shown.values()}
    assert names >= {"start", "execution", "version"}
    for path in shown.values():
        data = (ROOT / path).read_bytes()
        assert data.startswith(b"\x89PNG"), path
        assert struct.unpack(">II", data[16:24]) == (1280, 860), path
