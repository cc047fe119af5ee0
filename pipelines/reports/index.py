"""The contents of the pages: of one execution's checks, and of all executions that have pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from pipelines.reports.checks import TITLES
from pipelines.reports.page import Html, document, markup, table
from pipelines.reports.verdicts import Written

NAME = "index.html"
_WORDS = {True: "passed", False: "violated", None: "not compared"}


def write_index(folder: Path, execution: str, checks: Sequence[Written]) -> Path:
    """Writes the list of an execution's checks into its folder, and that of all executions beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        (
            item.verdict.good is False,
            (_link(item), TITLES.get(item.check.kind, item.check.kind), _WORDS[item.verdict.good],
             item.verdict.text, item.origin or "-"),
        )
        for item in checks
    ]  # fmt: skip
    heads = ("Check", "Kind", "Result", "In words", "Baseline")
    parts = [
        f'<p><a href="../{NAME}">All executions</a></p><h1>Checks of an execution</h1>',
        f'<p class="sub">Execution <code>{escape(execution)}</code></p>', table(heads, rows).markup,
    ]  # fmt: skip
    path = folder / NAME
    path.write_text(document("Checks", parts), encoding="utf-8")
    _write_executions(folder.parent)
    return path


def _link(item: Written) -> Html | str:
    """The step's name, as a link to its page if it has one."""
    name = item.check.step
    return Html(f'<a href="{escape(item.path.name)}">{markup(name)}</a>') if item.path else name


def _write_executions(folder: Path) -> None:
    """The executions that have pages, newest first."""
    pages = sorted(folder.glob(f"*/{NAME}"), key=lambda path: path.stat().st_mtime, reverse=True)
    rows = [
        (
            False,
            (Html(f'<a href="{escape(path.parent.name)}/{NAME}">{escape(path.parent.name)}</a>'),
             f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%d %H:%M} UTC",
             ", ".join(sorted(one.stem for one in path.parent.glob("*.html") if one.name != NAME))),
        )
        for path in pages
    ]  # fmt: skip
    parts = ["<h1>Checks of executions</h1>", table(("Execution", "Written", "Pages"), rows).markup]
    (folder / NAME).write_text(document("Checks of executions", parts), encoding="utf-8")
