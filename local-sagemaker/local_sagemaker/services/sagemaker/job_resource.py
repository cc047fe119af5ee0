"""What the four kinds of jobs share: create, describe, list, stop, delete, and continuing after a crash of the service.

A kind says what differs: `defaults`, `check`, `work`, `launch`, `halt`, `record_outcome`.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import (
    MissingResource,
    NameTaken,
    NotSupported,
    ResourceInUse,
    ServiceError,
    ValidationError,
    WrongStatus,
)
from local_sagemaker.jobs.foreground import ForegroundRequest
from local_sagemaker.jobs.runner import JobRunner
from local_sagemaker.jobs.spec import JobSpec, Outcome, Phase
from local_sagemaker.jobs.terminal import Terminal
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import TUNING_JOB, ResourceKind
from local_sagemaker.records.status import JobStatus
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.sagemaker.listing import pick
from local_sagemaker.services.sagemaker.resource_records import ResourceRecords
from local_sagemaker.services.sagemaker.tags import Tags

Work = TypeVar("Work")
log = logging.getLogger(__name__)


class JobResource(Resource, ABC, Generic[Work]):
    """One kind of job. `Work` is what `launch` runs."""

    kind: ResourceKind
    summary: tuple[str, ...] = ()
    """What List shows beside name, ARN, status and times."""

    def __init__(self, *, settings: Settings, records: Records, tags: Tags, call: Call) -> None:
        self._settings, self._call = settings, call
        self._jobs = ResourceRecords(
            self.kind, settings=settings, records=records, tags=tags,
            missing=lambda name, _: self.not_found(name),
            taken=lambda name, _: _name_taken(self._arn(name)),
        )  # fmt: skip
        # Looked up now, since requests may create others before `resume` is called.
        unfinished = records.with_status(self.kind.kind, JobStatus.IN_PROGRESS, JobStatus.STOPPING)
        self._interrupted = [(body[self.kind.name], body["CreationTime"]) for _, body in unfinished]

    @operation("Create{noun}")
    def create(self, request: Request) -> Response:
        """Checks the request, writes the job down and begins it. Hyperparameters are the container's to check."""
        self.check(request)
        body = self.new(request)
        work = self.work(body)
        self._jobs.insert(body, request.get("Tags"))
        self._add_trial_component(body)
        self.launch(work)
        return {self.kind.arn: body[self.kind.arn]}

    @operation("Describe{noun}")
    def describe(self, request: Request) -> Response:
        """The request with what has become of it."""
        return public(self.require(request[self.kind.name]))

    @operation("List{noun}s")
    def list_jobs(self, request: Request) -> Response:
        """Newest first unless the request says otherwise."""
        chosen, token = self._jobs.page(request)
        kind = self.kind
        members = (kind.name, kind.arn, "CreationTime", "LastModifiedTime", kind.status, *self.summary)
        return {f"{kind.noun}Summaries": [pick(body, *members) for body in chosen], **token}

    @operation("Stop{noun}")
    def stop(self, request: Request) -> Response:
        """Marks a running job as Stopping, and stops it. Raises ValidationError when it has ended."""

        def mark(body: Body) -> None:
            self.refuse_ended(body)
            body[self.kind.status] = JobStatus.STOPPING
            self.record_stop(body)

        body = self.require(request[self.kind.name])
        self.halt(self.change(body[self.kind.name], mark) or body)
        return {}

    def delete(self, request: Request) -> Response:
        """Forgets a job that has ended; what it made stays. An operation of those kinds that have it."""
        body = self.require(request[self.kind.name])
        if not JobStatus(body[self.kind.status]).is_final:
            self.refuse_status(body)
        self._jobs.delete(body[self.kind.name])
        return {}

    def resume(self) -> None:
        """Begins again what was unfinished when the service started, in the order it was created.

        A job that can't run any more, say because its image is not known now, ends as Failed.
        """
        interrupted, self._interrupted = self._interrupted, []
        for name, created in interrupted:
            body = self.find(name)
            if body is None or body["CreationTime"] != created or JobStatus(body[self.kind.status]).is_final:
                continue  # a reset came first, or a stop
            try:
                self.restart(body)
            except ServiceError as error:
                log.warning("%s can't continue: %s", body[self.kind.arn], error.message)
                outcome = Outcome(JobStatus.FAILED, f"ClientError: {error.message}"[:1024], ended=now())
                self.settle(name, outcome)

    # What a kind says

    def defaults(self, request: Request) -> Request:
        """The request as Describe shows it."""
        return dict(request)

    @abstractmethod
    def check(self, request: Request) -> None:
        """Raises what Create refuses."""

    @abstractmethod
    def work(self, body: Body) -> Work:
        """What is to be run. Raises what Create refuses for it."""

    @abstractmethod
    def launch(self, work: Work) -> None:
        """Begins the work, and returns."""

    @abstractmethod
    def halt(self, body: Body) -> None:
        """Ends the work of a job that is Stopping; returns before it has ended."""

    def record_stop(self, body: Body) -> None:
        """What the record says of a stop beside its status."""

    def record_restart(self, body: Body) -> None:
        """What the record says of a job that begins again after a crash."""

    def record_outcome(self, body: Body, outcome: Outcome) -> None:
        """What the record says of the outcome beside status, reason and times."""

    def not_found(self, name: str) -> ServiceError:
        """The error about a job that does not exist (contracts: api-errors 1; not ResourceNotFound)."""
        return MissingResource(f"Could not find requested job with name: {name}")

    # What a kind uses

    def new(self, request: Request) -> Body:
        """The record of a job that is about to be created: the request, its ARN, InProgress and the time."""
        moment, name = now(), request[self.kind.name]
        body = {**self.defaults(request), self.kind.arn: self._arn(name), self.kind.status: JobStatus.IN_PROGRESS}
        body.pop("Tags", None)
        return {**body, "CreationTime": moment, "LastModifiedTime": moment}

    def find(self, name: str) -> Body | None:
        """The record of a job, whatever the case of the name."""
        return self._jobs.find(name)

    def require(self, name: str) -> Body:
        """The record of a job, whatever the case of the name. Raises the kind's error when there is none."""
        return self._jobs.require(name)

    def change(self, name: str, change: Callable[[Body], None]) -> Body | None:
        """Changes a job's record. None when the job no longer exists."""

        def apply(body: Body) -> None:
            change(body)
            body["LastModifiedTime"] = now()

        return self._jobs.update(name, apply)

    def settle(self, name: str, outcome: Outcome) -> None:
        """Writes down how a job ended."""

        def change(body: Body) -> None:
            body[self.kind.status] = JobStatus(outcome.status)
            if outcome.reason:
                body["FailureReason"] = outcome.reason
            self.record_outcome(body, outcome)

        self.change(name, change)

    def restart(self, body: Body) -> None:
        """Begins a job again; one that was being stopped is stopped."""
        name = body[self.kind.name]
        if body[self.kind.status] == JobStatus.STOPPING:
            self.settle(name, Outcome(JobStatus.STOPPED, ended=now()))
            return
        work = self.work(body)
        self.change(name, self.record_restart)
        self.launch(work)

    def refuse_ended(self, body: Body) -> None:
        """Raises WrongStatus for a job that has ended."""
        if JobStatus(body[self.kind.status]).is_final:
            self.refuse_status(body)

    def refuse_status(self, body: Body) -> None:
        """Raises WrongStatus: the request does not suit the job's status."""
        noun = self.kind.kind.replace("hyper-parameter", "hyperparameter").replace("-", " ")
        raise WrongStatus(f"The request was rejected because the {noun} is in status {body[self.kind.status]}.")

    def _arn(self, name: str) -> str:
        return self._settings.arns.sagemaker(self.kind.kind, name)

    def _add_trial_component(self, body: Body) -> None:
        """The trial component that SageMaker makes of every job; an ExperimentConfig names it, and its trial.

        A job that tunes has none: the training jobs that it starts have.
        """
        if self.kind is TUNING_JOB:
            return
        config = body.get("ExperimentConfig", {})
        name = f"{body[self.kind.name]}-aws-{self.kind.kind}"
        component: dict[str, Any] = {
            "TrialComponentName": name,
            "DisplayName": config.get("TrialComponentDisplayName", name),
            "MetadataProperties": {"GeneratedBy": body[self.kind.arn]},
        }
        try:
            with suppress(NameTaken):  # that of a job of this name which was deleted
                self._call("sagemaker:CreateTrialComponent", component)
            if config.get("TrialName"):
                place = {"TrialComponentName": name, "TrialName": config["TrialName"]}
                self._call("sagemaker:AssociateTrialComponent", place)
        except NotSupported:
            return
        except ServiceError as error:
            log.warning("no trial component for %s: %s", body[self.kind.arn], error.message)


class RunnerJobs(JobResource[JobSpec]):
    """A kind of job that the job runner runs, whose observer this is."""

    def __init__(self, *, settings: Settings, records: Records, tags: Tags, call: Call, runner: JobRunner) -> None:
        super().__init__(settings=settings, records=records, tags=tags, call=call)
        self._runner = runner

    def launch(self, work: JobSpec) -> None:
        """Queues the job."""
        self._runner.submit(work, self)

    def run_in_foreground(self, name: str, terminal: Terminal, wish: ForegroundRequest) -> None:
        """Runs a job's program once more, at a terminal; returns at once. ServiceError for a job that can't be."""
        work = self.work(self.require(name))
        if work.batch:
            raise ValidationError("A transform job runs no program of yours; its model server's log says more.")
        self._runner.run_in_foreground(work, terminal, wish)

    def halt(self, body: Body) -> None:
        """SIGTERM, a grace, SIGKILL; what the job has written is uploaded."""
        self._runner.stop(body[self.kind.arn])

    def phase(self, job: JobSpec, phase: Phase) -> None:
        """The job enters a phase: nothing that the record shows, unless a kind says otherwise."""

    def ended(self, job: JobSpec, outcome: Outcome) -> None:
        """The job has ended."""
        self.settle(job.name, outcome)


def _name_taken(arn: str) -> ServiceError:
    """The name is in use (text: contracts: pipelines 5.5)."""
    return ResourceInUse(
        f"Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
    )
