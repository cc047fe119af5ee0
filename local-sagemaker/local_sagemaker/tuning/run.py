"""One tuning job's life: look at its training jobs, do what `policy` says, wait for an event, again.

No polling: the thread sleeps until a training job's event, a request to stop, or the tuning job's time limit. Each look
starts from the records alone, and a training job is written down before it is made, so that a crash loses nothing.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import secrets
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.clock import now
from local_sagemaker.errors import MISSING, ServiceError, WrongStatus, says_full
from local_sagemaker.events import DELETED, Event, Events
from local_sagemaker.records.own_members import TunedTrainingJobRecord, own_tuned_job, own_tuning_job
from local_sagemaker.records.status import JobStatus, ObjectiveStatus
from local_sagemaker.records.store import Body
from local_sagemaker.tuning import early_stopping, policy, training_jobs
from local_sagemaker.tuning.definitions import definitions, objective, ranges, training_request
from local_sagemaker.tuning.ranges import parse
from local_sagemaker.tuning.sampling import Observation, SearchState
from local_sagemaker.tuning.training_jobs import TunedTrainingJobs

STATUS = "HyperParameterTuningJobStatus"
_FULL_DISK_PAUSE = 1.0
_EPOCHS = 1.0  # seconds between two looks at what running training jobs print, for early stopping only
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TuningServices:
    """What every run needs of the service. `read` and `change` are for the tuning job's record, by its name; `linked`
    notes in a training job's record which tuning job made it (name, ARN); `tags` are those of an ARN; `series` is all
    that a training job has printed of a metric so far (name, metric)."""

    call: Call
    events: Events
    trials: TunedTrainingJobs
    read: Callable[[str], Body | None]
    change: Callable[[str, Callable[[Body], None]], Body | None]
    linked: Callable[[str, str], None]
    tags: Callable[[str], list[dict[str, str]]]
    suggest: Callable[[SearchState], dict[str, str]]
    series: Callable[[str, str], list[float]]


class TuningRun:
    """A tuning job that is running. `execute` is called once, in a thread of its own; the others from any."""

    def __init__(self, name: str, services: TuningServices) -> None:
        self.name, self._services = name, services
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._running: set[str] = set()
        self._requested: set[str] = set()
        self._series: dict[str, list[float]] = {}  # of those that have ended
        self._closing = threading.Event()

    def wake(self) -> None:
        """Looks again: the tuning job was requested to stop."""
        self._news.put(None)

    def close(self) -> None:
        """Ends the thread and leaves everything as it is, to be resumed."""
        self._closing.set()
        self.wake()

    def execute(self) -> None:
        """Runs to the end, or to `close`."""
        leave = self._services.events.subscribe(self._receive)
        try:
            wait = self._look_safely()
            while wait is not None and not self._closing.is_set():
                self._sleep(wait)
                wait = self._look_safely()
        finally:
            leave()

    def _receive(self, event: Event) -> None:
        if (
            event.kind == "training-job"
            and (event.status == DELETED or JobStatus(event.status).is_final)
            and event.arn.rsplit("/", 1)[-1] in self._running
        ):
            self.wake()

    def _sleep(self, seconds: float) -> None:
        try:
            self._news.get(timeout=seconds if seconds != float("inf") else None)
            while True:
                self._news.get_nowait()  # what came together is looked at together
        except queue.Empty:
            return

    def _look_safely(self) -> float | None:
        """One look; whatever goes wrong, the tuning job must not hang in InProgress for ever."""
        try:
            return self._look()
        except Exception as error:
            if self._closing.is_set():
                return None
            if says_full(error):
                log.warning("tuning job %s waits for space: %s", self.name, error)
                return _FULL_DISK_PAUSE
            known = isinstance(error, ServiceError)
            log.warning("tuning job %s: %s", self.name, error, exc_info=not known)
            self._abandon()
            self._end(JobStatus.FAILED, f"ClientError: {error}" if known else f"InternalServerError: {error!r}")
            return None

    def _look(self) -> float | None:
        """Seconds until the next look at the latest, None at the end."""
        body = self._services.read(self.name)
        if body is None or JobStatus(body[STATUS]).is_final:
            return None
        trials = [self._settle(body, trial) for trial in self._services.trials.of(self.name)]
        to_do = policy.decide(body, trials, now())
        running = [trial for trial in trials if not training_jobs.has_ended(trial)]
        if to_do.stop:
            self._stop(running)
        for _ in range(to_do.launch):
            trial = self._new(body, trials)
            if self._closing.is_set():
                return None
            self._services.trials.put(self.name, trial)
            trials.append(trial)
            self._create(body, trial)
        if to_do.status and not running:
            self._end(to_do.status, to_do.reason)
            return None
        if to_do.stop:
            return float("inf")
        config = body["HyperParameterTuningJobConfig"]
        limit = config["ResourceLimits"].get("MaxRuntimeInSeconds", float("inf"))
        left = max(0.0, body["CreationTime"] + limit - now())
        if config.get("TrainingJobEarlyStoppingType") == "Auto" or config["Strategy"] == "Hyperband":
            self._stop(
                [
                    trial
                    for trial in trials
                    if not training_jobs.has_ended(trial) and self._hopeless(body, trial, trials)
                ]
            )
            return min(left, _EPOCHS)
        return left

    def _settle(self, body: Body, trial: Body) -> Body:
        """A training job as it is now; its end is written down, and one that a crash came before is made."""
        if training_jobs.has_ended(trial):
            return trial
        name = trial["TrainingJobName"]
        self._running.add(name)
        job = self._describe(name)
        if job is None:
            if "TrainingJobArn" not in trial:
                self._create(body, trial)
                return trial
            job = {"TrainingJobStatus": JobStatus.FAILED, "FailureReason": "ClientError: The training job was deleted."}
        elif "TrainingJobArn" not in trial:
            self._services.linked(name, body["HyperParameterTuningJobArn"])
        definition = definitions(body)[own_tuned_job(trial)["_definition"]]
        after = training_jobs.update(trial, job, objective(body, definition))
        if after != trial:
            self._services.trials.put(self.name, after)
        if training_jobs.has_ended(after):
            self._running.discard(name)
        return after

    def _describe(self, name: str) -> Body | None:
        try:
            return self._services.call("sagemaker:DescribeTrainingJob", {"TrainingJobName": name})
        except MISSING:
            return None

    def _new(self, body: Body, trials: list[Body]) -> Body:
        """The next training job, not written down yet. Several definitions take turns."""
        number = len(trials)
        all_definitions = definitions(body)
        index = number % len(all_definitions)
        same = [trial for trial in trials if own_tuned_job(trial)["_definition"] == index]
        trial: Body = {
            "TrainingJobName": f"{self.name}-{number + 1:03d}-{secrets.token_hex(4)}",
            "CreationTime": now(),
            "TrainingJobStatus": JobStatus.IN_PROGRESS,
            "TunedHyperParameters": self._services.suggest(_search_state(body, all_definitions[index], same)),
            "ObjectiveStatus": ObjectiveStatus.PENDING,
            **TunedTrainingJobRecord(_number=f"{number + 1:06d}", _definition=index),
        }
        if "DefinitionName" in all_definitions[index]:
            trial["TrainingJobDefinitionName"] = all_definitions[index]["DefinitionName"]
        return trial

    def _create(self, body: Body, trial: Body) -> None:
        name, arn = trial["TrainingJobName"], body["HyperParameterTuningJobArn"]
        definition = definitions(body)[own_tuned_job(trial)["_definition"]]
        request = training_request(body, definition, name, trial["TunedHyperParameters"])
        tags = self._services.tags(arn)
        self._running.add(name)
        response = self._services.call("sagemaker:CreateTrainingJob", {**request, **({"Tags": tags} if tags else {})})
        self._services.linked(name, arn)
        trial["TrainingJobArn"] = response["TrainingJobArn"]
        self._services.trials.put(self.name, trial)
        # Its end may have come before the record existed to be found by it.
        self.wake()

    def _stop(self, running: list[Body]) -> None:
        """Queries each training job once; one that has just ended says so by its event."""
        for trial in running:
            name = trial["TrainingJobName"]
            if name in self._requested:
                continue
            self._requested.add(name)
            try:
                self._services.call("sagemaker:StopTrainingJob", {"TrainingJobName": name})
            except (WrongStatus, *MISSING):
                self.wake()

    def _abandon(self) -> None:
        """Stops what still runs of a tuning job that can't continue."""
        for name in list(self._running):
            with contextlib.suppress(ServiceError):
                self._services.call("sagemaker:StopTrainingJob", {"TrainingJobName": name})

    def _hopeless(self, body: Body, trial: Body, trials: list[Body]) -> bool:
        """Whether a running training job is stopped for what the others do better."""
        config, definition = (
            body["HyperParameterTuningJobConfig"],
            definitions(body)[own_tuned_job(trial)["_definition"]],
        )
        wanted = objective(body, definition)
        minimise = wanted["Type"] == "Minimize"
        values = self._objective_values(trial, wanted["MetricName"])
        others = [
            one
            for one in trials
            if own_tuned_job(one)["_definition"] == own_tuned_job(trial)["_definition"] and one is not trial
        ]
        if config["Strategy"] == "Hyperband":
            limits = early_stopping.resources(config, definition.get("StaticHyperParameters", {})) or (1, sys.maxsize)
            series = [self._objective_values(one, wanted["MetricName"]) for one in others]
            return early_stopping.drops_out(values, series, limits, minimise=minimise)
        before = [
            self._objective_values(one, wanted["MetricName"]) for one in others if training_jobs.value(one) is not None
        ]
        return early_stopping.worse(values, before, minimise=minimise)

    def _objective_values(self, trial: Body, metric: str) -> list[float]:
        """All values of the objective so far."""
        name = trial["TrainingJobName"]
        if name in self._series:
            return self._series[name]
        values = self._services.series(name, metric)
        if training_jobs.has_ended(trial):
            self._series[name] = values
        return values

    def _end(self, status: str, reason: str | None) -> None:
        def change(body: Body) -> None:
            # A request to stop may have come while the last training job ended; it was acknowledged, so it holds.
            stopped = body[STATUS] == JobStatus.STOPPING and status != JobStatus.FAILED
            body[STATUS] = JobStatus.STOPPED if stopped else status
            body["HyperParameterTuningEndTime"] = now()
            if reason:
                body["FailureReason"] = reason[:1024]

        self._services.change(self.name, change)


def _search_state(body: Body, definition: Body, same: list[Body]) -> SearchState:
    config: dict[str, Any] = body["HyperParameterTuningJobConfig"]
    before = [Observation(one["values"], one["objective"]) for one in own_tuning_job(body).get("_parents", [])]
    return SearchState(
        strategy=config["Strategy"],
        space=parse(ranges(body, definition)),
        seed=int(config["RandomSeed"] if "RandomSeed" in config else own_tuning_job(body)["_seed"]),
        number=len(same),
        observations=[
            *before,
            *(
                Observation(
                    trial["TunedHyperParameters"],
                    training_jobs.value(trial),
                    running=not training_jobs.has_ended(trial),
                )
                for trial in same
            ),
        ],
        minimise=objective(body, definition)["Type"] == "Minimize",
    )
