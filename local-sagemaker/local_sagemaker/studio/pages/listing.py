"""What pages share that read many responses: all items of a listing, and the newest of a kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio.page import Visit

MOST = 10_000
_ORDERS = {
    "newest": ("CreationTime", "Descending"), "oldest": ("CreationTime", "Ascending"),
    "name": ("Name", "Ascending"), "-name": ("Name", "Descending"),
    "status": ("Status", "Ascending"), "-status": ("Status", "Descending"),
}  # fmt: skip


def order_of(visit: Visit, *members: str) -> dict[str, str]:
    """SortBy and SortOrder as the address has them in `sort`; the newest first for what is none of the members."""
    by, way = _ORDERS.get(visit.value("sort"), _ORDERS["newest"])
    by, way = (by, way) if by in members else _ORDERS["newest"]
    return {"SortBy": by, "SortOrder": way}


def all_items(visit: Visit, operation: str, member: str, most: int = MOST, **request: Any) -> list[dict[str, Any]]:
    """The items of all pages of a List operation, at most `most`."""
    return list(_items(visit, operation, member, most, request))


def _items(visit: Visit, operation: str, member: str, most: int, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    token: dict[str, Any] = {}
    count = 0
    while count < most:
        response = visit.call(operation, {**request, **token})
        for item in response.get(member, []):
            yield item
            count += 1
            if count >= most:
                return
        if not response.get("NextToken"):
            return
        token = {"NextToken": response["NextToken"]}


def items_or_none(visit: Visit, operation: str, member: str, most: int = 100, **request: Any) -> list[dict[str, Any]]:
    """Like `all_items`; nothing where the operation is not supported or fails, of which the page says so."""
    try:
        return all_items(visit, operation, member, most, **request)
    except ServiceError as error:
        visit.note(operation, error)
        return []
