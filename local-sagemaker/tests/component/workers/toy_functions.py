"""Functions for a worker."""

from __future__ import annotations

import os
import re
import sys
from typing import Any


def add(one: float, other: float) -> float:
    """A sum."""
    print("on stdout")  # noqa: T201 - the answers go another way
    return one + other


def fail(kind: str) -> None:
    """Raises."""
    raise {"value": ValueError("a text"), "system": OSError(28, "full")}[kind]


def hang() -> bool:
    """Holds the interpreter's lock for longer than anybody waits."""
    return re.search(r"(a+)+$", "a" * 60 + "b") is not None


def fill(size: int) -> int:
    """Takes memory."""
    return len(bytearray(size))


def end() -> None:
    """Ends the process."""
    os._exit(3)


def facts() -> dict[str, Any]:
    """What the process has."""
    return {"pid": os.getpid(), "parent": os.getppid(), "modules": sorted(sys.modules)}
