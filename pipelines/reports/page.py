"""One HTML page per check, self-contained: a banner with the verdict, the violations, and the sections of its kind.

Every number on it is a ``<data>`` element whose ``value`` is the unrounded number of the JSON file and whose
``data-name`` says which one; what the plots show is in a JSON block. So a page can be read back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from pipelines.reports.checks import MODEL_MONITOR, TITLES
from pipelines.reports.evidence import Evidence
from pipelines.reports.text import number
from pipelines.reports.verdicts import Verdict

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; color: #1d2733; margin: 0 auto; max-width: 76rem; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.sub, td.note, p.note { color: #5a6673; }
.banner { border-left: .4rem solid #6b7785; background: #f1f4f7; padding: .7rem 1rem; margin: 1rem 0; }
.banner.good { border-color: #1f8a4c; background: #e9f6ee; } .banner.bad { border-color: #c0392b; background: #fcedeb; }
.banner b { font-size: 1.1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #dde3e9; text-align: left; vertical-align: top; }
th { font-weight: 600; background: #f6f8fa; } td.n, th.n { text-align: right; white-space: nowrap; }
tr.bad td { background: #fcedeb; } .mark { color: #c0392b; font-weight: 600; }
svg { max-width: 100%; height: auto; } code { font-size: .85em; overflow-wrap: anywhere; }
"""


@dataclass(frozen=True)
class Html:
    """Text that is markup already. Everything else is escaped where it enters a page."""

    markup: str


@dataclass(frozen=True)
class Section:
    """``plotted`` are the numbers behind its plots."""

    title: str
    body: Html
    plotted: dict[str, Any] = field(default_factory=dict)


def data(value: Any, *name: str) -> Html:
    """A number: shown short, kept whole. The parts of its name are join with slashes."""
    if value is None:
        return Html('<span class="sub">none</span>')
    whole = escape(json.dumps(value) if not isinstance(value, str) else value)
    key = escape("/".join(name))
    return Html(f'<data value="{whole}" data-name="{key}" title="{whole}">{escape(number(value))}</data>')


def markup(content: Any) -> str:
    """A cell's content, escaped unless it is ``Html``."""
    return content.markup if isinstance(content, Html) else escape(str(content))


def paragraph(text: str) -> Html:
    return Html(f'<p class="note">{escape(text)}</p>')


def join(*parts: Html) -> Html:
    return Html("\n".join(part.markup for part in parts))


def table(heads: Sequence[str], rows: Iterable[tuple[bool, Sequence[Any]]], numeric: Sequence[int] = ()) -> Html:
    """A table. A row is (whether it violates, its cells); ``numeric`` are the columns that are aligned right."""

    def cells(tag: str, row: Sequence[Any]) -> str:
        return "".join(
            f"<{tag}{' class=n' if index in numeric else ''}>{markup(cell)}</{tag}>" for index, cell in enumerate(row)
        )

    body = "\n".join(f"<tr{' class=bad' if bad else ''}>{cells('td', row)}</tr>" for bad, row in rows)
    return Html(f'<div class="wide"><table><tr>{cells("th", heads)}</tr>\n{body}\n</table></div>')


def page(evidence: Evidence, verdict: Verdict, sections: Sequence[Section], execution: str, clarify: str | None) -> str:
    """The whole page. ``clarify`` is the address of the container's own report beside this one."""
    check = evidence.check
    title = f"{TITLES.get(check.kind, check.kind)}: {check.step}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="sub">Execution <code>{escape(execution)}</code></p>',
        _banner(verdict, evidence),
    ]
    if verdict.violations:
        parts.append(_section(Section("Violations", _violations(verdict))))
    if clarify:
        parts.append(f'<p><a href="{escape(clarify)}">The report that Clarify itself wrote</a></p>')
    parts += [_section(section) for section in sections]
    parts.append(_section(Section("Files", _files(evidence))))
    plotted = {name: value for section in sections for name, value in section.plotted.items()}
    block = json.dumps(plotted).replace("<", "\\u003c")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n<body>'
        + "\n".join(parts)
        + f'\n<script type="application/json" id="plotted">{block}</script>\n</body></html>\n'
    )


def _section(section: Section) -> str:
    return f"<h2>{escape(section.title)}</h2>\n{section.body.markup}"


def _banner(verdict: Verdict, evidence: Evidence) -> str:
    kind = {True: "good", False: "bad", None: ""}[verdict.good]
    if verdict.good is not None and evidence.baseline:
        against = "Compared with the baseline below."
    elif evidence.baseline:
        against = "Nothing was compared. The baseline is shown beside it, as it stays in force."
    else:
        against = "There was no baseline to show beside it: this page shows what was computed."
    return f'<div class="banner {kind}"><b>{escape(verdict.text)}</b><br>{against}</div>'


def _violations(verdict: Verdict) -> Html:
    rows = [(True, (item.subject, item.constraint, item.amount, item.description)) for item in verdict.violations]
    return table(("What", "Constraint", "By how much", "In the container's words"), rows)


def _files(evidence: Evidence) -> Html:
    check, baseline = evidence.check, evidence.baseline
    constraints = "Constraints" if check.kind in MODEL_MONITOR else "Analysis"
    named = [
        ("Statistics", check.calculated.statistics),
        (constraints, check.calculated.constraints),
        ("Clarify's own report", check.clarify_report),
        ("Violations", check.violations),
        ("Baseline statistics", baseline.statistics if baseline else None),
        (f"Baseline {constraints.lower()}", baseline.constraints if baseline else None),
        ("Job", check.job),
    ]
    return table(
        ("What", "Where"), [(False, (name, Html(f"<code>{escape(uri)}</code>"))) for name, uri in named if uri]
    )
