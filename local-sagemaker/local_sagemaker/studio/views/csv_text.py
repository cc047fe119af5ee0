"""Lines of CSV that spreadsheets open and execute nothing of."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from local_sagemaker.studio.views.numbers import is_number

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_line(cells: Sequence[object]) -> bytes:
    """A line with its end; a text that a spreadsheet would take for a formula gets an apostrophe, a number does not."""
    out = io.StringIO()
    csv.writer(out).writerow([_defuse(cell) for cell in cells])
    return out.getvalue().encode()


def _defuse(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(_FORMULA) and not is_number(cell):
        return f"'{cell}"
    return cell
