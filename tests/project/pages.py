"""Reads a report page back: its numbers by name, what its plots show, and the text a reader sees."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


class ReadPage(HTMLParser):
    """``numbers`` are the unrounded values of the page's ``<data>`` elements, ``shown`` what a reader sees of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.numbers: dict[str, Any] = {}
        self.shown: dict[str, str] = {}
        self.links: list[str] = []
        self.loads: list[str] = []  # whatever the page would fetch
        self.text = ""
        self.identifiers: list[str] = []
        self.plots = 0
        self.plotted: dict[str, Any] = {}
        self._name = ""
        self._in: list[str] = []
        self._block = ""
        self.feed(text)
        self.plotted = json.loads(self._block or "{}")

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag not in ("meta", "br", "link", "img"):
            self._in.append(tag)
        self.plots += tag == "svg"
        self.identifiers += [found["id"] or ""] if "id" in found else []
        if tag == "data":
            self._name = found["data-name"] or ""
            assert self._name not in self.numbers, f"{self._name} is on the page twice"
            self.numbers[self._name] = _value(found["value"] or "")
            self.shown[self._name] = ""
        if tag == "a":
            self.links.append(found["href"] or "")
        if tag in ("link", "img", "iframe") or found.get("src"):
            self.loads.append(str(found))

    def handle_endtag(self, tag: str) -> None:
        if self._in and self._in[-1] == tag:
            self._in.pop()
        if tag == "data":
            self._name = ""

    def handle_data(self, data: str) -> None:
        if self._in[-1:] == ["script"]:
            self._block += data
        elif self._in[-1:] != ["style"]:
            self.text += data
        if self._name:
            self.shown[self._name] += data


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=str)  # Clarify writes infinities as text
    except ValueError:
        return text


def read(path: Path) -> ReadPage:
    """The page in a file. It must stand alone: it fetches nothing."""
    found = ReadPage(path.read_text("utf-8"))
    assert found.loads == []
    return found
