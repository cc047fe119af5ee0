"""One pipeline execution: start what is ready, wait for an event, write down what happened, again.

One thread an execution, no polling: the thread sleeps until a job's event, a retry's time, or a request to stop.
What a step is about to make is written down before it is made, so that an execution that was killed continues.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from local_sagemaker.clock import now
from local_sagemaker.engine import experiments
from local_sagemaker.engine.attempts import Attempts
from local_sagemaker.engine.definition import Definition, Step
from local_sagemaker.engine.graph import graph
from local_sagemaker.engine.job_listener import Watch
from local_sagemaker.engine.journal import Journal, Record
from local_sagemaker.engine.property_metrics import METRICS, metric_pairs
from local_sagemaker.engine.readiness import StepDecision, StepState, steps_in_error, verdict
from local_sagemaker.engine.retry import delay
from local_sagemaker.engine.scope import ExecutionScope, Results
from local_sagemaker.engine.selective import restrict
from local_sagemaker.engine.steps.step_type import STOPPED, ExecutionInfo, StepContext, StepResult, StepRun
from local_sagemaker.errors import ServiceError, says_full
from local_sagemaker.logs import Logs
from local_sagemaker.records.own_members import StepRecord, own_execution, own_step
from local_sagemaker.records.status import ExecutionStatus, StepStatus

_LOG = logging.getLogger(__name__)
_STATES = {
    StepStatus.SUCCEEDED: StepState.SUCCEEDED,
    StepStatus.FAILED: StepState.FAILED,
    StepStatus.STOPPED: StepState.STOPPED,
}
STEPS_FAILED = "Step failure: One or multiple steps failed."


class Execution:
    """Runs one execution in the calling thread (`run`); the other public methods may be called from any thread."""

    def __init__(
        self,
        definition: Definition,
        journal: Journal,
        *,
        context: StepContext,
        logs: Logs,
        watch: Watch,
    ) -> None:
        body = journal.execution() or {}
        self._definition, self._journal, self._context = definition, journal, context
        self._info = execution_info(body)
        self._values = own_execution(body).get("_values", {})
        self._tries = own_execution(body).get("_attempts", {})
        self._nodes = restrict(graph(definition), body.get("SelectiveExecutionConfig"))
        self._dependents: dict[str, list[str]] = {}
        for name, node in self._nodes.items():
            for upstream in node.upstream:
                self._dependents.setdefault(upstream, []).append(name)
        self._states = dict.fromkeys(self._nodes, StepState.WAITING)
        self._records: dict[str, Record] = {}
        self._results = Results(definition, self._records, context)
        self._attempts = Attempts(journal=journal, watch=watch, logs=logs)
        self._runs: dict[str, StepRun] = {}
        self._fresh: deque[str] = deque(self._nodes)
        self._ready: deque[str] = deque()
        self._retries: dict[str, float] = {}
        self._messages: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._limit: int | None = None
        self._halted = False
        self._failed_while_stopping = False
        self.closing = threading.Event()  # set by `close`

    def refresh(self) -> None:
        """Reads the execution's record again: it was requested to stop, or its parallelism was changed."""
        self._messages.put(self._refresh)

    def close(self) -> None:
        """Ends the thread and leaves everything as it is, to be resumed."""
        self.closing.set()
        self._messages.put(lambda: None)

    def run(self) -> bool:
        """Runs to the end (or to `close`).

        False when the disk was full: then the execution must be run again from its records, as after a crash.
        """
        try:
            self._begin()
            self._launch()
            while (self._runs or self._retries) and not self.closing.is_set():
                self._next_message()()
                self._launch()
            if not self.closing.is_set():
                self._finish()
        except Exception as error:  # whatever it is, the execution must not hang in Executing for ever
            if self.closing.is_set():
                return True
            if says_full(error):
                _LOG.warning("pipeline execution %s waits for space: %s", self._info.arn, error)
                return False
            _LOG.exception("pipeline execution %s", self._info.arn)
            reason = error.message if isinstance(error, ServiceError) else f"InternalFailure: {error!r}"
            self._write_end(ExecutionStatus.FAILED, reason)
        return True

    def _begin(self) -> None:
        body = self._journal.execution() or {}
        experiments.ensure(self._info.experiment, self._context.call)
        self._limit = _limit_of(body)
        self._records.update({name: item for name, item in self._journal.steps().items() if name in self._nodes})
        for name, record in list(self._records.items()):
            if StepStatus(record["StepStatus"]).is_final:
                self._states[name] = _STATES[StepStatus(record["StepStatus"])]
                self._halted = self._halted or self._is_final_failure(name)
            else:
                self._states[name] = StepState.RUNNING
                self._runs[name] = run = self._step_run(name, record)
                self._settle(run, self._attempts.resume(run))
                if name in self._runs and run.is_stopping:  # the crash may have come before the job was stopped
                    self._attempts.stop(run)
        self._refresh()

    def _refresh(self) -> None:
        deleted = {"PipelineExecutionStatus": ExecutionStatus.STOPPING}  # nothing more to do
        body = self._journal.execution() or deleted
        self._limit = _limit_of(body)
        if body["PipelineExecutionStatus"] != ExecutionStatus.STOPPING:
            return
        self._halted = True
        for name in list(self._retries):
            del self._retries[name]
            self._settle(self._runs[name], STOPPED)
        for run in list(self._runs.values()):
            if run.record["StepStatus"] != StepStatus.STOPPING:
                run.record["StepStatus"] = StepStatus.STOPPING
                self._journal.save(run.record)
                self._attempts.stop(run)

    def _launch(self) -> None:
        while not self.closing.is_set():
            while self._fresh:
                self._decide(self._fresh.popleft())
            if self._halted or not self._ready or (self._limit and len(self._runs) >= self._limit):
                return
            self._start(self._ready.popleft())

    def _decide(self, name: str) -> None:
        if self._states[name] is not StepState.WAITING or name in self._ready:
            return
        response = verdict(self._nodes[name], self._states, self._outcome)
        if response is StepDecision.SKIP:
            self._states[name] = StepState.SKIPPED
            self._fresh.extend(self._dependents.get(name, ()))
        elif response is StepDecision.RUN:
            self._ready.append(name)

    def _outcome(self, name: str) -> bool:
        return bool(self._records[name]["Metadata"]["Condition"]["Outcome"] == "True")

    def _start(self, name: str) -> None:
        step = self._definition.steps[name]
        record = _new_record(step, self._tries.get(name, 0) + 1)
        self._records[name] = record
        self._states[name] = StepState.RUNNING
        self._runs[name] = run = self._step_run(name, record)
        self._settle(run, self._attempts.start(run))

    def _step_run(self, name: str, record: Record) -> StepRun:
        return StepRun(
            self._definition.steps[name],
            self._info,
            partial(ExecutionScope, self._info, self._values, self._results),
            self._context,
            record,
            save=lambda: self._journal.save(record),
            wake=lambda: self._messages.put(lambda: self._look_at(name)),
        )

    def _look_at(self, name: str) -> None:
        run = self._runs.get(name)
        if run is not None and name not in self._retries:
            self._settle(run, self._attempts.result(run))

    def _settle(self, run: StepRun, result: StepResult | None) -> None:
        name, record = run.step.name, run.record
        if result is None or self.closing.is_set():
            return  # while closing, calls fail for reasons of their own; the resumed execution looks again
        if result.status == StepStatus.FAILED and not self._halted and not result.final:
            retries = own_step(record).get("_retries", 0)
            wait = delay(run.step.retry_policies, result.cause, retries, now() - record["StartTime"])
            if wait is not None:
                self._attempts.renew(run, result.reason or "")
                self._retries[name] = time.monotonic() + wait
                return
        self._failed_while_stopping |= result.final and record["StepStatus"] == StepStatus.STOPPING
        self._attempts.finish(run, result)
        del self._runs[name]
        self._states[name] = _STATES[StepStatus(result.status)]
        self._halted = self._halted or result.final
        self._fresh.extend(self._dependents.get(name, ()))

    def _next_message(self) -> Callable[[], None]:
        due = min(self._retries.values(), default=None)
        try:
            return self._messages.get(timeout=None if due is None else max(0.0, due - time.monotonic()))
        except queue.Empty:
            return self._try_again

    def _try_again(self) -> None:
        for name, due in list(self._retries.items()):
            if due <= time.monotonic():
                del self._retries[name]
                self._settle(self._runs[name], self._attempts.start(self._runs[name]))

    def _is_final_failure(self, name: str) -> bool:
        return self._definition.steps[name].type == "Fail" and self._states[name] is StepState.FAILED

    def _finish(self) -> None:
        if metrics := metric_pairs(self._definition, self._records, self._results):
            self._journal.change(lambda body: own_execution(body).update({METRICS: metrics}))
        lost = [name for name, state in self._states.items() if state in (StepState.FAILED, StepState.STOPPED)]
        if not lost:
            self._write_end(ExecutionStatus.SUCCEEDED, None)
        elif any(map(self._is_final_failure, lost)) or steps_in_error(self._nodes, self._states):
            self._write_end(ExecutionStatus.FAILED, STEPS_FAILED)
        else:
            self._write_end(ExecutionStatus.COMPLETED_WITH_FAILURES, None)

    def _write_end(self, status: str, reason: str | None) -> None:
        final = status

        def change(body: Record) -> None:
            nonlocal final
            # A request to stop may have come while the last step ended; it was acknowledged, so it holds.
            stopped = body["PipelineExecutionStatus"] == ExecutionStatus.STOPPING and not self._failed_while_stopping
            final = ExecutionStatus.STOPPED if stopped else status
            body["PipelineExecutionStatus"] = final
            body["LastModifiedTime"] = now()
            if reason and final == ExecutionStatus.FAILED:
                body["FailureReason"] = reason[:1300]

        self._journal.change(change)


def execution_info(body: Record) -> ExecutionInfo:
    """What expressions may know of an execution, from its record."""
    return ExecutionInfo(
        pipeline_name=own_execution(body).get("_pipeline", ""),
        pipeline_arn=body.get("PipelineArn", ""),
        arn=body.get("PipelineExecutionArn", ""),
        id=body.get("PipelineExecutionArn", "").rsplit("/", 1)[-1],
        started=body.get("CreationTime", 0.0),
        experiment=body.get("PipelineExperimentConfig"),
    )


def _limit_of(body: Record) -> int | None:
    limit: Any = body.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps")
    return int(limit) if limit else None


def _new_record(step: Step, attempt: int) -> Record:
    record: Record = {"StepName": step.name, "StartTime": now(), "StepStatus": StepStatus.STARTING, "Metadata": {}}
    if step.display_name:
        record["StepDisplayName"] = step.display_name
    if step.description:
        record["StepDescription"] = step.description[:3072]
    return {**record, "AttemptCount": attempt, **StepRecord(_type=step.type)}
