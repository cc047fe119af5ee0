"""The CSV of a list page: all rows that fit its filter, page by page, as a table that spreadsheets open."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio.page import Content, Page, Visit
from local_sagemaker.studio.rendering import document
from local_sagemaker.studio.views.csv_text import csv_line

MOST = 100_000


def export(page: Page, visit: Visit) -> Content:
    """The rows of a page as an attachment. Raises ServiceError for a page that is no list."""
    context = page.load(visit)
    rows = rows_of(context)
    if rows is None:
        raise ServiceError("This page has no list.", code="NotFound", status=404)
    name = page.route.strip("/").replace("/", "-").replace("{", "").replace("}", "") or "home"
    return Content(_lines(page, visit, context), "text/csv", f"{name}.csv")


def rows_of(context: Any) -> Sequence[Any] | None:
    """The list of a context: the first field that holds records, or that is named as lists are."""
    if not is_dataclass(context):
        return None
    for item in fields(context):
        value = getattr(context, item.name)
        if isinstance(value, list) and (item.name in ("rows", "entries") or (value and is_dataclass(value[0]))):
            return value
    return None


def _lines(page: Page, visit: Visit, context: Any) -> Iterator[bytes]:
    columns: list[str] = []
    count = 0
    while True:
        for row in rows_of(context) or ():
            if not columns:
                columns = [item.name for item in fields(row) if item.repr]
                yield csv_line(columns)
            yield csv_line([_cell(getattr(row, name)) for name in columns])
            count += 1
        token = getattr(context, "next", "")
        if not token or count >= MOST:
            return
        context = page.load(replace(visit, query={**visit.query, "token": [token]}))


def _cell(value: Any) -> str:
    """Text as it is; what has parts as JSON."""
    plain = document(value)
    if plain is None:
        return ""
    if isinstance(plain, str):
        return plain
    return json.dumps(plain, ensure_ascii=False)
