"""ASGI's types; HTTP requests and responses as bytes, for services without dispatch by operation.

The wire hands these to moto's services (`services/moto_services/`), whose parsing and wording are that library's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
"""The three parts of an ASGI call."""


@dataclass(frozen=True)
class RawRequest:
    """One request as it came in. `path` is undecoded, `query` is what follows the question mark (or empty)."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class RawResponse:
    """One response, complete."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
