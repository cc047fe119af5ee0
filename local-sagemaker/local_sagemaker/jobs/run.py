"""One job's life, top to bottom: folders, inputs, processes, outputs, outcome.

`Run._outcome` is the one place where an exception becomes a status and a FailureReason with its category:
``AlgorithmError`` (the image's or the user's program), ``ClientError`` (the request or its data) or
``InternalServerError`` (this service).
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.clock import now
from local_sagemaker.errors import ServiceError, says_full
from local_sagemaker.files.removal import discard
from local_sagemaker.images.image import Program
from local_sagemaker.jobs import channels, metrics, outputs, published_metrics, record_io, resources
from local_sagemaker.jobs.addresses import Addresses
from local_sagemaker.jobs.failed_jobs import FailedJobs
from local_sagemaker.jobs.host import LONGEST, Host, exit_message, write_json
from local_sagemaker.jobs.metric_search import MetricSearch
from local_sagemaker.jobs.metric_series import MetricSeries, Put
from local_sagemaker.jobs.periodic_tasks import Ticker
from local_sagemaker.jobs.pipes import Pipe
from local_sagemaker.jobs.spec import (
    Batch,
    Channel,
    JobFailure,
    JobSpec,
    ModelServers,
    Observer,
    Outcome,
    Phase,
    TemporaryEndpoints,
    Upload,
    UploadTiming,
)
from local_sagemaker.logs import Logs
from local_sagemaker.objects.types import Objects
from local_sagemaker.processes.errors import ProcessNotStarted
from local_sagemaker.processes.spec import Process, Processes, ProcessSpec
from local_sagemaker.records.status import JobStatus

_AGENT = Program(("batch-agent", "/opt/ml/plan.json"), "local_sagemaker.batch.agent:main")
_METRICS = 2.0
"""Seconds between two looks for metrics."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobServices:
    """What every run needs of the service. `grace` is the time between SIGTERM and SIGKILL in seconds."""

    folder: Path
    objects: Objects
    logs: Logs
    processes: Processes
    ticker: Ticker
    addresses: Addresses
    servers: ModelServers | None
    endpoints: TemporaryEndpoints | None
    call: Call | None
    service_environment: Mapping[str, str]
    grace: float
    put_metrics: Put | None = None
    failed: FailedJobs | None = None


class Run:
    """A job that is being run. `execute` is called once, in the job's own thread; `stop` from any other."""

    def __init__(self, job: JobSpec, observer: Observer, services: JobServices) -> None:
        self.job, self.observer, self._services = job, observer, services
        self._name = f"{job.kind}-{job.name}"
        self._folder = services.folder / self._name
        self._hosts: list[Host] = []
        self._cleanup = ExitStack()
        self._lock = threading.Lock()
        self._stopping = self._timed_out = self._killed = False
        self._killer: threading.Timer | None = None
        self._started: float | None = None
        self._uploaded: set[str] = set()
        self._mirrors: list[outputs.Mirror] = []
        self._pipes: list[Pipe] = []
        self._served: list[Process] = []
        self._unstarted = self._failed = False
        put = services.put_metrics
        self._search = MetricSearch(job.metrics, self._say)
        self._series = MetricSeries(job.name, self._search, put) if put and job.metrics else None

    def execute(self) -> Outcome:
        """Runs the job to its end and returns how it ended; `clean` is to follow."""
        outcome = self._outcome()
        published_metrics.publish([host.files for host in self._hosts], self.job, self._services.put_metrics)
        return replace(outcome, ended=now())

    @property
    def is_stopping(self) -> bool:
        """Whether it was requested to stop."""
        return self._stopping

    @property
    def is_lost(self) -> bool:
        """Whether the service lost its processes: not the job's doing, so that it is to be run again if it failed."""
        if self._stopping or self._killed:
            return False
        processes = [host.process for host in self._hosts if host.process]
        return self._unstarted or any(process.lost for process in [*processes, *self._served])

    def again(self) -> Run:
        """The job once more, from its beginning."""
        return Run(self.job, self.observer, self._services)

    def clean(self) -> None:
        """Ends what served it, puts its last metrics, removes its folder or keeps it. Nobody has to wait for this."""
        self._cleanup.close()
        self._put_metrics(last=True)
        if self._failed and self._services.failed and not self.is_lost:
            self._services.failed.keep(self._folder, self._name)
        discard(self._folder)

    def stop(self, *, timed_out: bool = False) -> None:
        """SIGTERM to all processes of the job, SIGKILL after the grace; what exists then is uploaded."""
        with self._lock:
            if self._killer is None:
                self._killer = threading.Timer(self._services.grace, self._signal, [signal.SIGKILL])
                self._killer.daemon = True
                self._killer.start()
            self._stopping = True
            self._timed_out = self._timed_out or timed_out
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the job at once; its outcome is of no interest any more."""
        self._stopping = self._killed = True
        self._signal(signal.SIGKILL)

    def _outcome(self) -> Outcome:
        """Does the work; whatever goes wrong becomes a FailureReason here and nowhere else."""
        status, reason, message = JobStatus.COMPLETED, None, None
        try:
            self._work(self._cleanup)
        except JobFailure as failure:
            reason = str(failure)
        except ServiceError as error:
            reason = f"ClientError: {error.message}"
        except Exception as error:
            self._unstarted = isinstance(error, ProcessNotStarted)
            reason = f"ClientError: {error}" if says_full(error) else _internal(error)
        try:
            message = exit_message(self._hosts)
        except UnicodeDecodeError:
            reason = "ClientError: The exit message in /opt/ml/output/message is not UTF-8."
        if self._stopping and (reason is None or self._started is None or reason.startswith("AlgorithmError")):
            status, reason = JobStatus.STOPPED, None
        elif reason is not None:
            status, self._failed = JobStatus.FAILED, reason.startswith("AlgorithmError")
        return Outcome(
            status=status, reason=reason[:LONGEST] if reason else None, message=message, started=self._started,
            timed_out=self._timed_out, uploaded=frozenset(self._uploaded), metrics=tuple(self._metrics()),
        )  # fmt: skip

    def _work(self, cleanup: ExitStack) -> None:
        cleanup.callback(self._quiet)
        self._make_hosts(cleanup)
        self._enter(Phase.DOWNLOADING)
        self._download(cleanup)
        if self._stopping:
            return
        program, environment = self._prepare(cleanup)
        self._enter(Phase.RUNNING)
        with ExitStack() as ticking:
            self._tick(ticking)
            failure = self._run(program, environment)
        if self._killed:
            return
        failure = next((str(pipe.failure) for pipe in self._pipes if pipe.failure), failure)
        self._enter(Phase.UPLOADING)
        try:
            self._upload(failed=failure is not None and not self._stopping)
        except (JobFailure, ServiceError):
            if not failure:
                raise  # else the program's own failure is what matters
        if failure:
            raise JobFailure(failure)

    def _make_hosts(self, cleanup: ExitStack) -> None:
        discard(self._folder)  # of a run that a crash of the service interrupted
        moment = int(time.time())
        for name in self.job.host_names:
            stream = f"{self.job.name}/{name}-{moment}"
            address = cleanup.enter_context(self._services.addresses.borrowed())
            host = Host(
                name, self._folder / name, address, stream, self._services.logs.file(self.job.log_group, stream)
            )
            for folder in ("output", *self.job.folders, *(upload.path for upload in self.job.uploads)):
                (host.ml / folder).mkdir(parents=True, exist_ok=True)
            documents = dict(self.job.files)
            if self.job.resource_config:
                documents[self.job.resource_config] = resources.resource_config(self.job, name)
            for path, document in documents.items():
                write_json(host.ml / path, document)
            cleanup.callback(host.files.close)
            self._hosts.append(host)

    def _enter(self, phase: Phase) -> None:
        if phase is Phase.DOWNLOADING:
            self._started = now()
        self.observer.phase(self.job, phase)

    def _download(self, cleanup: ExitStack) -> None:
        objects = self._services.objects
        for channel in self.job.channels:
            items = channels.items(channel, objects)
            if not items and not channel.optional and not channels.has_only_folders(channel.uri, objects):
                raise JobFailure(f'ClientError: Data download failed: no objects under "{channel.uri}" any more.')
            for rank, host in enumerate(self._hosts):
                chosen = channels.share(channel, items, rank, len(self._hosts))
                if channel.pipe:
                    send = record_io.stream if channel.record_io else channels.stream
                    data = partial(send, chosen, objects, inflate=channel.gzip)
                    self._pipes.append(cleanup.enter_context(Pipe(host.ml / channel.path, data)))
                else:
                    channels.download(chosen, host.ml / channel.path, objects)

    def _prepare(self, cleanup: ExitStack) -> tuple[Program, dict[str, str]]:
        """The program and its variables; starts the model server that a batch or an analysis queries."""
        environment, batch = self._environment(), self.job.batch
        if batch:
            url = self._serve([dict(container) for container in batch.containers], batch.environment, cleanup)
            self._plan(batch, url)
            return _AGENT, environment
        needed: Callable[[Path], Mapping[str, Any] | None] | None = getattr(self.job.image, "model_needed", None)
        predictor = needed(self._hosts[0].ml) if needed else None
        if predictor and self._services.endpoints:
            endpoint = self._services.endpoints.of(str(predictor["model_name"]), predictor)
            environment["LOCAL_SAGEMAKER_MODEL_SERVER"] = cleanup.enter_context(endpoint)
        return self.job.program, environment

    def _environment(self) -> dict[str, str]:
        service, own = self._services.service_environment, self.job.environment
        path = [variables["PYTHONPATH"] for variables in (service, own) if "PYTHONPATH" in variables]
        return {**service, **own, **({"PYTHONPATH": ":".join(path)} if path else {})}

    def _serve(self, containers: list[dict[str, Any]], environment: Mapping[str, str], cleanup: ExitStack) -> str:
        if self._services.servers is None:
            raise JobFailure("InternalServerError: There is no model server here.")
        variables = {**self._services.service_environment, **environment}
        host = self._hosts[0]
        server = self._services.servers.start(containers, variables, self._folder / "model-server", host.log)
        cleanup.callback(server.stop)
        self._served += server.processes
        return server.url

    def _plan(self, batch: Batch, url: str) -> None:
        """Gives the batch agents the files to send, and where to; objects are divided among the hosts."""
        source = batch.request["TransformInput"]["DataSource"]["S3DataSource"]
        inflate = batch.request["TransformInput"].get("CompressionType") == "Gzip"
        channel = Channel("input", source["S3Uri"], "batch/input", data_type=source["S3DataType"], sharded=True)
        items = channels.items(channel, self._services.objects)
        for rank, host in enumerate(self._hosts):
            inputs = []
            for number, item in enumerate(channels.share(channel, items, rank, len(self._hosts))):
                file = host.ml / "batch" / "input" / str(number)
                file.parent.mkdir(parents=True, exist_ok=True)
                if inflate:
                    channels.inflate(item, file, self._services.objects)
                else:
                    channels.download([replace(item, name=file.name)], file.parent, self._services.objects)
                inputs.append({"key": item.key, "name": item.name, "path": f"/opt/ml/batch/input/{number}"})
            output = "/opt/ml/batch/output"
            (host.ml / "batch" / "output").mkdir(parents=True, exist_ok=True)
            plan = {"server": url, "request": dict(batch.request), "inputs": inputs, "output": output,
                    "capture": "/opt/ml/batch/capture", "started": self._started}  # fmt: skip
            write_json(host.ml / "plan.json", plan)

    def _tick(self, ticking: ExitStack) -> None:
        """While the processes run: marks in the logs, uploads of what is to be uploaded continuously."""
        call = self._services.call
        self._mirrors = [
            outputs.Mirror(upload, host.files, self._services.objects, call)
            for upload in self.job.uploads
            if upload.when is not UploadTiming.END
            for host in self._hosts
        ]
        ticking.enter_context(self._services.ticker.calling(self._mark))
        if self._mirrors:
            ticking.enter_context(self._services.ticker.calling(self._sweep, every=1.0))
        self._search.warm()
        if self._series:
            ticking.enter_context(self._services.ticker.calling(self._put_metrics, every=_METRICS))

    def _put_metrics(self, *, last: bool = False) -> None:
        if self._series and not self._killed:
            self._series.look([host.log for host in self._hosts], last=last)

    def _mark(self) -> None:
        for host in self._hosts:
            self._services.logs.mark(self.job.log_group, host.stream)

    def _sweep(self) -> None:
        for mirror in self._mirrors:
            mirror.sweep()

    def _run(self, program: Program, environment: Mapping[str, str]) -> str | None:
        """Runs the program on all hosts; the FailureReason, or None when all ended with 0."""
        names = {host.name: host.address for host in self._hosts}
        for host in self._hosts:
            spec = ProcessSpec(
                program, host.root, host.log, environment, hosts=names, working_directory=self.job.working_directory
            )
            host.process = self._services.processes.start(spec)
        if self._stopping:
            self._signal(signal.SIGKILL if self._killed else signal.SIGTERM)
        failed: tuple[Host, int] | None = None
        for host, code in self._endings(time.monotonic() + self.job.maximum):
            if code != 0 and failed is None:
                failed = (host, code)
                host.say_signal(0 if self._stopping else -code)
                self._end_others()
        for host in self._hosts:
            self._services.logs.mark(self.job.log_group, host.stream, final=True)
        if failed is None:
            return None
        host, code = failed
        return host.reason(code, verbatim=self.job.batch is not None, client_errors=program.client_errors)

    def _endings(self, deadline: float) -> Any:
        """The hosts with their exit codes, as they end; at the deadline the job is stopped."""
        if len(self._hosts) == 1:
            host = self._hosts[0]
            yield host, self._wait(host, deadline)
            return
        ended: queue.SimpleQueue[tuple[Host, int]] = queue.SimpleQueue()
        for host in self._hosts:
            threading.Thread(target=lambda h=host: ended.put((h, self._wait(h, deadline))), daemon=True).start()
        for _ in self._hosts:
            yield ended.get()

    def _wait(self, host: Host, deadline: float) -> int:
        assert host.process is not None
        code = host.process.wait(max(0.0, deadline - time.monotonic()))
        if code is None:
            self.stop(timed_out=True)
            code = host.process.wait()
        return code if code is not None else -signal.SIGKILL

    def _end_others(self) -> None:
        """A failed host fails the job: its other processes get no grace, since nothing of theirs is kept."""
        if len(self._hosts) > 1:
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        for host in self._hosts:
            if host.process:
                host.process.signal(number)

    def _quiet(self) -> None:
        with self._lock:
            if self._killer:
                self._killer.cancel()
        self._signal(signal.SIGKILL)

    def _upload(self, *, failed: bool) -> None:
        for mirror in self._mirrors:
            mirror.sweep(last=True)
        for upload in self.job.uploads:
            if upload.when is UploadTiming.END and (upload.after_failure or not failed):
                self._finish(upload)

    def _finish(self, upload: Upload) -> None:
        job_outputs = outputs.Outputs([host.files for host in self._hosts], self._services.objects)
        if job_outputs.finish(upload, self._folder):
            self._uploaded.add(upload.uri)

    def _metrics(self) -> list[dict[str, Any]]:
        if not self.job.metrics or self._started is None:
            return []
        return metrics.final(self._search.all_values(host.log for host in self._hosts), now())

    def _say(self, sentence: str) -> None:
        """Says, in the job's log, what the service can't do for the job."""
        log.warning("job %s: %s", self.job.name, sentence)
        if self._hosts:
            self._hosts[0].say(sentence)


def _internal(error: Exception) -> str:
    log.error("a job failed inside the service", exc_info=error)
    return f"InternalServerError: We encountered an internal error. Please try again. ({type(error).__name__}: {error})"
