"""The records of one kind of named resource: looked up in constant time, listed page by page, with their tags."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.api.operations import Request
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.json_text import load
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import ResourceKind
from local_sagemaker.records.query import Position, Query
from local_sagemaker.records.store import AlreadyExists, Body
from local_sagemaker.services.sagemaker.tags import Tags

_ORDERS = {
    "CreationTime": "created",
    "LastModifiedTime": "modified",
    "Name": "name",
    "PipelineExecutionArn": "name",
    "Status": "status",
}
_BOUNDS = {
    "CreationTimeAfter": "created_after",
    "CreatedAfter": "created_after",
    "CreationTimeBefore": "created_before",
    "CreatedBefore": "created_before",
    "LastModifiedTimeAfter": "modified_after",
    "LastModifiedTimeBefore": "modified_before",
    "NameContains": "contains",
    "PipelineNamePrefix": "prefix",
    "StatusEquals": "status",
}
Wording = Callable[[str, str], ServiceError]
"""The error about a resource, by its name as the request has it, and its ARN."""


class ResourceRecords:
    """The records of a kind in a region. Names are equal when they differ only in case, as in AWS's look-ups."""

    def __init__(
        self, kind: ResourceKind, *, settings: Settings, records: Records, tags: Tags, missing: Wording, taken: Wording
    ) -> None:
        """`missing` and `taken` word AWS's errors for a resource that does not exist, and for a name that is in use."""
        self.kind = kind
        self._arns, self._records, self._tags, self._missing, self._taken = (
            settings.arns, records, tags, missing, taken,
        )  # fmt: skip

    def arn(self, name: str) -> str:
        """The ARN that a name has or would have: in lower case, as SageMaker writes it."""
        return self._arns.sagemaker(self.kind.kind, name.lower())

    def find(self, name: str) -> Body | None:
        """The record of a name, in any case."""
        row = self._records.find(self.kind.kind, name)
        return row[1] if row else None

    def require(self, name: str) -> Body:
        """The record of a name, in any case. Raises the kind's error when there is none."""
        body = self.find(name)
        if body is None:
            raise self._missing(name, self.arn(name))
        return body

    def refuse_taken(self, name: str) -> None:
        """Raises the kind's error when the name is in use."""
        if self.find(name) is not None:
            raise self._taken(name, self.arn(name))

    def insert(self, body: Body, tags: list[dict[str, str]] | None) -> None:
        """Adds a resource with its tags. Raises the kind's error when the name is in use."""
        name = body[self.kind.name]
        with self._records.transaction():
            self.refuse_taken(name)
            try:
                self._records.insert(self.kind.kind, name, body)
            except AlreadyExists as error:  # a key that is no name in this case
                raise self._taken(name, self.arn(name)) from error
            self._tags.put(body[self.kind.arn], tags)

    def update(self, name: str, change: Callable[[Body], Body | None]) -> Body | None:
        """Changes a record in one transaction, in place or by the returned body. None when there is none."""
        with self._records.transaction():
            row = self._records.find(self.kind.kind, name)
            return self._records.update(self.kind.kind, row[0], change) if row else None

    def delete(self, name: str) -> Body | None:
        """Removes a resource with its tags, and returns what was removed."""
        with self._records.transaction():
            row = self._records.find(self.kind.kind, name)
            if row is None:
                return None
            self._records.delete(self.kind.kind, row[0])
            self._tags.drop(row[1][self.kind.arn])
        return row[1]

    def page(
        self, request: Request, *, by: str = "CreationTime", direction: str = "Descending", default: int = 10,
        parent: str = "", equals: Mapping[str, Any] | None = None,
    ) -> tuple[list[Body], dict[str, str]]:  # fmt: skip
        """One page for a List request: see `page_of`."""
        return page_of(
            self._records, self.kind.kind, request, by=by, direction=direction, default=default, parent=parent,
            equals=equals,
        )  # fmt: skip


def page_of(
    records: Records, kind: str, request: Request, *, by: str = "CreationTime", direction: str = "Descending",
    default: int = 10, parent: str | None = "", equals: Mapping[str, Any] | None = None,
) -> tuple[list[Body], dict[str, str]]:  # fmt: skip
    """The bodies of a page, selected and sorted by the members that List requests share, and ``{"NextToken": ...}``
    when more follow. `by` and `direction` hold where the request does not say; `equals` are members of the bodies.

    A page does not move when something is added or removed before it: its token says behind which record it begins.
    """
    selected = {column: request[member] for member, column in _BOUNDS.items() if member in request}
    query = Query(
        kind,
        parent=parent,
        order=_ORDERS.get(request.get("SortBy", by), "created"),
        descending=request.get("SortOrder", direction) == "Descending",
        equals=equals or {},
        **selected,
    )
    after = _position(request["NextToken"], query) if request.get("NextToken") else None
    size = min(int(request.get("MaxResults", default)), 100)
    rows = records.page(query, size + 1, after)
    bodies = [body for _, body in rows[:size]]
    return bodies, {"NextToken": _token(rows[size - 1][0], query)} if len(rows) > size else {}


def _token(position: Position, query: Query) -> str:
    return base64.urlsafe_b64encode(json.dumps([query.order, *position]).encode()).decode()


def _position(token: str, query: Query) -> Position:
    try:
        order, value, sequence = load(base64.urlsafe_b64decode(token.encode()))
        if order != query.order or not isinstance(value, str | float | int) or not isinstance(sequence, int):
            raise ValueError(token)
    except (ValueError, TypeError) as error:
        raise ValidationError("Invalid pagination token.") from error
    return value, sequence
