"""The thread that begins executions when their time has come by the service's clock, and moves them on.

Of the times that passed while the clock jumped, or while the service was down, only the newest is run; the log and
`local-sagemaker monitor list` say how many were missed.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from local_sagemaker.api.operations import Call
from local_sagemaker.background import log_failure
from local_sagemaker.clock import iso, now, on_move
from local_sagemaker.config import Settings
from local_sagemaker.errors import ResourceNotFound
from local_sagemaker.events import Event
from local_sagemaker.monitoring import schedule_times
from local_sagemaker.monitoring.job_requests import place_of
from local_sagemaker.monitoring.schedule_times import DAY
from local_sagemaker.monitoring.windows import AnalysisWindow
from local_sagemaker.records.kinds import MONITORING_SCHEDULE, PROCESSING_JOB
from local_sagemaker.records.own_members import MonitoringScheduleRecord, own_monitoring_run, own_monitoring_schedule
from local_sagemaker.records.status import JobStatus, ScheduleStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.sagemaker.monitoring.alerts import MonitoringAlerts
from local_sagemaker.services.sagemaker.monitoring.execution_records import ExecutionRecords
from local_sagemaker.services.sagemaker.monitoring.execution_steps import ExecutionSteps, definition_of

log = logging.getLogger(__name__)
IDLE = 30.0
"""Seconds after which the thread looks again though nothing happened."""


class ScheduleRuns:
    """One region's schedules at work. `flush` writes out what endpoints have captured so far."""

    def __init__(
        self, *, settings: Settings, executions: ExecutionRecords, call: Call, flush: Callable[[], None]
    ) -> None:
        self._settings, self._executions, self._call, self._flush = settings, executions, call, flush
        self._records = executions.records
        alerts = MonitoringAlerts(records=self._records)

        def update_alert(schedule: str) -> None:
            with suppress(ResourceNotFound):  # a schedule that was deleted in the meantime
                alerts.look(schedule)

        self._steps = ExecutionSteps(executions=executions, call=call, ended=update_alert)
        self._signal, self._ended = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._unfinished: set[str] = set()
        self._ends = [self._records.events.subscribe(self._notice), on_move(self.wake)]

    def adopt(self) -> None:
        """Remembers the executions that a stop or a crash interrupted."""
        self._unfinished = set(self._executions.list_unfinished())

    def start(self) -> None:
        """Begins to work; called once the service serves requests."""
        if self._thread is None:
            self.adopt()
            self._ended.clear()
            self._thread = threading.Thread(target=self._run, name=f"monitoring-{self._settings.region}", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends the thread; everything is in the records."""
        self._ended.set()
        self._signal.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=10)
        self._unfinished = set()

    def close(self) -> None:
        """Ends the thread for good."""
        self.stop()
        for end in self._ends:
            end()

    def wake(self) -> None:
        """Makes the thread look again."""
        self._signal.set()

    def begin(self, schedule: Body, scheduled: float, *, due: bool = False) -> str:
        """Adds an execution for a time; its key. One that is not due has a place of its own beside an earlier one's."""
        name, config = schedule["MonitoringScheduleName"], schedule["MonitoringScheduleConfig"]
        window = self._window(config, scheduled)
        place = place_of(scheduled)
        places = {own_monitoring_run(body)["_place"] for _, body in self._executions.items(name)}
        if not due and place in places:
            place = f"{place}/{datetime.fromtimestamp(scheduled, UTC):%M%S}"
        moment = datetime.fromtimestamp(scheduled, UTC).strftime("%Y%m%d%H%M")
        key = self._executions.add(
            schedule, scheduled, _config=config, _window=[window.start, window.end], _phase="new", _place=place,
            _ending=f"{moment}-{secrets.token_hex(12)}",
        )  # fmt: skip
        self._unfinished.add(key)
        return key

    def _window(self, config: Body, scheduled: float) -> AnalysisWindow:
        timing = config.get("ScheduleConfig")
        timetable = schedule_times.parse(timing)
        if timetable is None:
            start, end = schedule_times.check_now(timing or {})
            return AnalysisWindow.of_whole_seconds(scheduled + start, scheduled + end)
        window = AnalysisWindow(scheduled - timetable.period, scheduled)
        source = config.get("MonitoringJobDefinition", {}).get("MonitoringInputs", [{}])[0].get("EndpointInput", {})
        if "MonitoringJobDefinitionName" in config:
            source = definition_of(config, self._call).source
        return window.with_offsets(source)

    def _notice(self, event: Event) -> None:
        ended = event.status in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPED)
        if self._unfinished and event.kind == PROCESSING_JOB.kind and ended and event.region == self._settings.region:
            self._signal.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._signal.clear()
            pause = IDLE
            with log_failure(log, "monitoring of %s", self._settings.region):
                pause = self._look()
            self._signal.wait(max(0.01, pause))

    def _look(self) -> float:
        """Begins what is due and moves on what has begun; seconds until something is due."""
        for body in self._records.list(MONITORING_SCHEDULE.kind):
            with log_failure(log, "schedule %s", body["MonitoringScheduleName"]):
                self._look_at(body)
        for key in sorted(self._unfinished):
            if self._ended.is_set():
                return IDLE
            with log_failure(log, "execution %s", key):
                self._advance(key)
        schedules = self._records.list(MONITORING_SCHEDULE.kind)
        times = [due for body in schedules if (due := own_monitoring_schedule(body).get("_due"))]
        return min([IDLE, *(time - now() for time in times if time > now())])

    def _advance(self, key: str) -> None:
        body = self._executions.get(key)
        if body is not None and own_monitoring_run(body)["_phase"] == "new":
            self._flush()
        while body is not None and not self._steps.advance(key):
            before, body = body, self._executions.get(key)
            if body is None or own_monitoring_run(body)["_phase"] == own_monitoring_run(before)["_phase"]:
                return
        self._unfinished.discard(key)

    def _look_at(self, body: Body) -> None:
        name, due = body["MonitoringScheduleName"], own_monitoring_schedule(body).get("_due")
        if body["MonitoringScheduleStatus"] == ScheduleStatus.PENDING:
            self._update(name, {"MonitoringScheduleStatus": ScheduleStatus.SCHEDULED, "LastModifiedTime": now()})
        if (
            due is None
            or due > now()
            or body["MonitoringScheduleStatus"] == ScheduleStatus.STOPPED
            or self._executions.busy(name)
        ):
            return
        timetable = schedule_times.parse(body["MonitoringScheduleConfig"].get("ScheduleConfig"))
        newest = due if timetable is None else timetable.last(now())
        missed = 0
        while timetable is not None and due < newest and missed < DAY:
            due, missed = timetable.next(due), missed + 1
        if missed:
            log.warning("schedule %s: %d times were missed; the one of %s is run", name, missed, iso(newest))
        with self._records.transaction():
            self.begin(body, newest, due=True)
            following = None if timetable is None else timetable.next(newest)
            missed += own_monitoring_schedule(body).get("_missed", 0)
            self._update(name, {**MonitoringScheduleRecord(_due=following, _missed=missed)})

    def _update(self, name: str, members: Body) -> None:
        self._records.update(MONITORING_SCHEDULE.kind, name, lambda body: {**body, **members})
