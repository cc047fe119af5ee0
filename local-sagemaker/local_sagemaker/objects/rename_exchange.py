"""Two files that change their names in one step: renameat2(2) with RENAME_EXCHANGE, which Python does not have.

A rename over an existing file makes ext4 give every new page its place on disk before it returns: a third of a second
for a GiB that the caller waits for, and nothing that a crash of the service could lose.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Callable

_HERE = -100  # AT_FDCWD
_EXCHANGE = 2


def _renameat2() -> Callable[..., int] | None:
    try:
        function: Callable[..., int] = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
    return function


_RENAMEAT2 = _renameat2()


def exchange(one: str, other: str) -> bool:
    """Whether both were regular files, and have each other's name now; nothing has changed otherwise."""
    if _RENAMEAT2 is None:
        return False
    try:
        if not stat.S_ISREG(os.lstat(other).st_mode):
            return False
    except OSError:
        return False
    return _RENAMEAT2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0
