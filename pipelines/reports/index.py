"""The contents of the pages: of one execution's checks, and of all executions that have pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from urllib.parse import quote

from pipelines.reports.checks import TITLES
from pipelines.reports.page import BAD_ROW, Html, document, markup, table
from pipelines.reports.verdicts import Written

NAME = "index.html"
_WORDS = {True: "passed", False: "violated", None: "not compared"}


def write_index(folder: Path, execution: str, checks: Sequence[Written]) -> Path:
    """Writes the list of an execution's checks into its folder, and that of all executions beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        (
            item.verdict.good is False,
            (_link(item), _WORDS[item.verdict.good], TITLES.get(item.check.kind, item.check.kind),
             item.verdict.text, item.origin or "-"),
        )
        for item in checks
    ]  # fmt: skip
    heads = ("Check", "Result", "Kind", "In words", "Baseline")
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
    return Html(f'<a href="{escape(quote(item.path.name))}">{markup(name)}</a>') if item.path else name


def _write_executions(folder: Path) -> None:
    """The executions that have pages, newest first, with their checks. Beside a check's page may be Clarify's own
    report, to which that page leads."""
    pages = sorted(folder.glob(f"*/{NAME}"), key=lambda path: path.stat().st_mtime, reverse=True)
    rows = []
    for path in pages:
        at, violated = path.parent.name, path.read_text("utf-8").count(BAD_ROW)
        checks = sorted(one for one in path.parent.glob("*.html") if one.name != NAME and not _is_clarifys_own(one))
        links = [f'<a href="{escape(quote(f"{at}/{one.name}"))}">{escape(one.stem)}</a>' for one in checks]
        written = f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%d %H:%M} UTC"
        result = f"{violated} violated" if violated else "none violated"
        execution = Html(f'<a href="{escape(quote(at))}/{NAME}">{escape(at)}</a>')
        rows.append((violated > 0, (execution, result, written, Html(", ".join(links)))))
    parts = ["<h1>Checks of executions</h1>", table(("Execution", "Result", "Written", "Checks"), rows).markup]
    (folder / NAME).write_text(document("Checks of executions", parts), encoding="utf-8")


def _is_clarifys_own(file: Path) -> bool:
    own = file.with_name(f"{file.stem.removesuffix('-clarify')}.html")
    return own != file and own.exists()
