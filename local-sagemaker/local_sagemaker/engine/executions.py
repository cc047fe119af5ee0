"""The executions that run now: one thread each, started, resumed after a crash, and ended with the service."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.clock import now
from local_sagemaker.engine.callback_tokens import Deliveries
from local_sagemaker.engine.definition import Definition, parse
from local_sagemaker.engine.execution import Execution
from local_sagemaker.engine.job_listener import Watch
from local_sagemaker.engine.journal import Journal
from local_sagemaker.engine.step_log import attempt_note, write_note
from local_sagemaker.engine.steps.step_type import StepContext
from local_sagemaker.logs import Logs
from local_sagemaker.objects.types import Objects
from local_sagemaker.records import Records

log = logging.getLogger(__name__)
_FULL_DISK_PAUSE = 1.0


class Executions:
    """Threads of running executions, by record key."""

    def __init__(self, *, records: Records, objects: Objects, logs: Logs, call: Call) -> None:
        self._records = records
        self._context = StepContext(call, objects, Deliveries(records))
        self._logs = logs
        self._watch = Watch(records.events)
        self._running: dict[str, tuple[Execution, threading.Thread]] = {}
        self._lock = threading.Lock()

    def start(self, key: str, definition: Definition | str) -> None:
        """Runs an execution whose record is written, from the beginning or from where its step records say."""
        parsed = parse(definition) if isinstance(definition, str) else definition
        execution = self._new(key, parsed)
        thread = threading.Thread(target=self._run, args=(key, parsed, execution), name=f"execution-{key}", daemon=True)
        with self._lock:
            self._running[key] = (execution, thread)
        thread.start()

    def note_retried(self, arn: str, steps: Iterable[Mapping[str, Any]]) -> None:
        """Notes in the logs of the steps that a retry runs again how their last attempt ended; `arn` is the
        execution's, `steps` are their records. A full disk loses the notes, not the retry, which is recorded."""
        pipeline, _, identifier = arn.partition(":pipeline/")[2].partition("/execution/")
        for step in steps:
            text = attempt_note(step, step.get("FailureReason", ""), step.get("EndTime") or now())
            try:
                write_note(self._logs, f"{pipeline}/{identifier}/{step['StepName']}", text)
            except OSError as error:
                log.warning("the log of step %s of %s: %s", step["StepName"], arn, error)

    def refresh(self, key: str) -> None:
        """Notifies an execution that its record was changed (to stop, or another parallelism)."""
        with self._lock:
            entry = self._running.get(key)
        if entry:
            entry[0].refresh()

    def end_all(self) -> None:
        """Ends all threads; the executions stay as they are written down."""
        with self._lock:
            running = list(self._running.values())
        for execution, _ in running:
            execution.close()
        for _, thread in running:
            thread.join(timeout=10)

    def close(self) -> None:
        """Ends all threads, for good."""
        self.end_all()
        self._watch.close()

    def _new(self, key: str, definition: Definition) -> Execution:
        return Execution(
            definition,
            Journal(self._records, key),
            context=self._context,
            logs=self._logs,
            watch=self._watch,
        )

    def _run(self, key: str, definition: Definition, execution: Execution) -> None:
        while not execution.run():  # the disk is full: continue from the records, until there is space
            if execution.closing.wait(_FULL_DISK_PAUSE):
                break
            with self._lock:
                if self._running.get(key, (None,))[0] is not execution:
                    return
                execution = self._new(key, definition)
                self._running[key] = (execution, threading.current_thread())
        with self._lock:
            if self._running.get(key, (None,))[0] is execution:
                del self._running[key]
