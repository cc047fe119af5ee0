"""Lines of commands: whole in a pipe, where programs read them, and wrapped to the width of a terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap


def terminal_width() -> int | None:
    """The columns of the terminal that the output goes to; None where it goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def fit(text: str, indent: int, width: int | None) -> str:
    """A line whose continuations begin below its column `indent`, at words; as it is where there is no width."""
    if width is None:
        return text
    return textwrap.fill(
        text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False,
        drop_whitespace=True, replace_whitespace=False,
    )  # fmt: skip
