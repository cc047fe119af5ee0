"""One HTML page per check, self-contained: a banner with the verdict, the violations, and the sections of its kind.

Every number on it is a ``<data>`` element whose ``value`` is the unrounded number of the JSON file and whose
``data-name`` says which one; what the plots show is in a JSON block. So a page can be read back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from pipelines.reports.checks import MODEL_MONITOR, TITLES
from pipelines.reports.evidence import Evidence
from pipelines.reports.text import number
from pipelines.reports.verdicts import Verdict

LIGHT = {
    "bg": "#ffffff", "surface": "#f5f7fa", "raised": "#ffffff", "ink": "#1b2330", "muted": "#4f5b6b", "line": "#d5dbe3",
    "control": "#76839a", "link": "#0b5cad", "ok": "#0b6e4f", "ok-tint": "#e1f3ec", "run": "#0b5cad",
    "run-tint": "#e2eefb", "bad": "#a30d2b", "bad-tint": "#fde8ea", "warn": "#946200", "warn-tint": "#fdf1d3",
    "idle": "#5a6675", "idle-tint": "#eceff3",
}  # fmt: skip
DARK = {
    "bg": "#0f141b", "surface": "#171e27", "raised": "#1e2732", "ink": "#e6ebf2", "muted": "#a3afbf", "line": "#2d3846",
    "control": "#76859a", "link": "#7db7ff", "ok": "#8ee6d0", "ok-tint": "#10312a", "run": "#6fb1ff",
    "run-tint": "#12294a", "bad": "#ff7f8a", "bad-tint": "#42131b", "warn": "#ffd166", "warn-tint": "#3a2c06",
    "idle": "#9aa7b8", "idle-tint": "#232c38",
}  # fmt: skip
"""The colours of the local service's web pages, among which these pages are shown; a test compares them."""


def _tokens(colours: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


STYLE = f"""
:root {{ {_tokens(LIGHT)} color-scheme: light; }}
@media (prefers-color-scheme: dark) {{ :root {{ {_tokens(DARK)} color-scheme: dark; }} }}
:root:target {{ {_tokens(DARK)} color-scheme: dark; }}
:root:has(> body:target) {{ {_tokens(LIGHT)} color-scheme: light; }}
"""
STYLE += """
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 24px; background: var(--bg); color: var(--ink);
  font: 0.875rem/1.25rem system-ui, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.25rem; line-height: 1.75rem; font-weight: 650; margin: 0 0 4px; }
h2 { font-size: 1rem; line-height: 1.5rem; font-weight: 650; margin: 32px 0 8px; }
a { color: var(--link); } p { max-width: 80ch; margin: 8px 0; }
.sub, td.note, p.note { color: var(--muted); }
.banner { border: 1px solid var(--line); border-left: 4px solid var(--idle); border-radius: 6px;
  background: var(--idle-tint); padding: 12px 16px; margin: 16px 0; }
.banner.good { border-left-color: var(--ok); background: var(--ok-tint); }
.banner.bad { border-left-color: var(--bad); background: var(--bad-tint); }
.banner b { font-size: 1rem; } .banner.good b { color: var(--ok); } .banner.bad b { color: var(--bad); }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
tr:last-child td { border-bottom: 0; }
th { font-size: 0.75rem; font-weight: 600; color: var(--muted); white-space: nowrap; }
td.n, th.n { text-align: right; white-space: nowrap; }
td { min-width: 5rem; overflow-wrap: break-word; } td:has(> code) { overflow-wrap: anywhere; min-width: 12rem; }
tr.bad td { background: var(--bad-tint); } .mark { color: var(--bad); font-weight: 600; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); }
@media (max-width: 767px) { .plots { overflow-x: auto; } .plots svg { max-width: none; } }
code { font: 0.8125rem ui-monospace, Menlo, monospace; }
@media (max-width: 767px) { body { padding: 16px; } th, td { padding: 6px 10px; } }
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


BAD_ROW = "<tr class=bad>"
"""How the row of a violation begins."""


def table(heads: Sequence[str], rows: Iterable[tuple[bool, Sequence[Any]]], numeric: Sequence[int] = ()) -> Html:
    """A table. A row is (whether it violates, its cells); ``numeric`` are the columns that are aligned right."""

    def cells(tag: str, row: Sequence[Any]) -> str:
        return "".join(
            f"<{tag}{' class=n' if index in numeric else ''}>{markup(cell)}</{tag}>" for index, cell in enumerate(row)
        )

    body = "\n".join(f"{BAD_ROW if bad else '<tr>'}{cells('td', row)}</tr>" for bad, row in rows)
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
    return document(title, [*parts, f'<script type="application/json" id="plotted">{block}</script>'])


def document(title: str, parts: Sequence[str]) -> str:
    """A whole page of these parts of its body. It is dark or light as the reader's system, or as the address says with
    `#dark` or `#light`: it has no script, and the frame of a page with a theme of its own cannot tell it otherwise."""
    return (
        f'<!doctype html>\n<html lang="en" id="dark"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n'
        '<body id="light">' + "\n".join(parts) + "\n</body></html>\n"
    )


def _section(section: Section) -> str:
    return f"<h2>{escape(section.title)}</h2>\n{section.body.markup}"


def _banner(verdict: Verdict, evidence: Evidence) -> str:
    kind = {True: "good", False: "bad", None: ""}[verdict.good]
    origin = f" It is {evidence.origin}." if evidence.origin else ""
    if verdict.good is not None and evidence.baseline:
        against = f"Compared with the baseline below.{origin}"
    elif evidence.baseline:
        against = f"Nothing was compared. The baseline is shown beside it, as it stays in force.{origin}"
    else:
        against = "There was no baseline to show beside it: this page shows what was computed."
    return f'<div class="banner {kind}"><b>{escape(verdict.text)}</b><br>{escape(against)}</div>'


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
