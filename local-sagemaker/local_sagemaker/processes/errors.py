"""Why a process could not be started."""

from __future__ import annotations


class ProcessNotStarted(RuntimeError):
    """The fork server could not be started or died."""


class ServerEnded(ProcessNotStarted):
    """The fork server ended before it gave one."""
