"""One page of the records of a kind, selected, sorted and cut by SQLite, mostly by an index (`schema.INDEXES`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Position = tuple[Any, int]
"""Where a page ends: the value that is sorted by, and the record's number in the order of creation."""
ORDERS = ("created", "modified", "name", "status")


@dataclass(frozen=True)
class Query:
    """Which records, in which order. Bounds of times are in seconds since the epoch, and exclusive.

    `parent` is what stands before the last slash of the key ("" for top-level names), None for any; `contains` is a
    part of the name in any case; `equals` compares members of the body.
    """

    kind: str
    parent: str | None = None
    order: str = "created"
    descending: bool = True
    created_after: float | None = None
    created_before: float | None = None
    modified_after: float | None = None
    modified_before: float | None = None
    contains: str | None = None
    prefix: str | None = None
    status: str | None = None
    equals: Mapping[str, Any] = field(default_factory=dict)

    def sql(self, region: str, after: Position | None, size: int) -> tuple[str, list[Any]]:
        """The statement for ``size`` rows (order value, sequence, body) behind a position, and its values."""
        conditions: list[tuple[str, Any]] = [("region = ?", region), ("kind = ?", self.kind)]
        for text, value in (
            ("parent = ?", self.parent),
            ("status = ?", self.status),
            ("created > ?", self.created_after),
            ("created < ?", self.created_before),
            ("modified > ?", self.modified_after),
            ("modified < ?", self.modified_before),
            ("instr(lower(name), ?) > 0", None if self.contains is None else self.contains.lower()),
            ("substr(name, 1, ?) = ?", self.prefix),
        ):
            if value is not None:
                conditions.append((text, value))
        values: list[Any] = []
        for text, value in conditions:
            values += [len(value), value] if text.startswith("substr") else [value]
        texts = [text for text, _ in conditions]
        for member, value in self.equals.items():
            texts.append("json_extract(body, ?) = ?")
            values += [f'$."{member}"', value]
        if after is not None:
            texts.append(f"({self.order}, sequence) {'<' if self.descending else '>'} (?, ?)")
            values += after
        way = "DESC" if self.descending else "ASC"
        order = f"{self.order} {way}, sequence {way}"
        where = " AND ".join(texts)
        return f"SELECT {self.order}, sequence, body FROM records WHERE {where} ORDER BY {order} LIMIT ?", [
            *values, size,
        ]  # fmt: skip
