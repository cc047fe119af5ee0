"""What the List operations of SageMaker share: filters, sorting and pagination."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from local_sagemaker.errors import ValidationError
from local_sagemaker.json_text import load
from local_sagemaker.records.store import Body

_BOUNDS: tuple[tuple[str, str, Callable[[Any, Any], bool]], ...] = (
    ("CreationTimeAfter", "CreationTime", lambda value, bound: value > bound),
    ("CreationTimeBefore", "CreationTime", lambda value, bound: value < bound),
    ("CreatedAfter", "CreationTime", lambda value, bound: value > bound),
    ("CreatedBefore", "CreationTime", lambda value, bound: value < bound),
    ("LastModifiedTimeAfter", "LastModifiedTime", lambda value, bound: value > bound),
    ("LastModifiedTimeBefore", "LastModifiedTime", lambda value, bound: value < bound),
)


def select(bodies: list[Body], request: Body, *, name: str, status: str | None = None) -> list[Body]:
    """Keeps what the request's filters let through: times, ``NameContains``, ``StatusEquals``.

    `name` and `status` are the members that hold the resource's name and status.
    """
    for parameter, member, keeps in _BOUNDS:
        if parameter in request:
            bound = request[parameter]
            bodies = [body for body in bodies if member in body and keeps(body[member], bound)]
    if "NameContains" in request:
        part = request["NameContains"].lower()
        bodies = [body for body in bodies if part in str(body.get(name, "")).lower()]
    if status and "StatusEquals" in request:
        bodies = [body for body in bodies if body.get(status) == request["StatusEquals"]]
    return bodies


def order(
    bodies: list[Body],
    request: Body,
    *,
    members: dict[str, str],
    by: str = "CreationTime",
    direction: str = "Descending",
) -> list[Body]:
    """Sorts by the member that ``SortBy`` stands for (`members` maps its values); records come in creation order."""
    member = members.get(request.get("SortBy", by), "CreationTime")
    descending = request.get("SortOrder", direction) == "Descending"
    # Ties keep creation order, reversed when descending: two records of one millisecond still come newest first.
    indexed = sorted(enumerate(bodies), key=lambda pair: (pair[1].get(member) or 0, pair[0]), reverse=descending)
    return [body for _, body in indexed]


def page(items: list[Body], request: Body, *, default: int = 10, limit: int = 100) -> tuple[list[Body], dict[str, str]]:
    """One page of the items, and ``{"NextToken": ...}`` when more follow (else an empty dict)."""
    start = _position(request["NextToken"]) if request.get("NextToken") else 0
    size = min(int(request.get("MaxResults", default)), limit)
    chosen = items[start : start + size]
    if start + size >= len(items):
        return chosen, {}
    token = base64.urlsafe_b64encode(json.dumps({"start": start + size}).encode()).decode()
    return chosen, {"NextToken": token}


def _position(token: str) -> int:
    try:
        return int(load(base64.urlsafe_b64decode(token.encode()))["start"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValidationError("Invalid pagination token.") from error


def pick(body: Body, *members: str) -> Body:
    """The named members that the body has, as summaries list them."""
    return {member: body[member] for member in members if member in body}
