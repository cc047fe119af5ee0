"""The thread that makes schedules' requests when they are due by the service's clock, again with back-off.

A request is written down before it is made: after a restart it is made again, at least once as on AWS. Of the times
that passed while the service was down, or while its clock jumped, the newest is made up for, once.
"""

from __future__ import annotations

import logging
import threading
import uuid

from local_sagemaker.api.operations import Call
from local_sagemaker.background import log_failure
from local_sagemaker.clock import iso, now, on_move
from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import JsonError
from local_sagemaker.records.own_members import ScheduleRecord, own_schedule
from local_sagemaker.records.status import SwitchState
from local_sagemaker.records.store import Body
from local_sagemaker.services.events.targets import fault, is_final, send_dead_letter
from local_sagemaker.services.scheduler.requests import send, text_of
from local_sagemaker.services.scheduler.store import FIRED, ScheduleStore
from local_sagemaker.services.scheduler.times import delay, next_time

log = logging.getLogger(__name__)
IDLE, FIRST_PAUSE, LONGEST_PAUSE = 30.0, 1.0, 60.0
"""Seconds: between two looks without a sign, and between two tries of a request."""
LATE = 90.0
"""Seconds behind its time from which a request counts as late."""


class ScheduleRunner:
    """Looks at the clock for all schedules of a region."""

    def __init__(self, store: ScheduleStore, call: Call) -> None:
        self._store, self._call = store, call
        self._signal, self._ended = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._faults: dict[str, float] = {}
        on_move(self.wake)

    def wake(self) -> None:
        """Has the thread look now."""
        self._signal.set()

    def start(self) -> None:
        """Begins."""
        if self._thread is None:
            self._ended.clear()
            self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends; what is due is made up for at the next start."""
        self._ended.set()
        self.wake()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=10)

    def _run(self) -> None:
        while not self._ended.is_set():
            pause = FIRST_PAUSE
            with log_failure(log, "schedules"):
                self._look()
                pause = self._pause()
            self._signal.wait(pause)
            self._signal.clear()

    def _pause(self) -> float:
        times: list[float] = [
            due
            for body in self._store.schedules()
            if (due := _due(body)) is not None and _key(body) not in self._faults
        ]
        times += [body["at"] for body in self._store.records.list(FIRED)]
        return max(0.05, min([IDLE, *(time - now() for time in times)]))

    def _look(self) -> None:
        moment = now()
        for body in self._store.schedules():
            if (due := _due(body)) is not None and due <= moment:
                self._attempt(body, due, moment)
        for key, fired in self._store.records.items(FIRED):
            if fired["at"] <= moment and not self._ended.is_set():
                with log_failure(log, "request %s", key):
                    self._send(key, fired)

    def _attempt(self, body: Body, due: float, moment: float) -> None:
        """Takes a schedule in; one that fails is looked at again a little later, and keeps no other back."""
        key = _key(body)
        if self._faults.get(key, moment) > moment:
            return
        self._faults.pop(key, None)
        with log_failure(log, "schedule %s", body["Name"]) as end:
            self._write(body, due, moment)
        if end.failed:
            self._faults[key] = moment + IDLE

    def _write(self, body: Body, time: float, moment: float) -> None:
        """Writes down what is due, for the newest of the times that have passed, and when it is due next."""
        read, body = body, dict(body)
        own_schedule(body).setdefault("_first", time)
        following = next_time(body, time)
        passed = 0
        while following is not None and following <= moment:
            time, following, passed = following, next_time(body, following), passed + 1
        late = moment - time > LATE or passed > 0
        if late:
            log.warning("schedule %s: late for %s, %d earlier times are left out", body["Name"], iso(time), passed)
        fired: Body = {"id": str(uuid.uuid4()), "schedule": body, "time": time, "tries": 0, "at": time + delay(body),
                 "late": late}  # fmt: skip
        with self._store.records.transaction():
            if self._store.find(body["GroupName"], body["Name"]) != read:
                return  # it was changed or deleted in the meantime: the next look takes it as it is
            age = body["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"]
            if moment - time <= age:
                self._store.records.put(FIRED, fired["id"], fired)
            if following is None and body["ActionAfterCompletion"] == "DELETE":
                self._store.delete(body["GroupName"], body["Name"])
            else:
                self._store.put({**body, **ScheduleRecord(_due=following)})

    def _send(self, key: str, fired: Body) -> None:
        body = fired["schedule"]
        try:
            send(self._call, body, fired)
        except JsonError as error:
            self._give_up(key, fired, ServiceError(str(error), code="ValidationException", status=400))
        except ServiceError as error:
            self._retry(key, fired, error)
        except Exception:
            log.exception("schedule %s", body["Name"])
            self._retry(key, fired, fault())
        else:
            self._store.records.delete(FIRED, key)

    def _retry(self, key: str, fired: Body, error: ServiceError) -> None:
        body, tries = fired["schedule"], fired["tries"] + 1
        policy = body["Target"]["RetryPolicy"]
        log.warning("schedule %s: %s", body["Name"], error.message)
        if is_final(error):
            self._give_up(key, fired, error)
        elif tries > policy["MaximumRetryAttempts"]:
            self._give_up(key, fired, error, "MaximumRetryAttempts")
        elif now() - fired["time"] > policy["MaximumEventAgeInSeconds"]:
            self._give_up(key, fired, error, "MaximumEventAgeInSeconds")
        else:
            at = now() + min(FIRST_PAUSE * 2 ** min(tries - 1, 10), LONGEST_PAUSE)
            self._store.records.put(FIRED, key, {**fired, "tries": tries, "at": at})

    def _give_up(self, key: str, fired: Body, error: ServiceError, condition: str = "") -> None:
        """Is done with a request; what it would have sent goes to the schedule's dead letters (user guide)."""
        body = fired["schedule"]
        arn = body["Target"].get("DeadLetterConfig", {}).get("Arn")
        attributes = {
            "SCHEDULE_ARN": body["Arn"], "TARGET_ARN": body["Target"]["Arn"], "EXECUTION_ID": fired["id"],
            "SCHEDULED_TIME": iso(fired["time"])[:19] + "Z", "ERROR_CODE": error.code, "ERROR_MESSAGE": error.message,
            "RETRY_ATTEMPTS": str(fired["tries"]), "EXHAUSTED_RETRY_CONDITION": condition,
            "IS_PAYLOAD_TRUNCATED": "false",
        }  # fmt: skip
        if arn:
            with log_failure(log, "dead letter of schedule %s", body["Name"]):
                send_dead_letter(self._call, arn, text_of(body, fired), attributes)
        self._store.records.delete(FIRED, key)


def _due(body: Body) -> float | None:
    """When a schedule fires next, None for one that doesn't."""
    return own_schedule(body).get("_due") if body["State"] == SwitchState.ENABLED else None


def _key(body: Body) -> str:
    return f"{body['GroupName']}/{body['Name']}"
