"""The end of everything that one maker has made: first what it is and what it is billed by, then its deletion.

Doing it again does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from delivery import ownership
from delivery.clients import Clients
from delivery.deletion import Deletion, send
from delivery.endpoints import remove
from delivery.owned_resources import (
    FREE,
    KINDS,
    SERVERLESS,
    Finder,
    OwnedResource,
    OwnerFilter,
    objects,
    versions_and_groups,
)

if TYPE_CHECKING:
    from rich.table import Table

KEEPABLE: dict[str, Finder] = {"versions": versions_and_groups, "data": objects}
"""What --keep leaves, by its word."""


def find(clients: Clients, selection: OwnerFilter, keep: Sequence[str] = ()) -> list[OwnedResource]:
    """All owned resources, in the order of their deletion."""
    left = [KEEPABLE[word] for word in keep]
    if selection.maker == ownership.REGISTRY:  # it makes none, and an account may have many to look through
        left += SERVERLESS
    return [item for kind in KINDS if kind not in left for item in kind(clients, selection)]


def clean_up(clients: Clients, resources: Sequence[OwnedResource], say: Callable[[str], object] = print) -> None:
    """Deletes all of it, one after the other."""
    for item in resources:
        for deletion in item.deletions:
            _carry_out(clients, deletion)
        say(f"deleted: {item.kind} {item.name}")


def _carry_out(clients: Clients, deletion: Deletion) -> None:
    if deletion.operation == "delete_endpoint":  # it takes its time, and what it uses is deleted next
        remove(clients, deletion.request["EndpointName"])
    else:
        send(clients.of, deletion)


def bill(resources: Sequence[OwnedResource]) -> Table:
    """Resources with their price class and usage. AWS's price list says how much that is."""
    from rich.table import Table

    made = Table("What", "Name", "Billed", "So far", title_justify="left")
    for item in resources:
        made.add_row(item.kind, item.name, item.billed, item.usage)
    return made


def is_billed(resources: Sequence[OwnedResource]) -> bool:
    return any(item.billed != FREE for item in resources)
