"""Estimates: what was counted, at which price, under which assumptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pipelines.cost.prices import PriceTable

HOURS_OF_MONTH = 730.0
DAYS_OF_MONTH = 30.0


@dataclass(frozen=True)
class CostItem:
    """An amount of an item's units and what it is for. `free` units of it are not charged."""

    name: str
    item: str
    amount: float
    free: float = 0.0

    @property
    def billable(self) -> float:
        """The units that are charged."""
        return max(0.0, self.amount - self.free)


@dataclass(frozen=True)
class Estimate:
    """The cost of something in USD. `period` is what the sum is for, such as ``month``."""

    title: str
    period: str
    table: PriceTable
    items: Sequence[CostItem]
    assumptions: Sequence[str] = field(default_factory=tuple)

    def cost(self, item: CostItem) -> float:
        """Of one item.

        :raises UnknownPriceError: if the table does not have it.
        """
        return item.billable * self.table.find(item.item).price

    @property
    def total(self) -> float:
        """Of all items."""
        return sum(self.cost(item) for item in self.items)

    def summarize(self) -> str:
        """The sum in one line, with what was counted."""
        counted = [f"{item.amount * 60:.1f} min of {item.item}" for item in self.items if self._unit(item) == "hour"]
        return f"{in_dollars(self.total)} for {', '.join(counted)}" if counted else in_dollars(self.total)

    def warnings(self) -> list[str]:
        """Of prices that are too old."""
        remarks = self.table.remarks(item.item for item in self.items)
        return [text for text in remarks if text.startswith("warning: ")]

    def _unit(self, item: CostItem) -> str:
        return self.table.find(item.item).unit

    def lines(self) -> Iterator[str]:
        """The sum, its items and its assumptions."""
        yield f"{self.title}: {in_dollars(self.total)} per {self.period}"
        for item in self.items:
            price = self.table.find(item.item)
            free = f", {item.free:g} free" if item.free else ""
            amount = f"{item.amount:.3g}" if item.amount < 1 else f"{item.amount:,.6g}"
            count = f"{amount} {price.unit}{'' if item.amount == 1 else 's'}"
            yield (f"  {item.name}: {in_dollars(self.cost(item))} = {count} of {item.item} x {price.price:g}{free}")
        for text in (*self.assumptions, *self.table.remarks(item.item for item in self.items)):
            yield f"  - {text}"


def in_dollars(amount: float) -> str:
    """Cents, or for less than ten of them four digits behind the point."""
    return f"USD {amount:,.2f}" if amount >= 0.1 or not amount else f"USD {amount:.4f}"
