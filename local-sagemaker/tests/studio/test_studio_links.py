"""Where the links of all pages lead to."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

import pytest

from tests.studio.conftest import World
from tests.studio.full_world import Full
from tests.studio.registered_pages import addresses

pytestmark = pytest.mark.timeout(900)


def test_every_link_leads_somewhere(world: World, full: Full) -> None:
    """No link of any page is to a page that does not exist, nor out of the pages."""
    found: dict[str, str] = {}
    for paths in addresses(world, full).values():
        for path in paths:
            for link in re.findall(r'\shref="([^"#]+)', world.pages.get(f"/_studio{path}")[2]):
                whole = urljoin(f"/_studio{path}", html.unescape(link))
                assert whole.startswith("/_studio/"), (path, whole)
                found.setdefault(whole, path)
    assert len(found) > 200
    answers = {link: world.pages.get(link) for link in found}
    answers |= {link: world.pages.get(head["location"]) for link, (code, head, _) in answers.items() if code == 303}
    dead = {link: found[link] for link, (code, _, _) in answers.items() if code != 200}
    assert not dead, dead
    folder = world.pages.json("/_studio/s3.json?bucket=studio-data&prefix=prepared/")
    moved = world.pages.get("/_studio/s3/object.json?bucket=studio-data&key=prepared")
    assert (moved[0], world.pages.json(moved[1]["location"])["entries"]) == (303, folder["entries"])
    assert world.pages.get("/_studio/s3/object?bucket=studio-data&key=prepare")[0] == 404, "is the start of a name only"
