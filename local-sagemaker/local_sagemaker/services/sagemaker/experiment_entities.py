"""What experiments, trials and trial components share: who made them and when, summaries, AWS's texts."""

from __future__ import annotations

from collections.abc import Callable

from local_sagemaker.api.operations import Request, Response
from local_sagemaker.arns import is_arn, last
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import NameTaken, ResourceNotFound, ServiceError
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import ResourceKind
from local_sagemaker.records.store import Body
from local_sagemaker.services.caller_identity import user_context
from local_sagemaker.services.sagemaker.listing import order, page, pick, select
from local_sagemaker.services.sagemaker.resource_records import ResourceRecords
from local_sagemaker.services.sagemaker.tags import Tags


class Entities(ResourceRecords):
    """The records of one of the three."""

    def __init__(self, kind: ResourceKind, *, settings: Settings, records: Records, tags: Tags) -> None:
        words = "Trial Component" if kind.noun == "TrialComponent" else kind.noun

        def name_taken(name: str, _: str) -> ServiceError:
            return NameTaken(
                f"{words} names must be unique within an AWS account and region. "
                f"{words} with name ({name}) already exists."
            )

        def not_found(_: str, arn: str) -> ServiceError:
            return ResourceNotFound(f"{kind.noun} '{arn}' does not exist.")

        super().__init__(kind, settings=settings, records=records, tags=tags, missing=not_found, taken=name_taken)
        self._settings = settings

    def create(self, request: Request) -> Response:
        """Adds one; the display name is the name unless given."""
        name = request[self.kind.name]
        body = {"DisplayName": name, **request, self.kind.arn: self.arn(name)}
        body |= {"CreationTime": now(), "CreatedBy": user_context(self._settings)}
        body["LastModifiedTime"], body["LastModifiedBy"] = body["CreationTime"], body["CreatedBy"]
        self.insert(body, body.pop("Tags", None))
        return pick(body, self.kind.arn)

    def require(self, name: str) -> Body:
        """The record of a name or ARN."""
        body = super().require(last(name))
        if is_arn(name) and name.lower() != body[self.kind.arn].lower():  # one of another region or account
            raise self._missing(last(name), name)
        return body

    def all(self) -> list[Body]:
        """All records in order of creation."""
        return self._records.list(self.kind.kind)

    def change(self, name: str, change: Callable[[Body], None]) -> Response:
        """Changes a record and notes when and by whom."""

        def apply(body: Body) -> None:
            change(body)
            body |= {"LastModifiedTime": now(), "LastModifiedBy": user_context(self._settings)}

        self.require(name)
        self.update(name, apply)
        return {self.kind.arn: self.arn(name)}

    def remove(self, name: str) -> Response:
        """Removes a record with its tags."""
        self.require(name)
        self.delete(name)
        return {self.kind.arn: self.arn(name)}

    def list_page(self, request: Request, *members: str, equals: Body | None = None) -> Response:
        """One page of summaries, newest first unless requested otherwise; `equals` are members of the records."""
        chosen, token = self.page(request, equals=equals)
        return self._summaries(chosen, members) | token

    def list_among(self, bodies: list[Body], request: Request, *members: str) -> Response:
        """Like `list_page`, of these records only."""
        bodies = order(select(bodies, request, name=self.kind.name), request, members={"Name": self.kind.name})
        chosen, token = page(bodies, request)
        return self._summaries(chosen, members) | token

    def _summaries(self, bodies: list[Body], members: tuple[str, ...]) -> Response:
        """The source goes by a longer name in summaries."""
        noun = self.kind.noun
        named = (self.kind.name, self.kind.arn, "DisplayName", "CreationTime", "LastModifiedTime", *members)
        summaries = [
            pick(body, *named) | ({f"{noun}Source": body["Source"]} if "Source" in body else {}) for body in bodies
        ]
        return {f"{noun}Summaries": summaries}
