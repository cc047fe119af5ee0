"""The records of lineage: three kinds of entities, and associations between them and trial components."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from local_sagemaker import arns
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import ResourceKind
from local_sagemaker.records.store import Body

ARTIFACT = ResourceKind("artifact", "Artifact")
ACTION = ResourceKind("action", "Action")
CONTEXT = ResourceKind("context", "Context")
ENTITIES = {kind.kind: kind for kind in (ARTIFACT, ACTION, CONTEXT)}
ASSOCIATION = "lineage-association"
COMPONENT = "experiment-trial-component"
_JOBS = {"training": "TrainingJob", "processing": "ProcessingJob", "transform": "TransformJob"}


class LineageRecords:
    """Entities by name (artifacts by an id), and associations by their two ends."""

    def __init__(self, *, settings: Settings, records: Records) -> None:
        self.settings, self.records = settings, records

    def arn(self, kind: ResourceKind, name: str) -> str:
        """The ARN of an entity."""
        return self.settings.arns.sagemaker(kind.kind, name.lower())

    def ensure(self, kind: ResourceKind, name: str, **members: Any) -> str:
        """Adds an entity unless it exists; its ARN."""
        arn = self.arn(kind, name)
        if self.records.get(kind.kind, name.lower()) is None:
            self.insert(kind, name, members)
        return arn

    def insert(self, kind: ResourceKind, name: str, members: Mapping[str, Any]) -> Body:
        """Adds an entity."""
        moment = now()
        body = {**members, kind.arn: self.arn(kind, name), "CreationTime": moment, "LastModifiedTime": moment}
        if kind is not ARTIFACT:
            body[kind.name] = name
        self.records.insert(kind.kind, name.lower(), body)
        return body

    def artifact(self, uri: str, type_: str) -> str:
        """The artifact of a source, made when there is none; its ARN."""
        name = _artifact_name(uri, type_)
        return self.ensure(ARTIFACT, name, Source={"SourceUri": uri, "SourceTypes": []}, ArtifactType=type_)

    def model_data(self, uri: str) -> str | None:
        """The artifact of a model's data, if a job made a model there: a job that reads it reads that artifact."""
        name = _artifact_name(uri, "Model")
        return self.arn(ARTIFACT, name) if self.records.get(ARTIFACT.kind, name) else None

    def new_id(self) -> str:
        """The id of an artifact that a client makes."""
        return secrets.token_hex(16)

    def find(self, arn: str) -> Body | None:
        """The entity or trial component of an ARN. Those of jobs need no record: they follow from the job."""
        kind, _, name = arns.resource(arn).partition("/")
        entity = self.records.get(kind, name.lower()) if kind in ENTITIES else None
        if entity is None and kind.startswith("experiment"):
            record = self.records.find(kind, name)
            entity = record[1] if record else None
            if entity is None and self.job_of(name) is not None:
                entity = {"TrialComponentName": name, "TrialComponentArn": arn}
        return entity

    def job_of(self, component: str) -> Body | None:
        """The job whose trial component has this name."""
        for word in _JOBS:
            job = component.removesuffix(f"-aws-{word}-job")
            if job != component:
                record = self.records.find(f"{word}-job", job)
                return record[1] if record else None
        return None

    def component(self, job: str, kind: str) -> str:
        """The ARN of a job's trial component."""
        return self.settings.arns.sagemaker(COMPONENT, f"{job}-aws-{kind}".lower())

    def associate(self, source: str, destination: str, type_: str | None) -> bool:
        """Adds an association; False where there is one."""
        key = key_of(source, destination)
        if self.records.get(ASSOCIATION, key) is not None:
            return False
        body = {"SourceArn": source, "DestinationArn": destination, "CreationTime": now()}
        self.records.insert(ASSOCIATION, key, {**body, **({"AssociationType": type_} if type_ else {})})
        return True

    def associations(self) -> list[Body]:
        """All associations, oldest first."""
        return self.records.list(ASSOCIATION)

    def type_of(self, arn: str) -> str:
        """The type of an entity, e.g. ``DataSet``, or of a component's job: ``SageMakerTrainingJob``."""
        body = self.find(arn) or {}
        for kind in ENTITIES.values():
            if f"{kind.noun}Type" in body:
                return str(body[f"{kind.noun}Type"])
        resource, _, name = arns.resource(arn).partition("/")
        for word, noun in _JOBS.items():
            if name.endswith(f"-aws-{word}-job"):
                return f"SageMaker{noun}"
        return {COMPONENT: "TrialComponent", "experiment": "Experiment"}.get(resource, resource)

    def name_of(self, arn: str) -> str | None:
        """The name of an entity; artifacts may have none."""
        body = self.find(arn) or {}
        names = (*(f"{kind.noun}Name" for kind in ENTITIES.values()), "TrialComponentName")
        return next((body[name] for name in names if body.get(name)), None)


def _artifact_name(uri: str, type_: str) -> str:
    return hashlib.sha256(f"{type_} {uri}".encode()).hexdigest()[:32]


def key_of(source: str, destination: str) -> str:
    """The key of an association."""
    return hashlib.sha256(f"{source} {destination}".encode()).hexdigest()


def lineage_type(arn: str) -> str:
    """What QueryLineage calls the kind of an ARN."""
    kind = arns.resource(arn).partition("/")[0]
    return {"artifact": "Artifact", "action": "Action", "context": "Context"}.get(kind, "TrialComponent")
