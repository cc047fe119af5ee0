"""Values made from a model's shapes: every member present, to a depth, with texts that need escaping."""

from __future__ import annotations

import datetime
import io
from typing import Any

WHEN = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.UTC)
AWKWARD = "é <a> & \"b\" 'c' \\ / + %20 \U0001f600"
NARROW = ("header", "headers", "uri", "querystring", "statusCode")


def sample(shape: Any, *, depth: int = 0, location: str | None = None) -> Any:
    """A value of the shape as a client gives and gets it (datetimes, bytes)."""
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return {"any": [1, "x", {"y": None}]}
        members = _members(shape)
        if depth > 4 and not getattr(shape, "is_tagged_union", False):
            members = {name: member for name, member in members.items() if _flat(member)}
        return {
            name: sample(member, depth=depth + 1, location=member.serialization.get("location"))
            for name, member in members.items()
        }
    if kind == "list":
        return [sample(shape.member, depth=depth + 1, location=location) for _ in range(2)]
    if kind == "map":
        keys = shape.key.enum[:2] if getattr(shape.key, "enum", None) else ["one", "two"]
        return {key: sample(shape.value, depth=depth + 1, location=location) for key in keys}
    return _scalar(shape, kind, location)


def _members(shape: Any) -> dict[str, Any]:
    """All members; of a union just one, which is all that it may hold."""
    members = dict(shape.members)
    if getattr(shape, "is_tagged_union", False):
        members = dict(list(members.items())[:1])
    return members


def _flat(shape: Any) -> bool:
    return shape.type_name not in ("structure", "list", "map")


def _scalar(shape: Any, kind: str, location: str | None) -> Any:
    if kind == "string":
        if shape.serialization.get("jsonvalue"):
            return {"a": [1, "é"]}
        if getattr(shape, "enum", None):
            return shape.enum[0]
        if location in ("header", "headers"):
            return "plain;x=1"
        return AWKWARD if location in (None, "uri", "querystring") else "plain"
    if kind == "blob":
        return b"\x00\xff bytes"
    if kind == "timestamp":
        return WHEN
    if kind == "boolean":
        return True
    return 7 if kind in ("integer", "long") else 0.25


def plain(value: Any) -> Any:
    """The same value as the service's dicts hold it: times as seconds, streams as their bytes."""
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bytearray | bytes):
        return bytes(value)
    if isinstance(value, io.IOBase) or hasattr(value, "read"):
        return value.read()
    return value
