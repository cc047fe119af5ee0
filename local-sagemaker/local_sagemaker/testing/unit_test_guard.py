"""Fails unit tests that start a process or use a socket: such a test belongs to another tier.

The tests of this repository load it as a plugin; tests outside of folders called ``unit`` are left alone. A socket pair
is allowed: event loops wake themselves by one. So is what a thread does that ran before the test: an earlier test of
another tier left it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator

import pytest

PROCESSES = frozenset(["subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system"])
SOCKETS = frozenset(["socket.bind", "socket.connect", "socket.sendto", "socket.getaddrinfo"])
LOOKS_AT_THE_MACHINE = (("lscpu",), ("sysctl",), ("fc-list",), ("system_profiler",))
"""joblib counts cores by them once in a process, matplotlib lists fonts once in a home folder: which test is the first
is chance."""

_seen: list[str] | None = None
"""What the running unit test has tried; None between tests, and in those of other tiers."""
_others: frozenset[int] = frozenset()
"""The threads that ran before it, by their identifiers."""


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if _seen is None or event not in PROCESSES | SOCKETS or arguments[:1] in LOOKS_AT_THE_MACHINE:
        return
    if threading.get_ident() in _others:
        return
    kind = "starts a process" if event in PROCESSES else "uses a socket"
    _seen.append(f"a unit test {kind} ({event} {arguments!r:.200})")
    raise AssertionError(_seen[-1])


sys.addaudithook(_refuse)


def _watch(item: pytest.Item) -> Generator[None, object, object]:
    global _seen, _others
    if "unit" not in _folders(item):
        return (yield)
    seen: list[str] = []
    _others = frozenset(thread.ident or 0 for thread in threading.enumerate()) - {threading.get_ident()}
    _seen = seen
    try:
        result = yield
    finally:
        _seen = None
    if seen:
        pytest.fail("\n".join(seen), pytrace=False)
    return result


def _folders(item: pytest.Item) -> tuple[str, ...]:
    """Where a test is in its project, whatever the folders above that are called."""
    root = item.config.rootpath
    return (item.path.relative_to(root) if item.path.is_relative_to(root) else item.path).parts


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """Refuses processes and sockets while a unit test's fixtures are made, and fails it where that is swallowed."""
    return (yield from _watch(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """The same while it runs."""
    return (yield from _watch(item))
