"""Patch operations (add, replace, remove) on the few members that each Update operation allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from local_sagemaker.api.operations import Request
from local_sagemaker.records.store import Body
from local_sagemaker.services.apigateway.errors import ApiBadRequest


def patch(body: Body, request: Request, members: Mapping[str, type], elsewhere: Collection[str] = ()) -> None:
    """Applies a request's patchOperations.

    `members` are those that can be changed with their types: of a dict an entry (``/variables/name``), of a list an
    element (``/binaryMediaTypes/image~1png``), of others the whole. `elsewhere` are those that API Gateway changes and
    this service does not: they are refused as such.
    """
    for item in request.get("patchOperations", ()):
        op, path = item.get("op"), item.get("path", "")
        parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
        kind = members.get(parts[0]) if parts else None
        nested = kind in (dict, list)
        if parts and parts[0] in elsewhere:
            raise ApiBadRequest(f"LocalUnsupported: the local service does not change '{path}'.")
        if kind is None or op not in ("add", "replace", "remove") or len(parts) != (2 if nested else 1):
            allowed = ", ".join(
                f"/{name}/{{name}}" if members[name] in (dict, list) else f"/{name}" for name in members
            )
            raise ApiBadRequest(f"Invalid patch path  '{path}' specified for op '{op}'. Must be one of: [{allowed}]")
        if kind is dict:
            _entry(body.setdefault(parts[0], {}), op, parts[1], item.get("value"))
        elif kind is list:
            _element(body.setdefault(parts[0], []), op, parts[1])
        elif op == "remove" or (kind is int and not item.get("value")):  # without a value a size is none (user guide)
            body.pop(parts[0], None)
        else:
            body[parts[0]] = _convert(kind, item.get("value", ""), path)


def _entry(entries: dict[str, Any], op: str, name: str, value: Any) -> None:
    if op == "remove":
        entries.pop(name, None)
    else:
        entries[name] = value


def _element(elements: list[Any], op: str, value: str) -> None:
    if op == "remove":
        if value in elements:
            elements.remove(value)
    elif value not in elements:
        elements.append(value)


def _convert(kind: type, value: str, path: str) -> Any:
    if kind is bool:
        return value.lower() == "true"
    try:
        return kind(value)
    except ValueError as error:
        raise ApiBadRequest(f"Invalid value '{value}' for patch path '{path}'") from error
