"""Lineage of what happens: entities and associations of jobs, versions of models, approvals and deployments.

As AWS's tracking makes them (Developer Guide, "SageMaker-created tracking entities"; names of approvals and groups from
recorded runs of its notebooks; those of deployments are ours). Made from the log of changes, when somebody looks or a
little later, and at least once: everything has a name that follows from what it is of.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from local_sagemaker import arns
from local_sagemaker.api.operations import Resource
from local_sagemaker.background import leave_out, log_failure
from local_sagemaker.events import CREATED, DELETED, Event
from local_sagemaker.records import kinds
from local_sagemaker.records.status import EndpointStatus, JobStatus, LineageStatus
from local_sagemaker.services.sagemaker.lineage.lineage_records import ACTION, CONTEXT, LineageRecords

log = logging.getLogger(__name__)
_PLACE, _KIND = "place", "lineage-place"
_PAUSE = 2.0
"""Seconds between a change and its lineage, when nobody looks earlier."""
_JOBS = (kinds.TRAINING_JOB.kind, kinds.PROCESSING_JOB.kind, kinds.TRANSFORM_JOB.kind)
_WATCHED = (*_JOBS, kinds.MODEL_PACKAGE.kind, kinds.ENDPOINT.kind)
Contents = Mapping[str, Any]


class LineageEvents(Resource):
    """One region's lineage of what happens."""

    def __init__(self, lineage: LineageRecords) -> None:
        self._lineage, self._records = lineage, lineage.records
        self._lock = threading.Lock()
        self._signal, self._ended = threading.Event(), threading.Event()
        self._unsubscribe = self._records.events.subscribe(self._notice)

    def resume(self) -> None:
        """Begins to follow the log, once the service serves requests."""
        threading.Thread(target=self._run, name=f"lineage-{self._lineage.settings.region}", daemon=True).start()

    def close(self) -> None:
        """Ends the thread."""
        self._unsubscribe()
        self._ended.set()
        self._signal.set()

    def _notice(self, event: Event) -> None:
        if event.kind in _WATCHED and event.region == self._lineage.settings.region:
            self._signal.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._signal.wait()
            if self._ended.wait(_PAUSE):
                return
            self._signal.clear()
            with log_failure(log, "lineage of %s", self._lineage.settings.region):
                self.catch_up()

    def catch_up(self) -> None:
        """Makes the lineage of what changed since the last look."""
        with self._lock:
            place = self._records.get(_KIND, _PLACE)
            number = int(place["number"]) if place else 0
            while changes := self._records.event_log.after(number, region=self._lineage.settings.region):
                with self._records.transaction():
                    for change in changes:
                        with leave_out(log, "lineage of %s", change.arn):
                            self._make(change)
                        number = change.number
                    self._records.put(_KIND, _PLACE, {"number": number})

    def _make(self, event: Event) -> None:
        if event.status == DELETED:
            return
        if event.kind in _JOBS and event.body.get(kinds.KINDS[event.kind].status) == JobStatus.COMPLETED:
            self._job(event.kind, event.body)
        elif event.kind == kinds.MODEL_PACKAGE.kind:
            self._package(event)
        elif event.kind == kinds.ENDPOINT.kind and event.status == EndpointStatus.IN_SERVICE:
            self._deployment(event.body, int(event.time))

    def _job(self, kind: str, body: Contents) -> None:
        """A job's trial component with its image, data, model and results, in the order of recorded tables."""
        component = self._lineage.component(body[kinds.KINDS[kind].name], kind)
        for uri, type_ in _inputs(kind, body):
            source = self._lineage.model_data(uri) or self._lineage.artifact(uri, type_)
            self._lineage.associate(source, component, "ContributedTo")
        for model in self._models(body):
            self._lineage.associate(model, component, "ContributedTo")
        for uri, type_ in _outputs(kind, body):
            self._lineage.associate(component, self._lineage.artifact(uri, type_), "Produced")

    def _models(self, body: Contents) -> Iterator[str]:
        """The images and model data of the model that a transform job uses."""
        model = self._records.find(kinds.MODEL.kind, body["ModelName"]) if body.get("ModelName") else None
        yield from self._containers(model[1] if model else {})

    def _containers(self, model: Contents) -> Iterator[str]:
        for container in model.get("Containers") or [model.get("PrimaryContainer") or {}]:
            if container.get("ModelPackageName"):
                yield self._lineage.artifact(container["ModelPackageName"], "Model")
            if container.get("Image"):
                yield self._lineage.artifact(container["Image"], "Image")
            if container.get("ModelDataUrl"):
                yield self._lineage.artifact(container["ModelDataUrl"], "Model")

    def _package(self, event: Event) -> None:
        """A version of a model: each decision about it, its images and data, and its group."""
        body = event.body
        artifact = self._lineage.artifact(event.arn, "Model")
        if body.get("ModelPackageGroupName"):
            self._approval(event, artifact)
        for container in body.get("InferenceSpecification", {}).get("Containers", ()):
            for uri, type_ in ((container.get("Image"), "Image"), (container.get("ModelDataUrl"), "Model")):
                if uri:
                    self._lineage.associate(self._lineage.artifact(uri, type_), artifact, "ContributedTo")
        if body.get("ModelPackageGroupName"):
            self._lineage.associate(artifact, self._group(body["ModelPackageGroupName"], event), "AssociatedWith")

    def _group(self, group: str, event: Event) -> str:
        """The context of a version's group, which is called after the group and the time of its creation."""
        record = self._records.find(kinds.MODEL_PACKAGE_GROUP.kind, group)
        tail = f"-{int(record[1]['CreationTime'] if record else event.time)}-aws-model-package-group"
        uri = event.arn.rpartition("/")[0].replace(":model-package/", ":model-package-group/")
        return self._lineage.ensure(
            CONTEXT, f"{group[: 120 - len(tail)]}{tail}", Source={"SourceUri": uri, "SourceType": "ARN"},
            ContextType="ModelGroup",
        )  # fmt: skip

    def _approval(self, event: Event, artifact: str) -> None:
        """A decision about a version, which is called after the version's ARN."""
        status = event.body.get("ModelApprovalStatus")
        if not status or event.previous == event.status != CREATED:
            return
        tail = f"-{event.body['ModelPackageVersion']}-{status}-{int(event.time)}-aws-model-package"
        group = arns.resource(event.arn).split("/")[1]
        action = self._lineage.ensure(
            ACTION, f"{group[: 120 - len(tail)]}{tail}", Source={"SourceUri": event.arn, "SourceType": "ARN"},
            ActionType="Approval", Status=LineageStatus.COMPLETED,
            Properties={"ModelApprovalStatus": status, **_description(event.body)},
        )  # fmt: skip
        self._lineage.associate(action, artifact, "ContributedTo")

    def _deployment(self, body: Contents, time: int) -> None:
        """A deployment: the models and images of an endpoint's configuration, and the endpoint."""
        name, arn = body["EndpointName"], body["EndpointArn"]
        config = self._records.find(kinds.ENDPOINT_CONFIG.kind, body.get("EndpointConfigName", ""))
        source = {"SourceUri": arn, "SourceType": "ARN"}
        context = self._lineage.ensure(CONTEXT, f"{name}-aws-endpoint", Source=source, ContextType="Endpoint")
        action = self._lineage.ensure(
            ACTION, f"{name}-{time}-aws-endpoint", Source=source, ActionType="ModelDeployment",
            Status=LineageStatus.COMPLETED,
            Properties={"EndpointConfigName": body.get("EndpointConfigName", "")},
        )  # fmt: skip
        self._lineage.associate(action, context, "AssociatedWith")
        for variant in config[1]["ProductionVariants"] if config else ():
            model = self._records.find(kinds.MODEL.kind, variant.get("ModelName", ""))
            for artifact in self._containers(model[1] if model else {}):
                self._lineage.associate(artifact, action, "ContributedTo")


def _description(body: Contents) -> dict[str, str]:
    return {name: body[name] for name in ("ApprovalDescription",) if body.get(name)}


def _inputs(kind: str, body: Contents) -> Iterator[tuple[str, str]]:
    """The sources that a job reads, each with its type."""
    if kind == kinds.TRAINING_JOB.kind:
        if image := body["AlgorithmSpecification"].get("TrainingImage"):
            yield image, "Image"
        for channel in body.get("InputDataConfig", ()):
            if uri := channel["DataSource"].get("S3DataSource", {}).get("S3Uri"):
                yield uri, "DataSet"
    elif kind == kinds.PROCESSING_JOB.kind:
        yield body["AppSpecification"]["ImageUri"], "Image"
        for entry in body.get("ProcessingInputs", ()):
            if uri := entry.get("S3Input", {}).get("S3Uri"):
                yield uri, "DataSet"
    else:
        yield body["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"], "DataSet"


def _outputs(kind: str, body: Contents) -> Iterator[tuple[str, str]]:
    """What a job writes."""
    if kind == kinds.TRAINING_JOB.kind:
        if uri := body.get("ModelArtifacts", {}).get("S3ModelArtifacts"):
            yield uri, "Model"
    elif kind == kinds.PROCESSING_JOB.kind:
        for entry in body.get("ProcessingOutputConfig", {}).get("Outputs", ()):
            if uri := entry.get("S3Output", {}).get("S3Uri"):
                yield uri, "DataSet"
    else:
        yield body["TransformOutput"]["S3OutputPath"], "DataSet"
