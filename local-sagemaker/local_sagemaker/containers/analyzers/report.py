"""Renders the Clarify report three times from one list of parts: notebook, HTML and PDF.

The notebook is written as data, with its outputs; HTML holds everything inline; the PDF has the same texts, tables and
charts. Charts are matplotlib figures, without pyplot.
"""

from __future__ import annotations

import html
import io
import json
import logging
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_pdf import FigureCanvasPdf, PdfPages
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from local_sagemaker.containers.analyzers.contract import write
from local_sagemaker.containers.analyzers.report_content import (
    Chart,
    CodeBlock,
    Heading,
    Part,
    ReportEvidence,
    ReportTable,
    Text,
    parts,
)

__all__ = ["ReportEvidence", "write_report"]

logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # Courier has no weight of the name it looks for

_WIDTH = 7.0  # inches
_PAGE = (8.27, 11.69)  # A4
_LINES, _COLUMNS, _FONT = 76, 100, 8.0  # of a PDF page of monospaced text
_NARROW = 12  # characters: no column of a table is made narrower
_STYLE = """body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0; font-size: 13px }
th, td { border-bottom: 1px solid #ddd; padding: .3rem .6rem; text-align: left; vertical-align: top }
th { background: #f3f5f8 } pre { background: #f3f5f8; padding: 1rem; overflow: auto; font-size: 12px }
figure { margin: 1rem 0 } figcaption { color: #555; font-size: 13px } svg { max-width: 100%; height: auto }
@media (max-width: 767px) { table { display: block; overflow-x: auto } }"""


def write_report(folder: Path, evidence: ReportEvidence) -> None:
    """Writes ``<name>.ipynb``, ``<name>.html`` and ``<name>.pdf``."""
    content = list(parts(evidence))
    # the fonts that every PDF reader has need no embedding, which takes most of the time, but hold Latin letters only
    latin = _is_latin(content)
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "report", "font.size": 9, "pdf.use14corefonts": latin}
    with mpl.rc_context(settings):
        figures = [(part, _figure(part)) for part in content if isinstance(part, Chart)]
        images = {id(part): _svg(figure) for part, figure in figures}
        font = "Courier" if latin else "monospace"
        _write_pdf(folder / f"{evidence.name}.pdf", evidence.title, (content, {id(p): f for p, f in figures}), font)
    write(folder / f"{evidence.name}.ipynb", json.dumps(_notebook(content, images), indent=1))
    write(folder / f"{evidence.name}.html", _html(evidence.title, content, images))


def _figure(chart: Chart) -> Figure:
    figure = Figure(figsize=(_WIDTH, chart.height))
    axes = figure.add_subplot()
    chart.draw(axes)
    axes.spines[["top", "right"]].set_visible(False)
    figure.subplots_adjust(left=0.2, right=0.92, top=0.96, bottom=min(0.45, 0.5 / chart.height))
    return figure


def _svg(figure: Figure) -> str:
    sink = io.StringIO()
    FigureCanvasSVG(figure).print_svg(sink, metadata={"Date": None})  # type: ignore[no-untyped-call]
    text = sink.getvalue()
    return text[text.index("<svg") :]


def _table_html(table: ReportTable) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in table.headers)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _html(title: str, content: Sequence[Part], images: dict[int, str]) -> str:
    body = []
    for part in content:
        if isinstance(part, Heading):
            body.append(f"<h{part.level}>{html.escape(part.text)}</h{part.level}>")
        elif isinstance(part, Text):
            body.append(f"<p>{html.escape(part.text)}</p>")
        elif isinstance(part, CodeBlock):
            body.append(f"<pre>{html.escape(part.text)}</pre>")
        elif isinstance(part, ReportTable):
            body.append(_table_html(part))
        else:
            caption = html.escape(part.caption)
            body.append(f"<figure>{images[id(part)]}<figcaption>{caption}</figcaption></figure>")
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head += f"<title>{html.escape(title)}</title><style>{_STYLE}</style>"
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n' + "\n".join(body) + "\n</body></html>\n"


def _notebook(content: Sequence[Part], images: dict[int, str]) -> dict[str, Any]:
    """Markdown cells; tables and charts are outputs of cells without source, as the real report has them."""
    cells = [_cell(number, part, images) for number, part in enumerate(content)]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _cell(number: int, part: Part, images: dict[int, str]) -> dict[str, Any]:
    identity = f"part-{number}"
    if isinstance(part, Heading | Text | CodeBlock):
        text = (
            "#" * part.level + " " + part.text
            if isinstance(part, Heading)
            else f"```json\n{part.text}\n```"
            if isinstance(part, CodeBlock)
            else part.text
        )
        return {"cell_type": "markdown", "id": identity, "metadata": {}, "source": text}
    if isinstance(part, ReportTable):
        data = {"text/html": _table_html(part), "text/plain": "\n".join(_table_lines(part))}
    else:
        data = {"image/svg+xml": images[id(part)], "text/plain": part.caption}
    output = {"output_type": "display_data", "metadata": {}, "data": data}
    return {
        "cell_type": "code",
        "id": identity,
        "metadata": {},
        "execution_count": None,
        "source": "" if isinstance(part, ReportTable) else f"# {part.caption}",
        "outputs": [output],
    }


def _table_widths(grid: Sequence[Sequence[str]]) -> list[int]:
    """Column widths that fit a page: the widest columns give way first."""
    widths = [max(len(row[column]) for row in grid) for column in range(len(grid[0]))]
    room = _COLUMNS - 2 * (len(widths) - 1)
    while sum(widths) > room and max(widths) > _NARROW:
        widths[widths.index(max(widths))] -= 1
    return widths


def _table_lines(table: ReportTable) -> list[str]:
    """A table as monospaced lines, cells wrapped."""
    grid = [[str(cell) for cell in row] for row in (table.headers, *table.rows)]
    widths = _table_widths(grid)
    lines = []
    for position, row in enumerate(grid):
        cells = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
        for line in range(max(map(len, cells))):
            texts = [(cell[line] if line < len(cell) else "") for cell in cells]
            lines.append("  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip())
        if position == 0:
            lines.append("-" * (sum(widths) + 2 * (len(widths) - 1)))
    return lines


def _pdf_blocks(content: Sequence[Part]) -> Iterator[list[str] | Chart]:
    for part in content:
        if isinstance(part, Chart):
            yield part
        elif isinstance(part, Heading):
            yield ["", part.text.upper() if part.level < 3 else part.text, "=" * min(len(part.text), _COLUMNS), ""]
        elif isinstance(part, Text):
            yield [*textwrap.wrap(part.text, _COLUMNS), ""]
        elif isinstance(part, CodeBlock):
            yield [piece for line in part.text.splitlines() for piece in (textwrap.wrap(line, _COLUMNS) or [""])]
        else:
            yield [*_table_lines(part), ""]


def _is_latin(content: Sequence[Part]) -> bool:
    texts = "".join(line for block in _pdf_blocks(content) if isinstance(block, list) for line in block)
    captions = "".join(part.caption for part in content if isinstance(part, Chart))
    return (texts + captions).isascii()


def _write_pdf(path: Path, title: str, drawn: tuple[Sequence[Part], dict[int, Figure]], font: str) -> None:
    """Texts and tables on A4 pages, each chart on a page as large as it is."""
    content, figures = drawn
    with PdfPages(path, metadata={"Title": title, "CreationDate": None}) as pages:
        lines: list[str] = []
        for block in _pdf_blocks(content):
            if isinstance(block, list):
                lines += block
                while len(lines) > _LINES:
                    _text_page(pages, lines[:_LINES], font)
                    lines = lines[_LINES:]
                continue
            if lines:
                _text_page(pages, lines, font)
                lines = []
            figure = figures[id(block)]
            figure.text(0.02, 0.99, textwrap.fill(block.caption, 110), fontsize=7, va="top", color="#555555")
            FigureCanvasPdf(figure)
            pages.savefig(figure)  # type: ignore[no-untyped-call]
        if lines:
            _text_page(pages, lines, font)


def _text_page(pages: PdfPages, lines: Sequence[str], font: str) -> None:
    figure = Figure(figsize=_PAGE)
    text = "\n".join(lines)
    figure.text(0.08, 0.95, text, family=font, fontsize=_FONT, va="top", linespacing=1.3, parse_math=False)
    FigureCanvasPdf(figure)
    pages.savefig(figure)  # type: ignore[no-untyped-call]
