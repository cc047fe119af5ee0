"""What the first bytes of an object look like: a table, JSON, text, a picture, a page, or bytes. Pure."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import dataclass, field

from local_sagemaker.json_text import load
from local_sagemaker.studio.views.numbers import is_number

ROWS, COLUMNS = 100, 50
LARGEST_IMAGE = 5 << 20
LARGEST_JSON = 1 << 20
_IMAGES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp"}
_TABLES = (".csv", ".tsv", ".data")
_PAGES = (".html", ".htm", ".svg")
_ARCHIVES = (".tar.gz", ".tgz", ".zip", ".tar", ".gz")


@dataclass(frozen=True)
class Preview:
    """`kind`: table, json, text, image, page, archive, empty or bytes. `numeric` are the columns of a table that
    hold numbers only; `note` says what is cut or guessed."""

    kind: str
    text: str = ""
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    numeric: list[bool] = field(default_factory=list)
    image: str = ""
    note: str = ""


def bytes_wanted(name: str) -> int:
    """How many bytes of an object a preview needs."""
    lower = name.lower()
    if lower.endswith(tuple(_IMAGES)):
        return LARGEST_IMAGE
    return LARGEST_JSON if lower.endswith((".json", ".ipynb")) else 256 * 1024


def make_preview(name: str, data: bytes, size: int, *, heading: bool | None = None) -> Preview:
    """The preview of an object by its key and first bytes; `heading` says whether a table's first row is one."""
    lower = name.lower()
    if not size:
        return Preview("empty", note="The object is empty.")
    image = next((kind for end, kind in _IMAGES.items() if lower.endswith(end)), "")
    if image and len(data) == size:
        return Preview("image", image=f"data:{image};base64,{base64.b64encode(data).decode()}")
    if lower.endswith(_PAGES):
        return Preview("page")
    if lower.endswith(_ARCHIVES):
        return Preview("archive", note="An archive; download it to see what is in it.")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if error.start < len(data) - 4:
            return Preview("bytes", text=_dump(data[:256]), note="The first 256 bytes.")
        text = data[: error.start].decode()
    return _text_preview(lower, text, len(data), size, heading)


def _text_preview(lower: str, text: str, read: int, size: int, heading: bool | None) -> Preview:
    cut = "" if read >= size else f"The first {read:,} of {size:,} bytes."
    if lower.endswith((".json", ".ipynb")) and not cut:
        try:
            return Preview("json", text=json.dumps(load(text), indent=2, ensure_ascii=False))
        except ValueError as error:
            return Preview("text", text=text, note=f"No valid JSON: {error}")
    if lower.endswith(_TABLES):
        return _table(text, read, size, heading)
    return Preview("text", text=text, note=cut)


def _table(text: str, read: int, size: int, heading: bool | None) -> Preview:
    lines = text.splitlines()
    if read < size and len(lines) > 1:
        lines = lines[:-1]  # the last may be cut
    delimiter = max(",\t;|", key=lines[0].count) if lines else ","
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines[: ROWS + 1])), delimiter=delimiter))
    except csv.Error:
        return Preview("text", text=text[:65536])
    widest = max((len(row) for row in rows), default=0)
    first = rows[0] if rows else []
    is_heading = heading if heading is not None else bool(first) and not any(is_number(cell) for cell in first)
    header = first if is_heading else [f"column {place}" for place in range(widest)]
    body = rows[1:] if is_heading else rows
    total = f"{len(lines) - is_heading:,} rows" if read >= size else f"about {round(len(lines) * size / read):,} rows"
    note = f"{total}, {widest} columns"
    note += f"; the first {COLUMNS} columns are shown" if widest > COLUMNS else ""
    note += f"; the first {ROWS} rows are shown" if len(lines) - is_heading > ROWS else ""
    shown = [row[:COLUMNS] for row in body[:ROWS]]
    numeric = [_is_numeric([row[place] for row in shown if len(row) > place]) for place in range(min(widest, COLUMNS))]
    return Preview("table", header=header[:COLUMNS], rows=shown, numeric=numeric, note=note)


def _is_numeric(cells: list[str]) -> bool:
    """Whether a column holds numbers; cells may be empty."""
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and all(is_number(cell) for cell in filled)


def _dump(data: bytes) -> str:
    lines = []
    for start in range(0, len(data), 16):
        part = data[start : start + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:08x}  {part.hex(' '):47}  {shown}")
    return "\n".join(lines)
