"""Long pages are sent in parts: their beginning before the rest is made (studio ST-28)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from jinja2 import DictLoader, Environment

from local_sagemaker.studio import rendering

TEMPLATES = {
    "short": "{{ head() }}",
    "paused": "{{ head() }}{% if true %}{{ PAUSE }}{% endif %}{{ slow() }}<p>",
    "long": "{% for number in range(40000) %}{{ number }} {% endfor %}{{ slow() }}",
    "told": "{{ head() }}{{ '<!--what takes longer follows-->' }}",
}
Made = Callable[[str], tuple[bytes, list[bytes]]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the templates have called, in order."""
    seen: list[str] = []

    def note(name: str) -> Callable[[], str]:
        return lambda: seen.append(name) or f"{name}é"

    environment = Environment(loader=DictLoader(TEMPLATES), autoescape=True)
    environment.globals |= rendering.environment().globals | {"head": note("head"), "slow": note("slow")}
    monkeypatch.setattr(rendering, "environment", lambda: environment)
    return seen


def test_a_short_page_is_whole(calls: list[str]) -> None:
    assert rendering.stream("short", {}) == ("headé".encode(), None)


def test_what_is_before_a_pause_does_not_wait_for_what_is_behind_it(calls: list[str]) -> None:
    first, rest = rendering.stream("paused", {})
    assert (first, calls) == ("headé".encode(), ["head"])
    assert rest is not None
    assert b"".join(rest) == "slowé<p>".encode(), "the mark itself is not sent"


def test_a_long_page_comes_in_parts_that_are_made_when_wanted(calls: list[str]) -> None:
    first, rest = rendering.stream("long", {})
    assert rest is not None and not calls
    parts = [first, *rest]
    assert max(map(len, parts)) < 2 * rendering.PART
    assert b"".join(parts) == rendering.render("long", {}).encode()


def test_text_of_users_is_no_pause(calls: list[str]) -> None:
    first, rest = rendering.stream("told", {})
    assert rest is None and b"&lt;!--" in first
