"""What a replay sends, a piece at a time: what was sent is written down with it, so that a restart repeats nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from local_sagemaker.background import is_passing
from local_sagemaker.clock import now
from local_sagemaker.records.own_members import ReplayRecord, own_replay
from local_sagemaker.records.status import ReplayState
from local_sagemaker.records.store import Body
from local_sagemaker.services.events.archive_store import ARCHIVE, REPLAY, ArchiveStore
from local_sagemaker.services.events.replays import ACTIVE

log = logging.getLogger(__name__)
PIECE = 100
"""Events between two looks at whether the replay was cancelled."""
Place = tuple[int, float, str]
"""Where an event stands in a replay: its minute, when it was archived, its id."""
Dispatch = Callable[[str, Body, Sequence[str]], None]
"""Gives an event to a bus, for the rules of these ARNs alone if there are any."""


class ReplayRunner:
    """Carries a region's replays on."""

    def __init__(self, store: ArchiveStore, dispatch: Dispatch) -> None:
        self._store, self._records, self._dispatch = store, store.records, dispatch
        self._left: dict[str, list[tuple[Place, float, Body]]] = {}

    def forget(self) -> None:
        """Drops what is kept in memory."""
        self._left.clear()

    def advance(self) -> bool:
        """Sends a piece of each replay. Says whether there is more; a replay that is at fault itself ends as failed.

        Raises what the machine is to blame for, once all replays were looked at.
        """
        active = [name for name, replay in self._records.items(REPLAY) if replay["State"] in ACTIVE]
        for name in self._left.keys() - set(active):
            del self._left[name]
        more = False
        failure: Exception | None = None
        for name in active:
            try:
                more |= self._attempt(name)
            except Exception as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return more

    def _attempt(self, name: str) -> bool:
        try:
            return self._advance(name)
        except Exception as error:
            if is_passing(error):
                raise
            log.warning("replay %s fails", name, exc_info=error)
            end = {"State": ReplayState.FAILED, "StateReason": str(error), "ReplayEndTime": now()}
            self._records.update(REPLAY, name, lambda replay: {**replay, **end})
            return False

    def _advance(self, name: str) -> bool:
        with self._records.transaction():
            replay = self._records.get(REPLAY, name)
            if replay is None or replay["State"] not in ACTIVE:
                return False
            if replay["State"] == ReplayState.CANCELLING:
                return self._end(name, replay, ReplayState.CANCELLED)
            archive = self._records.get(ARCHIVE, replay["EventSourceArn"].rpartition("/")[2])
            if archive is None:
                replay["StateReason"] = "The archive was deleted."
                return self._end(name, replay, ReplayState.FAILED)
            if name not in self._left:
                self._left[name] = self._select(replay, archive)
            left = self._left[name]
            bus = self._store.rules.bus(replay["Destination"]["Arn"])
            for place, time, event in left[:PIECE]:
                self._dispatch(bus, {**event, "replay-name": name}, replay["Destination"].get("FilterArns", ()))
                replay |= {**ReplayRecord(_place=place), "EventLastReplayedTime": time}
            if len(left) <= PIECE:
                return self._end(name, replay, ReplayState.COMPLETED)
            self._records.put(REPLAY, name, {**replay, "State": ReplayState.RUNNING})
        del left[:PIECE]  # after the commit: what is not written down is sent again
        return True

    def _select(self, replay: Body, archive: Body) -> list[tuple[Place, float, Body]]:
        """What is to be sent: the minutes one after the other by the events' own times, as archived within each."""
        events = []
        for kept in self._store.kept(archive):
            event = kept["event"]
            time = datetime.fromisoformat(event["time"]).timestamp()
            if replay["EventStartTime"] <= time < replay["EventEndTime"]:
                events.append(((int(time // 60), kept["CreationTime"], event["id"]), time, event))
        events.sort(key=lambda row: row[0])
        done = tuple(own_replay(replay)["_place"]) if "_place" in replay else None
        return [row for row in events if done is None or row[0] > done]

    def _end(self, name: str, replay: Body, state: ReplayState) -> bool:
        self._records.put(REPLAY, name, {**replay, "State": state, "ReplayEndTime": now()})
        return False
