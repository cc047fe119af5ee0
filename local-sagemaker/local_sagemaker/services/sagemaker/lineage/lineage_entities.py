"""Artifacts, actions and contexts: created, described, changed, listed and deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.arns import is_arn, last
from local_sagemaker.clock import now
from local_sagemaker.errors import NameTaken, ResourceNotFound, ValidationError
from local_sagemaker.records.kinds import ResourceKind
from local_sagemaker.records.store import Body
from local_sagemaker.services.caller_identity import user_context
from local_sagemaker.services.sagemaker.lineage.lineage_records import (
    ACTION,
    ARTIFACT,
    ASSOCIATION,
    CONTEXT,
    LineageRecords,
    key_of,
)
from local_sagemaker.services.sagemaker.listing import order, page, pick, select
from local_sagemaker.services.sagemaker.tags import Tags

_SUMMARY = ("Source", "CreationTime", "LastModifiedTime", "Status")


class LineageEntities(Resource):
    """One kind. `catch_up` makes the entities of what has happened since the last look."""

    kind: ResourceKind

    def __init__(self, *, lineage: LineageRecords, tags: Tags, catch_up: Callable[[], None]) -> None:
        self._lineage, self._tags, self._catch_up = lineage, tags, catch_up
        self._records = lineage.records

    @operation("Create{noun}")
    def create(self, request: Request) -> Response:
        """Adds an entity."""
        name = self._lineage.new_id() if self.kind is ARTIFACT else request[self.kind.name]
        members = {key: value for key, value in request.items() if key != "Tags"}
        members |= {"CreatedBy": user_context(self._lineage.settings), "LastModifiedBy": self._by()}
        with self._records.transaction():
            if self._records.get(self.kind.kind, name.lower()) is not None:
                raise NameTaken(
                    f"{self.kind.noun} names must be unique within an AWS account and region. {self.kind.noun} with "
                    f"name ({name}) already exists."
                )
            body = self._lineage.insert(self.kind, name, members)
            self._tags.put(body[self.kind.arn], request.get("Tags"))
        return pick(body, self.kind.arn)

    @operation("Describe{noun}")
    def describe(self, request: Request) -> Response:
        """One entity."""
        return self._require(request)[1]

    @operation("Update{noun}")
    def update(self, request: Request) -> Response:
        """Changes members; properties are merged, and removed where the request says so."""
        key, body = self._require(request)

        def change(entity: Body) -> None:
            kept = {**entity.get("Properties", {}), **request.get("Properties", {})}
            for name in request.get("PropertiesToRemove", ()):
                kept.pop(name, None)
            entity.update(pick(request, "Description", "Status", "ArtifactName"), Properties=kept)
            entity.update(LastModifiedTime=now(), LastModifiedBy=self._by())

        self._records.update(self.kind.kind, key, change)
        return pick(body, self.kind.arn)

    @operation("Delete{noun}")
    def delete(self, request: Request) -> Response:
        """Removes an entity that has no associations."""
        self._catch_up()
        with self._records.transaction():
            key, body = self._find(request)
            arn = body[self.kind.arn]
            if any(arn in (one["SourceArn"], one["DestinationArn"]) for one in self._lineage.associations()):
                raise ValidationError(f"{self.kind.noun} '{arn}' has associations; delete them first.")
            self._records.delete(self.kind.kind, key)
            self._tags.drop(arn)
        return {self.kind.arn: arn}

    @operation("List{noun}s")
    def list_entities(self, request: Request) -> Response:
        """Newest first unless the request says otherwise."""
        self._catch_up()
        bodies, type_ = self._records.list(self.kind.kind), f"{self.kind.noun}Type"
        if "SourceUri" in request:
            bodies = [body for body in bodies if body["Source"]["SourceUri"] == request["SourceUri"]]
        if type_ in request:
            bodies = [body for body in bodies if body[type_] == request[type_]]
        bodies = order(select(bodies, request, name=self.kind.name), request, members={"Name": self.kind.name})
        chosen, token = page(bodies, request)
        members = (self.kind.arn, self.kind.name, type_, *_SUMMARY)
        return {f"{self.kind.noun}Summaries": [pick(body, *members) for body in chosen], **token}

    def _require(self, request: Request) -> tuple[str, Body]:
        self._catch_up()
        return self._find(request)

    def _find(self, request: Request) -> tuple[str, Body]:
        reference = request.get(self.kind.arn) or request.get(self.kind.name)
        if reference is None and "Source" in request:
            uri = request["Source"]["SourceUri"]
            bodies = self._records.list(self.kind.kind)
            reference = next((body[self.kind.arn] for body in bodies if body["Source"]["SourceUri"] == uri), uri)
        key = last(str(reference)).lower()
        arn = str(reference) if is_arn(str(reference)) else self._lineage.arn(self.kind, key)
        body = self._records.get(self.kind.kind, key)
        if body is None or arn.lower() != body[self.kind.arn].lower():  # an ARN of another region or account
            raise ResourceNotFound(f"{self.kind.noun} '{arn}' does not exist.")
        return key, body

    def _by(self) -> Any:
        return user_context(self._lineage.settings)


class Artifacts(LineageEntities):
    """CreateArtifact and its like."""

    kind = ARTIFACT


class Actions(LineageEntities):
    """CreateAction and its like."""

    kind = ACTION


class Contexts(LineageEntities):
    """CreateContext and its like."""

    kind = CONTEXT


class LineageAssociations(Resource):
    """AddAssociation, DeleteAssociation, ListAssociations."""

    def __init__(self, *, lineage: LineageRecords, catch_up: Callable[[], None]) -> None:
        self._lineage, self._catch_up = lineage, catch_up

    @operation("AddAssociation")
    def add(self, request: Request) -> Response:
        """Joins two entities."""
        self._catch_up()
        source, destination = request["SourceArn"], request["DestinationArn"]
        with self._lineage.records.transaction():
            for arn in (source, destination):
                if self._lineage.find(arn) is None:
                    raise ResourceNotFound(f"'{arn}' does not exist.")
            if not self._lineage.associate(source, destination, request.get("AssociationType")):
                raise ValidationError(f"An association between {source} and {destination} already exists.")
        return {"SourceArn": source, "DestinationArn": destination}

    @operation("DeleteAssociation")
    def delete(self, request: Request) -> Response:
        """Parts two entities."""
        self._catch_up()
        ends = pick(request, "SourceArn", "DestinationArn")
        if not self._lineage.records.delete(ASSOCIATION, key_of(ends["SourceArn"], ends["DestinationArn"])):
            raise ResourceNotFound(f"The association between {' and '.join(ends.values())} does not exist.")
        return ends

    @operation("ListAssociations")
    def list_associations(self, request: Request) -> Response:
        """Newest first unless the request says otherwise."""
        self._catch_up()
        bodies = [
            body
            for body in self._lineage.associations()
            if all(request.get(name, body.get(name)) == body.get(name)
                   for name in ("SourceArn", "DestinationArn", "AssociationType"))
        ]  # fmt: skip
        bodies = [self._name_ends(body) for body in bodies]
        for name in ("SourceType", "DestinationType"):
            if name in request:
                bodies = [body for body in bodies if body[name] == request[name]]
        bodies = select(bodies, request, name="SourceArn")
        members = {name: name for name in ("SourceArn", "DestinationArn", "SourceType", "DestinationType")}
        chosen, token = page(order(bodies, request, members=members), request)
        return {"AssociationSummaries": chosen, **token}

    def _name_ends(self, body: Body) -> Body:
        shown = dict(body)
        for end in ("Source", "Destination"):
            shown[f"{end}Type"] = self._lineage.type_of(body[f"{end}Arn"])
            if name := self._lineage.name_of(body[f"{end}Arn"]):
                shown[f"{end}Name"] = name
        return shown
