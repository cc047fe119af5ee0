"""Pages of Lambda's lists: Marker, MaxItems, NextMarker."""

from __future__ import annotations

from typing import Any

from local_sagemaker.api.operations import Request, Response
from local_sagemaker.integers import natural
from local_sagemaker.services.lambda_.errors import InvalidValue

_MOST = 50


def page(member: str, items: list[Any], request: Request) -> Response:
    """The page of the items that a request is for."""
    start, size = natural(request.get("Marker", "0")), min(request.get("MaxItems", _MOST), _MOST)
    if start is None:
        raise InvalidValue("The marker is invalid.")
    more = start + size < len(items)
    return {member: items[start : start + size], **({"NextMarker": str(start + size)} if more else {})}
