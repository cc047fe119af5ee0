"""How often an acknowledged event is tried: as its function's configuration says."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.records import Records
from local_sagemaker.services.lambda_ import events
from local_sagemaker.services.lambda_.events import EventSources
from local_sagemaker.testing.polling import wait_until


@pytest.mark.parametrize(("most", "oldest", "tries"), [(2, 3600.0, 3), (1, 3600.0, 2), (0, 3600.0, 1), (2, -1.0, 0)])
def test_a_failing_event_is_given_up(
    most: int, oldest: float, tries: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "RETRIES", (0.0, 0.0))
    records, counted, lock = Records(tmp_path / "records"), list[str](), threading.Lock()

    def attempt(key: str, _record: dict[str, Any], _event: bytes) -> bool:
        with lock:
            counted.append(key)
        return False

    sources = EventSources(records=records, attempt=attempt, limits=lambda _record: (most, oldest))
    sources.accept("f", None, b"{}")
    wait_until(lambda: not list(records.items(events.KIND)), "the event is given up")
    sources.close()
    assert len(counted) == tries


def test_an_event_that_has_grown_too_old_before_its_retry_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "RETRIES", (3600.0, 3600.0))
    moment, records, ran = [1000.0], Records(tmp_path / "records"), list[str]()
    monkeypatch.setattr(events, "now", lambda: moment[0])

    def attempt(key: str, _record: dict[str, Any], _event: bytes) -> bool:
        ran.append(key)
        return False

    def start() -> EventSources:
        return EventSources(records=records, attempt=attempt, limits=lambda _record: (2, 60.0))

    first = start()
    first.accept("f", None, b"{}")
    wait_until(lambda: [body["failures"] for body in records.list(events.KIND)] == [1], "its retry is due later")
    first.close()
    moment[0] += 61.0
    second = start()
    second.resume()
    wait_until(lambda: not records.list(events.KIND), "the event is dropped")
    second.close()
    assert len(ran) == 1
