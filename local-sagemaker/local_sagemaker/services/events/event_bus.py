"""What happens to events: matched by rules, sent to targets at once, again with back-off, and kept as history.

What is to be sent is written down with the event's place in the log of changes, so that a restart loses nothing and
repeats only what it was in the middle of: delivery is at least once, as on AWS.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.background import leave_out, log_failure
from local_sagemaker.clock import iso, now, on_move
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError
from local_sagemaker.eventbridge import schedules
from local_sagemaker.eventbridge.target_input import UnfitInput, text_for
from local_sagemaker.events import Event
from local_sagemaker.objects.event_notifications import ObjectChange, ObjectChanges
from local_sagemaker.records.own_members import DeliveredTarget, own_rule
from local_sagemaker.records.status import SwitchState, TargetStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.events.archive_store import ArchiveStore
from local_sagemaker.services.events.code_events import code_events_of, source_of
from local_sagemaker.services.events.object_events import SOURCE, object_event
from local_sagemaker.services.events.replay_runner import ReplayRunner
from local_sagemaker.services.events.rule_store import DEFAULT, DELIVERY, HISTORY, KEPT, RuleStore
from local_sagemaker.services.events.sagemaker_events import SOURCES, events_of
from local_sagemaker.services.events.step_events import step_events_of
from local_sagemaker.services.events.targets import fault, is_final, send_dead_letter, sender_of

log = logging.getLogger(__name__)
_PLACE, _KIND = "place", "event-log-place"
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two tries of a delivery: doubled each time."""
IDLE = 30.0
"""Seconds after which the thread looks again though nothing happened."""
EXPIRY = 3600.0
"""Seconds between two looks for what archives hold no longer; each reading of an archive looks, too."""


class EventBus:
    """One region's buses: a thread that reads the log of changes, fires scheduled rules and sends to targets."""

    def __init__(
        self, *, settings: Settings, store: RuleStore, archives: ArchiveStore, call: Call, changes: ObjectChanges
    ) -> None:
        self._settings, self._store, self._archives, self._call = settings, store, archives, call
        self._replays = ReplayRunner(archives, self._dispatch)
        self._expiry = 0.0
        self._records = store.records
        self._signal: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._unsubscribe = self._records.events.subscribe(self._notice)
        self._end_objects = changes.subscribe(self._take_in_object)
        self._end_listening = on_move(self.wake)
        self._waiting: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._kept: int | None = None

    def start(self) -> None:
        """Begins to work; called when requests are served. What a restart interrupted is sent first."""
        if self._thread is None:
            self._waiting = {key: 0.0 for key, _ in self._records.items(DELIVERY)}
            self._ended.clear()
            self._thread = threading.Thread(target=self._run, name=f"events-{self._settings.region}", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends the thread; what is written down is sent at the next start."""
        self._ended.set()
        self._signal.put(True)
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=10)
        self._due.clear()
        self._replays.forget()
        self._kept = None

    def close(self) -> None:
        """Ends the thread for good."""
        self.stop()
        self._unsubscribe()
        self._end_objects()
        self._end_listening()

    def wake(self) -> None:
        """Makes the thread look again: a rule has changed."""
        self._signal.put(True)

    def _notice(self, event: Event) -> None:
        if event.region == self._settings.region:
            self._signal.put(True)

    def _take_in_object(self, change: ObjectChange) -> None:
        """Writes down what is to be sent of an object before its change is acknowledged."""
        if change.region == self._settings.region:
            with log_failure(log, "the event of s3://%s/%s", change.item.bucket, change.item.key):
                kind, resources, detail = object_event(change, self._settings.arns)
                self.put(DEFAULT, self.new_event(SOURCE, kind, resources, detail))

    def put(self, bus: str, event: Body) -> None:
        """Takes an event that a client sent, or a service made."""
        self._dispatch(bus, event)
        self._signal.put(True)

    def new_event(self, source: str, kind: str, resources: list[str], detail: Any, time: float | None = None) -> Body:
        """An event's envelope."""
        return {
            "version": "0", "id": str(uuid.uuid4()), "detail-type": kind, "source": source,
            "account": self._settings.account, "time": iso(time or now())[:19] + "Z", "region": self._settings.region,
            "resources": resources, "detail": detail,
        }  # fmt: skip

    def _run(self) -> None:
        while not self._ended.is_set():
            more = failed = False
            for work in (self._read_log, self._fire_schedules, self._expire, self._replays.advance, self._send_due):
                with log_failure(log, "events of %s", self._settings.region) as end:  # a full disk ends no deliveries
                    more |= bool(work())
                failed |= end.failed
            if failed:
                self._ended.wait(FIRST_PAUSE)
            elif not more:
                self._wait()

    def _wait(self) -> None:
        times = [*self._waiting.values(), *self._due.values()]
        pause = min([IDLE, *(time - now() for time in times)])
        try:
            self._signal.get(timeout=max(0.0, pause))
            while True:
                self._signal.get_nowait()
        except queue.Empty:
            pass

    def _expire(self) -> None:
        if self._expiry <= now():
            self._archives.expire_all()
            self._expiry = now() + EXPIRY

    def _read_log(self) -> None:
        """Makes events of what changed since the last look; the place in the log moves with what is to be sent."""
        place = self._records.get(_KIND, _PLACE)
        number = int(place["number"]) if place else self._records.event_log.newest()
        while not self._ended.is_set():
            changes = self._records.event_log.after(number, region=self._settings.region)
            if not changes and place is not None:
                return
            with self._records.transaction():
                for change in changes:
                    with leave_out(log, "events of %s", change.arn):
                        self._take_in(change)
                    number = change.number
                place = {"number": number}
                self._records.put(_KIND, _PLACE, place)
            if not changes:
                return

    def _take_in(self, change: Event) -> None:
        source = SOURCES.get(change.kind) or source_of(change)
        made = events_of(change, self._tags) + step_events_of(change, self._records.get)
        for kind, resources, detail in made + code_events_of(change):
            self._dispatch(DEFAULT, self.new_event(source, kind, resources, detail, change.time))

    def _tags(self, arn: str) -> Mapping[str, str]:
        body = self._records.get("tags", arn.lower()) or {}
        return {key: value for key, value in body.items() if isinstance(value, str)}

    def _fire_schedules(self) -> None:
        """Fires the rules whose time has come. A rule's first time is counted from when it is first seen."""
        present = set()
        for rule in self._store.rules(DEFAULT):
            expression = rule.get("ScheduleExpression")
            if not expression or rule["State"] == SwitchState.DISABLED:
                continue
            key = f"{rule['Name']}|{expression}"
            present.add(key)
            with log_failure(log, "the schedule of rule %s", rule["Name"]) as end:
                self._fire(key, rule)
            if end.failed:
                self._due[key] = now() + LONGEST_PAUSE
        for key in self._due.keys() - present:
            del self._due[key]

    def _fire(self, key: str, rule: Body) -> None:
        if key in self._due and self._due[key] <= now():
            event = self.new_event("aws.events", "Scheduled Event", [rule["Arn"]], {}, self._due[key])
            self._write_deliveries(event, [rule])
            del self._due[key]
        if key not in self._due:
            following = schedules.parse(rule["ScheduleExpression"]).next(now(), rule["CreationTime"])
            if following is not None:
                self._due[key] = following

    def _dispatch(self, bus: str, event: Body, only: Sequence[str] = ()) -> None:
        rules = [rule for rule in self._store.matching(bus, event) if not only or rule["Arn"] in only]
        self._write_deliveries(event, rules)

    def _write_deliveries(self, event: Body, rules: list[Body]) -> None:
        targets = [(rule, target) for rule in rules for target in own_rule(rule)["_targets"]]
        with self._records.transaction():
            history = {"event": event, "rules": [rule["Name"] for rule in rules], "deliveries": [], "time": now()}
            self._records.put(HISTORY, _history_key(event), history)
            self._trim()
            for rule, target in targets:
                if "_archive" in rule:
                    self._archives.keep(own_rule(rule)["_archive"], event)
                    continue
                key = str(uuid.uuid4())
                body = {"event": event, "rule": rule["Name"], "arn": rule["Arn"], "target": target, "tries": 0,
                        "since": now()}  # fmt: skip
                self._records.put(DELIVERY, key, body)
                self._waiting[key] = 0.0

    def _trim(self) -> None:
        count = self._records.count_below(HISTORY, "") if self._kept is None else self._kept + 1
        if count > KEPT + KEPT // 10:
            self._records.delete_oldest(HISTORY, count - KEPT)
            count = KEPT
        self._kept = count

    def _send_due(self) -> None:
        for key in [key for key, time in self._waiting.items() if time <= now()]:
            if self._ended.is_set():
                return
            with log_failure(log, "delivery %s", key) as end:
                body = self._records.get(DELIVERY, key)
                if body is None:
                    self._waiting.pop(key, None)
                else:
                    self._send(key, body)
            if end.failed:
                self._waiting[key] = now() + FIRST_PAUSE

    def _send(self, key: str, body: Body) -> None:
        target, event = body["target"], body["event"]
        sender = sender_of(target["Arn"])
        rule = {"name": body["rule"], "arn": body["arn"], "ingestion": iso(body["since"])[:19] + "Z"}
        try:
            if sender is None:
                raise ServiceError(f"No target {target['Arn']}.", code="NotFound", status=400)
            result = sender[0](self._call, {**target, **DeliveredTarget(_delivery=key)}, text_for(target, event, rule))
        except UnfitInput as error:
            self._give_up(key, body, ServiceError(str(error), code="INVALID_JSON", status=400))
        except ServiceError as error:
            self._record_failure(key, body, error)
        except Exception:
            log.exception("event %s to %s", event["id"], target["Arn"])
            self._record_failure(key, body, fault())
        else:
            self._settle(key, body, {"status": TargetStatus.DELIVERED, "result": result})

    def _record_failure(self, key: str, body: Body, error: ServiceError) -> None:
        policy = body["target"].get("RetryPolicy", {})
        tries, age = body["tries"] + 1, now() - body["since"]
        most, oldest = policy.get("MaximumRetryAttempts", 185), policy.get("MaximumEventAgeInSeconds", 86_400)
        if is_final(error):
            self._give_up(key, body, error)
        elif tries > most or age > oldest:
            condition = "MaximumRetryAttempts" if tries > most else "MaximumEventAgeInSeconds"
            self._give_up(key, body, error, condition)
        else:
            self._records.put(DELIVERY, key, {**body, "tries": tries, "reason": _reason(error)})
            self._waiting[key] = now() + min(FIRST_PAUSE * 2 ** min(tries - 1, 10), LONGEST_PAUSE)
            log.warning("event %s to %s: %s", body["event"]["id"], body["target"]["Arn"], _reason(error))

    def _give_up(self, key: str, body: Body, error: ServiceError, condition: str = "") -> None:
        """Sends an event to the dead letters of its target, if there are any, and is done with it."""
        arn = body["target"].get("DeadLetterConfig", {}).get("Arn")
        attributes = {
            "RULE_ARN": body["arn"], "TARGET_ARN": body["target"]["Arn"], "ERROR_CODE": error.code,
            "ERROR_MESSAGE": error.message, "RETRY_ATTEMPTS": str(body["tries"]),
            "EXHAUSTED_RETRY_CONDITION": condition,
        }  # fmt: skip
        if arn:
            with log_failure(log, "dead letter of event %s", body["event"]["id"]):
                send_dead_letter(self._call, arn, json.dumps(body["event"]), attributes)
        self._settle(key, body, {"status": TargetStatus.FAILED, "reason": _reason(error)})

    def _settle(self, key: str, body: Body, outcome: Body) -> None:
        entry = {"rule": body["rule"], "target": body["target"]["Arn"], "tries": body["tries"] + 1, **outcome}

        def note(history: Body) -> None:
            history["deliveries"].append(entry)

        with self._records.transaction():
            self._records.delete(DELIVERY, key)
            self._records.update(HISTORY, _history_key(body["event"]), note)
        self._waiting.pop(key, None)


def _history_key(event: Body) -> str:
    """An event's id; a replayed event, which has the id of the original, is another line of the history."""
    return ":".join([event["id"], *([event["replay-name"]] if "replay-name" in event else [])])


def _reason(error: ServiceError) -> str:
    return f"{error.code}: {error.message}"
