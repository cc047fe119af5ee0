"""The table of prices: what a unit costs, in which region, by whose word, and how old that word is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

TABLE = Path(__file__).with_name("prices.json")
REGION = "us-east-1"
"""The region whose prices stand in for those of a region that the table does not have."""
FRESH = timedelta(days=180)


@dataclass(frozen=True)
class Price:
    """USD for one unit. `confirmed`: read from AWS's own page or price list, not second-hand."""

    item: str
    region: str
    unit: str
    price: float
    source: str
    date: date
    confirmed: bool


class UnknownPriceError(Exception):
    """The table has no price of an item. The text names it."""


@dataclass(frozen=True)
class PriceTable:
    """Prices for a region, as of a day."""

    prices: Sequence[Price]
    region: str = REGION
    today: date | None = None

    def find(self, item: str) -> Price:
        """The region's own price, else that of `REGION`.

        :raises UnknownPriceError: if there is neither.
        """
        candidates = [price for price in self.prices if price.item == item and price.region in (self.region, REGION)]
        if not candidates:
            raise UnknownPriceError(f"{TABLE.name} has no price of {item} in {self.region}: add one with its source")
        return max(candidates, key=lambda price: price.region == self.region)

    def remarks(self, items: Iterable[str]) -> Iterator[str]:
        """What a reader has to know of the prices of these items: region, source, age."""
        used = [self.find(item) for item in dict.fromkeys(items)]
        foreign = sorted({price.item for price in used if price.region != self.region})
        if foreign:
            yield f"prices are those of {REGION}, as the table has none of {self.region}: {', '.join(foreign)}"
        unconfirmed = sorted({price.item for price in used if not price.confirmed})
        if unconfirmed:
            yield f"prices not confirmed by AWS's price list: {', '.join(unconfirmed)}"
        today = self.today or datetime.now(UTC).date()
        old = [price for price in used if today - price.date > FRESH]
        if old:
            oldest = min(price.date for price in old)
            names = ", ".join(sorted({price.item for price in old}))
            yield f"warning: prices of {oldest} are older than {FRESH.days} days: {names}; renew {TABLE.name}"


def load(region: str = REGION, path: Path = TABLE, today: date | None = None) -> PriceTable:
    """The table for a region."""
    rows = json.loads(path.read_text("utf-8"))
    prices = [Price(**{**row, "date": date.fromisoformat(row["date"])}) for row in rows]
    return PriceTable(prices, region, today)
