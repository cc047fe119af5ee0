"""What the records of the four kinds of jobs share: names, look-up, changes."""

from __future__ import annotations

import logging
from collections.abc import Callable

from local_sagemaker.api.operations import Call, Request, Response
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import NotSupported, ResourceInUse, ResourceNotFound, ServiceError, ValidationError
from local_sagemaker.jobs.spec import Outcome
from local_sagemaker.records import Records
from local_sagemaker.records.store import AlreadyExists, Body
from local_sagemaker.services.sagemaker.listing import pick
from local_sagemaker.services.sagemaker.resource_records import page_of
from local_sagemaker.services.sagemaker.tags import Tags

ENDED = ("Completed", "Failed", "Stopped")
log = logging.getLogger(__name__)


class JobRecords:
    """The records of one kind of job. `noun` is the job as operations name it, e.g. ``TrainingJob``."""

    def __init__(self, noun: str, kind: str, *, settings: Settings, records: Records, tags: Tags, call: Call) -> None:
        self.noun, self.kind = noun, kind
        self.name, self.arn, self.status = f"{noun}Name", f"{noun}Arn", f"{noun}Status"
        self._arns, self._records, self._tags, self._call = settings.arns, records, tags, call
        # Looked up now, since requests may create others before `resume` is called.
        unfinished = records.with_status(self.kind, "InProgress", "Stopping")
        self._interrupted = [(body[self.name], body["CreationTime"]) for _, body in unfinished]

    def new(self, request: Request) -> Body:
        """The body of a job that is about to be created: the request, its ARN, InProgress and the time."""
        moment = now()
        body = {**request, self.arn: self._arns.sagemaker(self.kind, request[self.name]), self.status: "InProgress"}
        body.pop("Tags", None)
        return {**body, "CreationTime": moment, "LastModifiedTime": moment}

    def add(self, body: Body, tags: list[dict[str, str]] | None) -> None:
        """Stores a new job. Raises ResourceInUse when its name is taken (text: specs pipelines 5.5)."""
        try:
            with self._records.transaction():
                if self.find(body[self.name]) is not None:
                    raise AlreadyExists(body[self.name])
                self._records.insert(self.kind, body[self.name], body)
                self._tags.put(body[self.arn], tags)
        except AlreadyExists as error:
            raise ResourceInUse(
                "Job name must be unique within an AWS account and region, and a job with this name already exists "
                f"({body[self.arn]})"
            ) from error
        self._component(body)

    def find(self, name: str) -> Body | None:
        """A job by its name, whatever the case."""
        found = self._records.find(self.kind, name)
        return found[1] if found else None

    def require(self, name: str) -> Body:
        """A job by its name. Raises ValidationError when there is none (truth/api-errors: not ResourceNotFound), but
        ResourceNotFound for a tuning job (code and text: amazon-sagemaker-operator-for-k8s, clientwrapper)."""
        body = self.find(name)
        if body is None and self.noun == "HyperParameterTuningJob":
            raise ResourceNotFound(f"Amazon SageMaker can't find a tuning job with name {name}")
        if body is None:
            missing = "Requested resource not found." if self.noun == "TrainingJob" else (
                f"Could not find requested job with name: {name}"
            )  # fmt: skip
            raise ValidationError(missing)
        return body

    def change(self, name: str, change: Callable[[Body], None]) -> Body | None:
        """Changes a job's record. None when the job no longer exists."""

        def apply(body: Body) -> None:
            change(body)
            body["LastModifiedTime"] = now()

        return self._records.update(self.kind, name, apply)

    def listed(self, request: Request, *members: str) -> Response:
        """The List answer: filtered, sorted, one page; `members` are shown beside name, ARN, status and times."""
        chosen, token = page_of(self._records, self.kind, request)
        shown = (self.name, self.arn, "CreationTime", "LastModifiedTime", self.status, *members)
        return {f"{self.noun}Summaries": [pick(body, *shown) for body in chosen], **token}

    def stopping(self, name: str, change: Callable[[Body], None] = lambda _: None) -> Body:
        """Marks a running job as Stopping. Raises ValidationError when it has ended."""
        body = self.require(name)

        def mark(body: Body) -> None:
            if body[self.status] in ENDED:
                raise ValidationError(self._rejected(body))
            body[self.status] = "Stopping"
            change(body)

        return self.change(body[self.name], mark) or body

    def delete(self, name: str) -> None:
        """Removes a job that has ended."""
        body = self.require(name)
        if body[self.status] not in ENDED:
            raise ValidationError(self._rejected(body))
        self._records.delete(self.kind, body[self.name])
        self._tags.drop(body[self.arn])

    def resume(self, again: Callable[[Body], None], end: Callable[[str, Outcome], None]) -> None:
        """Calls `again` with each job that was unfinished when the service started, in the order they were created.

        A job that can't run any more, say because its image is not known now, ends as Failed.
        """
        interrupted, self._interrupted = self._interrupted, []
        for name, created in interrupted:
            body = self._records.get(self.kind, name)
            if body is None or body["CreationTime"] != created or body[self.status] in ENDED:
                continue  # a reset came first, or a stop
            try:
                again(body)
            except ServiceError as error:
                log.warning("%s can't go on: %s", body[self.arn], error.message)
                end(name, Outcome("Failed", f"ClientError: {error.message}"[:1024], ended=now()))

    def _rejected(self, body: Body) -> str:
        noun = self.kind.replace("hyper-parameter", "hyperparameter").replace("-", " ")
        return f"The request was rejected because the {noun} is in status {body[self.status]}."

    def _component(self, body: Body) -> None:
        """The trial component that SageMaker makes of a job with an ExperimentConfig."""
        config = body.get("ExperimentConfig", {})
        if not config.get("TrialName"):
            return
        name = f"{body[self.name]}-aws-{self.kind}"
        try:
            self._call("sagemaker:CreateTrialComponent", {
                "TrialComponentName": name,
                "DisplayName": config.get("TrialComponentDisplayName", name),
                "MetadataProperties": {"GeneratedBy": body[self.arn]},
            })  # fmt: skip
            self._call(
                "sagemaker:AssociateTrialComponent", {"TrialComponentName": name, "TrialName": config["TrialName"]}
            )
        except NotSupported:
            return
        except ServiceError as error:
            log.warning("no trial component for %s: %s", body[self.arn], error.message)
