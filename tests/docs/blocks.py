"""The code blocks of a page of the documentation, for tests that follow its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.support import ROOT

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: ``` language file."""

    language: str
    file: str
    text: str


def blocks(page: str) -> list[Block]:
    """The blocks of a page in ``docs/``, in their order."""
    found = []
    for match in _FENCE.finditer((ROOT / "docs" / page).read_text("utf-8")):
        language, _, file = match["info"].strip().partition(" ")
        indent = len(match["indent"])
        lines = [line[indent:] for line in match["text"].splitlines(keepends=True)]
        found.append(Block(language, file.strip(), "".join(lines)))
    return found


def write_files(page: str, folder: Path, language: str = "python") -> list[Path]:
    """Writes the blocks of a language that name a file, as the page's reader does; returns the paths."""
    written = []
    for block in blocks(page):
        if block.file and block.language == language:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")
            written.append(path)
    return written
