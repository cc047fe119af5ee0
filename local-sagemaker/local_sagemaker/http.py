"""An HTTP request and answer as plain values, for services that are spoken to in bytes.

The wire hands these to the neighbours (`services/neighbours/`), whose parsing and wording are another library's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    """One answer, complete."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
