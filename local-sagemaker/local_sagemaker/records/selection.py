"""Keys of the records below a parent, filtered, sorted and counted by SQLite: for lists that any page can be taken of.

Filters by the name-value pairs in a body (the parameters of executions) read the bodies inside SQLite; no body is
decoded here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_PAIRS = "json_each(body, ?) AS pair WHERE json_extract(pair.value, '$.Name') = ?"
_VALUE = "json_extract(pair.value, '$.Value')"
_IS_NUMBER = f"{_VALUE} GLOB '*[0-9]*' AND NOT {_VALUE} GLOB '*[^-+0-9.eE]*'"
ORDERS = {"created": "created", "length": "modified - created", "status": "status", "name": "name"}


@dataclass(frozen=True)
class PairCondition:
    """A condition on the value of one pair. `sign` is ``=``, ``<``, ``>`` or ``~`` (contains, in any case); `pairs` the
    member of the body that holds the pairs, if it is not the selection's."""

    name: str
    sign: str
    value: str
    pairs: str = ""

    def sql(self, pairs: str) -> tuple[str, list[Any]]:
        """The condition, and its values; `pairs` is the JSON path of the pairs."""
        number = _number(self.value) if self.sign in "<>" else None
        values: list[Any]
        if self.sign == "~":
            test, values = f"instr(lower({_VALUE}), ?) > 0", [self.value.lower()]
        elif number is not None:
            test, values = f"{_IS_NUMBER} AND CAST({_VALUE} AS REAL) {self.sign} ?", [number]
        else:
            test, values = f"{_VALUE} {self.sign} ?", [self.value]
        return f"EXISTS (SELECT 1 FROM {_PAIRS} AND {test})", [pairs, self.name, *values]


@dataclass(frozen=True)
class Selection:
    """Which records of a kind below a parent, in which order. `texts` are members of the body in which (or in the key)
    `text` is looked for; `order` is a key of `ORDERS`, or the name of a pair behind ``pair:``;
    that pair is in `order_pairs` if it is given, else in `pairs`."""

    kind: str
    parent: str
    status: str = ""
    since: float | None = None
    text: str = ""
    texts: Sequence[str] = ()
    pairs: str = ""
    conditions: Sequence[PairCondition] = ()
    order: str = "created"
    descending: bool = True
    order_pairs: str = ""

    @property
    def is_scan(self) -> bool:
        """Whether every body is read, so that counting costs as much as finding."""
        return bool(self.text or self.conditions or self.order.startswith("pair:"))

    def where(self, region: str) -> tuple[str, list[Any]]:
        """The condition, and its values."""
        texts, values = ["region = ?", "kind = ?", "parent = ?"], list[Any]([region, self.kind, self.parent])
        if self.status:
            texts.append("status = ?")
            values.append(self.status)
        if self.since is not None:
            texts.append("created >= ?")
            values.append(self.since)
        if self.text:
            places = ["key", *("json_extract(body, ?)" for _ in self.texts)]
            texts.append("(" + " OR ".join(f"instr(lower({place}), ?) > 0" for place in places) + ")")
            values += [self.text.lower(), *(item for name in self.texts for item in (f"$.{name}", self.text.lower()))]
        for condition in self.conditions:
            text, more = condition.sql(f"$.{condition.pairs or self.pairs}")
            texts.append(text)
            values += more
        return " AND ".join(texts), values

    def statement(self, region: str) -> tuple[str, list[Any]]:
        """Rows of (key, how many there are) in order, to be limited; the count is 0 where it is cheaper alone."""
        condition, values = self.where(region)
        way = "DESC" if self.descending else "ASC"
        total = "count(*) OVER ()" if self.is_scan else "0"
        if not self.order.startswith("pair:"):
            order = f"{ORDERS[self.order]} {way}, sequence {way}"
            return f"SELECT key, {total} FROM records WHERE {condition} ORDER BY {order}", values
        pairs = f"(SELECT {_VALUE} FROM {_PAIRS}) AS value"
        # the limit keeps SQLite from writing the inner select into each place that names the value
        inner = f"SELECT key, sequence, {pairs} FROM records WHERE {condition} LIMIT -1"
        number = "CASE WHEN value GLOB '*[0-9]*' AND NOT value GLOB '*[^-+0-9.eE]*' THEN CAST(value AS REAL) END"
        order = f"value IS NULL, {number} {way}, value {way}, sequence {way}"
        name, path = self.order.removeprefix("pair:"), f"$.{self.order_pairs or self.pairs}"
        return f"SELECT key, {total} FROM ({inner}) ORDER BY {order}", [path, name, *values]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
