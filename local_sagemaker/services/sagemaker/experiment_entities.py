"""What experiments, trials and trial components share: names equal but for case, ARNs in lower case, AWS's texts."""

from __future__ import annotations

from collections.abc import Callable

from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import ResourceNotFound, ValidationError
from local_sagemaker.operations import Request, Response
from local_sagemaker.records import Records
from local_sagemaker.records.store import AlreadyExists, Body
from local_sagemaker.services.caller import created_by
from local_sagemaker.services.sagemaker.listing import order, page, pick, select
from local_sagemaker.services.sagemaker.tags import Tags


class Entities:
    """The records of one of the three. `noun` is AWS's word in member names: Experiment, Trial, TrialComponent."""

    def __init__(self, *, settings: Settings, records: Records, tags: Tags, kind: str, noun: str) -> None:
        self._settings = settings
        self._records = records
        self._tags = tags
        self._kind = kind
        self._noun = noun
        self._name, self._arn_member = f"{noun}Name", f"{noun}Arn"

    def arn(self, name: str) -> str:
        """The ARN that a name has or would have."""
        return self._settings.arns.sagemaker(self._kind, name.lower())

    def create(self, request: Request) -> Response:
        """Adds one; the display name is the name unless given."""
        name = request[self._name]
        body = {"DisplayName": name, **request, self._arn_member: self.arn(name)}
        body |= {"CreationTime": now(), "CreatedBy": created_by(self._settings)}
        body["LastModifiedTime"], body["LastModifiedBy"] = body["CreationTime"], body["CreatedBy"]
        tags = body.pop("Tags", None)
        try:
            with self._records.transaction():
                self._records.insert(self._kind, name.lower(), body)
                self._tags.put(self.arn(name), tags)
        except AlreadyExists as error:
            words = "Trial Component" if self._noun == "TrialComponent" else self._noun
            raise ValidationError(
                f"{words} names must be unique within an AWS account and region. "
                f"{words} with name ({name}) already exists."
            ) from error
        return {self._arn_member: self.arn(name)}

    def require(self, name: str) -> Body:
        """The record of a name (or ARN)."""
        body = self._records.get(self._kind, name.rsplit("/", 1)[-1].lower())
        if body is None:
            raise ResourceNotFound(f"{self._noun} '{self.arn(name.rsplit('/', 1)[-1])}' does not exist.")
        return body

    def all(self) -> list[Body]:
        """All records in order of creation."""
        return self._records.list(self._kind)

    def update(self, name: str, change: Callable[[Body], None]) -> Response:
        """Changes a record and notes when and by whom."""

        def changed(body: Body) -> None:
            change(body)
            body |= {"LastModifiedTime": now(), "LastModifiedBy": created_by(self._settings)}

        self.require(name)
        self._records.update(self._kind, name.lower(), changed)
        return {self._arn_member: self.arn(name)}

    def delete(self, name: str) -> Response:
        """Removes a record with its tags."""
        self.require(name)
        with self._records.transaction():
            self._records.delete(self._kind, name.lower())
            self._tags.drop(self.arn(name))
        return {self._arn_member: self.arn(name)}

    def page(self, bodies: list[Body], request: Request, *members: str) -> Response:
        """One page of summaries, newest first unless asked otherwise. The source goes by a longer name there."""
        bodies = order(select(bodies, request, name=self._name), request, members={"Name": self._name})
        chosen, token = page(bodies, request)
        named = (self._name, self._arn_member, "DisplayName", "CreationTime", "LastModifiedTime", *members)
        summaries = [
            pick(body, *named) | ({f"{self._noun}Source": body["Source"]} if "Source" in body else {})
            for body in chosen
        ]
        return {f"{self._noun}Summaries": summaries, **token}
