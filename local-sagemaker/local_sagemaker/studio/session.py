"""Sign-in: one-time links made by the command line, and sessions that are kept hashed and survive a restart."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from pathlib import Path

from local_sagemaker.clock import now

COOKIE = "local-sagemaker-studio"
LINK_SECONDS = 120.0
IDLE_SECONDS = 12 * 3600.0
LONGEST_SECONDS = 7 * 86400.0
_WRITE_EVERY = 60.0
MOST_SESSIONS = 100


class Sessions:
    """One-time tokens (in memory) and sessions (in a file that only its owner can read)."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._links: dict[str, float] = {}
        self._sessions: dict[str, list[float]] = {}
        try:
            self._sessions = {
                name: [float(time) for time in times] for name, times in json.loads(file.read_text()).items()
            }
        except (OSError, ValueError, AttributeError, TypeError):
            self._sessions = {}

    def make_link(self) -> str:
        """A token for one sign-in within two minutes."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._links = {name: until for name, until in self._links.items() if until > now()}
            self._links[_digest(token)] = now() + LINK_SECONDS
        return token

    def open(self, token: str) -> str | None:
        """Uses a token up: the cookie's value of a new session, None for a token that is unknown, used or too old."""
        with self._lock:
            until = self._links.pop(_digest(token), 0.0)
            if until < now():
                return None
            value = secrets.token_urlsafe(32)
            self._sessions[_digest(value)] = [now(), now()]
            self._write()
        return value

    def is_open(self, value: str) -> bool:
        """Whether a cookie is that of a session."""
        if not value:
            return False
        name, time = _digest(value), now()
        with self._lock:
            times = self._sessions.get(name)
            if times is None:
                return False
            if time - times[0] > LONGEST_SECONDS or time - times[1] > IDLE_SECONDS:
                del self._sessions[name]
                self._write()
                return False
            if time - times[1] > _WRITE_EVERY:
                times[1] = time
                self._write()
        return True

    def revoke(self) -> int:
        """Ends all sessions; how many there were."""
        with self._lock:
            count = len(self._sessions)
            self._sessions, self._links = {}, {}
            self._write()
        return count

    def count(self) -> int:
        """How many sessions are open."""
        return len(self._sessions)

    def _write(self) -> None:
        newest = sorted(self._sessions.items(), key=lambda item: -item[1][1])[:MOST_SESSIONS]
        self._sessions = dict(newest)
        temporary = self._file.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self._sessions, file)
        temporary.replace(self._file)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
