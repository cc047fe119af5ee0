"""The job runner: a queue for all regions, a thread per running job, stop, and an orderly end."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping

from local_sagemaker.api.operations import Call
from local_sagemaker.background import log_failure
from local_sagemaker.config import Settings
from local_sagemaker.errors import says_full
from local_sagemaker.jobs.addresses import Addresses
from local_sagemaker.jobs.failed_jobs import FailedJobs
from local_sagemaker.jobs.foreground import ForegroundRequest, ForegroundRun
from local_sagemaker.jobs.metric_series import Put
from local_sagemaker.jobs.periodic_tasks import Ticker
from local_sagemaker.jobs.run import JobServices, Run
from local_sagemaker.jobs.spec import JobSpec, ModelServers, Observer, Outcome, TemporaryEndpoints
from local_sagemaker.jobs.terminal import Terminal
from local_sagemaker.logs import Logs
from local_sagemaker.objects.types import Objects
from local_sagemaker.processes.spec import Processes
from local_sagemaker.records.status import JobStatus

_PATIENCE = 20.0
_FULL_DISK_PAUSE = 1.0
_RUNS = 4  # of a job whose processes are lost again and again
log = logging.getLogger(__name__)


class JobQueue:
    """The jobs of all regions: at most so many run at a time, the others in the order they came."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self.ticker, self.addresses = Ticker(), Addresses()
        self._changed = threading.Condition()
        self._queue: deque[Run] = deque()
        self._running: dict[str, Run] = {}
        self._silent = False

    def add(self, run: Run) -> None:
        """Queues a job and returns; its observer is notified of its phases and its end."""
        with self._changed:
            if self._silent:
                return
            self._queue.append(run)
        self._start_next()

    def stop(self, arn: str) -> None:
        """Stops a queued or running job; nothing happens when there is none."""
        with self._changed:
            run = next((run for run in self._queue if run.job.arn == arn), None)
            if run:
                self._queue.remove(run)
            else:
                run = self._running.get(arn)
                if run is None:
                    return
                queued = False
            queued = run.job.arn not in self._running
        if queued:
            run.observer.ended(run.job, Outcome(JobStatus.STOPPED))
        else:
            run.stop()

    def running(self) -> int:
        """How many jobs are queued or running."""
        with self._changed:
            return len(self._queue) + len(self._running)

    def reset(self) -> None:
        """Ends all jobs at once; their observers receive nothing more."""
        with self._changed:
            self._silent = True
            self._queue.clear()
            runs = list(self._running.values())
        for run in runs:
            run.kill()
        with self._changed:
            self._changed.wait_for(lambda: not self._running, _PATIENCE)
            self._silent = False

    def close(self) -> None:
        """Ends all jobs at once; their records still say InProgress, so that they run again at the next start."""
        self.reset()
        with self._changed:
            self._silent = True
        self.ticker.close()

    def _record(self, run: Run, outcome: Outcome) -> None:
        """Notifies the observer; while the disk is full, again and again, since it may be freed at any time."""
        while not self._silent:
            try:
                run.observer.ended(run.job, outcome)
                return
            except Exception as error:
                if not says_full(error):
                    raise
                log.warning("the end of job %s can't be recorded yet: %s", run.job.name, error)
                run.clean()  # often it is the job's own files that fill the disk
                with self._changed:
                    self._changed.wait(_FULL_DISK_PAUSE)

    def _start_next(self) -> None:
        with self._changed:
            while self._queue and len(self._running) < self._slots:
                run = self._queue.popleft()
                self._running[run.job.arn] = run
                threading.Thread(target=self._run, args=(run,), name=f"job {run.job.name}", daemon=True).start()

    def _run(self, run: Run) -> None:
        try:
            outcome = run.execute()
            for _ in range(_RUNS - 1):
                if outcome.status != JobStatus.FAILED or not run.is_lost:
                    break
                log.warning("job %s lost its processes (%s); it is run again", run.job.name, outcome.reason)
                run = self._replaced(run)
                outcome = run.execute()
            self._record(run, outcome)
        except Exception:
            log.exception("the end of job %s could not be recorded", run.job.name)
        finally:
            with log_failure(log, "what job %s leaves", run.job.name):
                run.clean()
            with self._changed:
                self._running.pop(run.job.arn, None)
                self._changed.notify_all()
            self._start_next()

    def _replaced(self, run: Run) -> Run:
        """A run of the same job, from its beginning; it ends at once when the job was to be stopped in the meantime."""
        run.clean()
        with self._changed:
            again = self._running[run.job.arn] = run.again()
            silent = self._silent
        if silent:
            again.kill()
        elif run.is_stopping:
            again.stop()
        return again


class JobRunner:
    """Runs the jobs of one region."""

    def __init__(
        self,
        *,
        settings: Settings,
        queue: JobQueue,
        objects: Objects,
        logs: Logs,
        processes: Processes,
        servers: ModelServers | None = None,
        endpoints: TemporaryEndpoints | None = None,
        call: Call | None = None,
        service_environment: Mapping[str, str] | None = None,
        grace: float | None = None,
        put_metrics: Put | None = None,
    ) -> None:
        """`service_environment` is what a client inside a job needs to reach this service; `put_metrics` takes those
        of training jobs."""
        self._queue = queue
        self._services = JobServices(
            folder=settings.jobs,
            objects=objects,
            logs=logs,
            processes=processes,
            ticker=queue.ticker,
            addresses=queue.addresses,
            servers=servers,
            endpoints=endpoints,
            call=call,
            service_environment=dict(service_environment or {}),
            grace=settings.stop_grace if grace is None else grace,
            put_metrics=put_metrics,
            failed=FailedJobs(settings.failed_jobs),
        )

    def submit(self, job: JobSpec, observer: Observer) -> None:
        """Queues a job and returns; the observer is notified of its phases and its end."""
        self._queue.add(Run(job, observer, self._services))

    def stop(self, arn: str) -> None:
        """Stops a queued or running job; nothing happens when there is none."""
        self._queue.stop(arn)

    def run_in_foreground(self, job: JobSpec, terminal: Terminal, wish: ForegroundRequest) -> None:
        """Runs a job's program, or a shell in its place, at a terminal, and returns at once. It takes no slot."""
        run = ForegroundRun(job, self._services, terminal)
        threading.Thread(target=run.follow, args=(wish,), name=f"foreground {job.name}", daemon=True).start()
