"""The last test requests to each endpoint, newest first: in memory, so that they end with the service."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from local_sagemaker.studio.page import Visit

MOST = 20
_LONGEST = 4_000
_MOST_ENDPOINTS = 200
_LOCK = threading.Lock()
_TRIES: dict[tuple[str, str, str], deque[InferenceTry]] = {}


@dataclass(frozen=True)
class InferenceTry:
    """A test request with the status of its response. `members` are those of InvokeEndpoint; `is_cut`: the body is the
    beginning of what was sent, which a link cannot send again."""

    time: float
    body: str
    members: dict[str, str]
    status: str
    is_error: bool
    milliseconds: float
    variant: str
    response: str
    is_cut: bool = False


def note_try(visit: Visit, endpoint: str, body: str, members: dict[str, str], response: Any) -> None:
    """Keeps a test request; `response` is what the page shows of it."""
    made = InferenceTry(
        visit.now, body[:_LONGEST], dict(members), response.status, response.is_error, response.milliseconds,
        response.variant, response.text[:_LONGEST], len(body) > _LONGEST,
    )  # fmt: skip
    with _LOCK:
        key = _key(visit, endpoint)
        tries = _TRIES.pop(key, deque(maxlen=MOST))
        tries.appendleft(made)
        _TRIES[key] = tries
        while len(_TRIES) > _MOST_ENDPOINTS:
            del _TRIES[next(iter(_TRIES))]


def last_tries(visit: Visit, endpoint: str) -> list[InferenceTry]:
    """The last twenty, newest first."""
    with _LOCK:
        return list(_TRIES.get(_key(visit, endpoint), ()))


def _key(visit: Visit, endpoint: str) -> tuple[str, str, str]:
    return str(visit.reads.settings.home), visit.region, endpoint.lower()
