"""Replays in pieces: cancelled, resumed, and tried again."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from local_sagemaker.arns import Arns
from local_sagemaker.clock import iso
from local_sagemaker.records import Records
from local_sagemaker.records.store import Body
from local_sagemaker.services.events.archive_store import REPLAY, ArchiveStore
from local_sagemaker.services.events.replay_runner import PIECE, ReplayRunner
from local_sagemaker.services.events.rule_store import RuleStore

EVENTS = 2 * PIECE + 50
BUS = "arn:aws:events:us-east-1:123456789012:event-bus/default"


class Sent:
    """What a bus was given; fails when told so."""

    def __init__(self) -> None:
        self.minutes: list[int] = []
        self.fails_after: int | None = None

    def __call__(self, _bus: str, event: Body, _only: Sequence[str]) -> None:
        if self.fails_after is not None and len(self.minutes) >= self.fails_after:
            raise OSError("full")
        self.minutes.append(event["detail"]["minute"])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ArchiveStore]:
    """An archive with an event in each of many minutes, that arrived in no order, and a replay of them all."""
    records, arns = Records(tmp_path / "state.db"), Arns("123456789012", "us-east-1")
    store = ArchiveStore(RuleStore(records, arns), arns)
    store.put({"ArchiveName": "a", "ArchiveArn": store.arn("a"), "EventSourceArn": BUS, "RetentionDays": 0,
               "CreationTime": 0.0, "_id": "1"})  # fmt: skip
    minutes = list(range(EVENTS))
    random.Random(1).shuffle(minutes)
    for minute in minutes:
        store.keep("a", {"id": str(minute), "time": iso(60.0 * minute)[:19] + "Z", "detail": {"minute": minute}})
    records.put(REPLAY, "r", {"ReplayName": "r", "State": "STARTING", "EventSourceArn": store.arn("a"),
                              "EventStartTime": 0.0, "EventEndTime": 60.0 * EVENTS, "Destination": {"Arn": BUS},
                              "ReplayStartTime": 0.0})  # fmt: skip
    yield store
    records.close()


def state(store: ArchiveStore) -> str:
    return str((store.records.get(REPLAY, "r") or {})["State"])


def test_a_replay_goes_on_after_a_restart_where_it_was(store: ArchiveStore) -> None:
    sent = Sent()
    assert ReplayRunner(store, sent).advance()
    assert (state(store), len(sent.minutes)) == ("RUNNING", PIECE)
    again = ReplayRunner(store, sent)
    assert again.advance()
    assert not again.advance()
    assert (state(store), sent.minutes) == ("COMPLETED", list(range(EVENTS)))
    assert not again.advance()


def test_a_piece_that_could_not_be_written_is_sent_again(store: ArchiveStore) -> None:
    sent = Sent()
    runner = ReplayRunner(store, sent)
    runner.advance()
    sent.fails_after = PIECE + 10
    with pytest.raises(OSError, match="full"):
        runner.advance()
    sent.fails_after = None
    while runner.advance():
        pass
    assert sent.minutes[PIECE + 10 :] == list(range(PIECE, EVENTS))
    assert state(store) == "COMPLETED"


@pytest.mark.parametrize("begun", [False, True])
def test_a_cancelled_replay_sends_no_more(store: ArchiveStore, *, begun: bool) -> None:
    sent = Sent()
    runner = ReplayRunner(store, sent)
    if begun:
        runner.advance()
    store.records.update(REPLAY, "r", lambda replay: {**replay, "State": "CANCELLING"})
    assert not runner.advance()
    assert (state(store), len(sent.minutes)) == ("CANCELLED", PIECE if begun else 0)


def test_a_replay_fails_without_its_archive(store: ArchiveStore) -> None:
    store.delete(store.require("a"))
    assert not ReplayRunner(store, Sent()).advance()
    assert state(store) == "FAILED"
