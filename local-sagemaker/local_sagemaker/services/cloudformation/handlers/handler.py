"""What a stack does with a resource of one type: makes, changes, deletes it through the operations of its service."""

from __future__ import annotations

import json
import re
import secrets
import string
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from local_sagemaker.api import models
from local_sagemaker.api.operations import Call
from local_sagemaker.api.scalars import time_from_text
from local_sagemaker.errors import ServiceError
from local_sagemaker.services.cloudformation.custom_responses import CustomResponses

Properties = dict[str, Any]


@dataclass(frozen=True)
class Identity:
    """A resource that was made: its physical id, what Ref gives, what GetAtt gives by name.

    An update that `replaces` made another one, in the place of which the one before is deleted in the clean-up.
    """

    physical: str
    reference: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    replaces: bool = False


@dataclass(frozen=True)
class DeploymentContext:
    """What a handler works with. `cancelled` is set when the stack's operation fails elsewhere or the service ends.

    Of the last three only custom resources need anything.
    """

    call: Call
    account: str
    region: str
    stack: str
    logical: str
    cancelled: threading.Event
    keep: Callable[[Identity], None] = lambda _identity: None
    """Called with what a first call has made before others follow: should they fail, it is deleted with the stack."""
    stack_id: str = ""
    kind: str = ""
    responses: CustomResponses = field(default_factory=lambda: CustomResponses(""))

    def name(self, longest: int, *, lower: bool = False) -> str:
        """A name as CloudFormation makes it where the template gives none: ``stack-logical-RANDOM``."""
        random = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(12))
        head = f"{self.stack}-{self.logical}"[: longest - 13]
        text = f"{head}-{random}"
        return re.sub(r"[^a-z0-9-]", "-", text.lower()) if lower else text


class Handler(Protocol):
    """One resource type. Each method returns when the resource is as it should be, or raises `ServiceError`."""

    @property
    def name_property(self) -> str | None:
        """The property that is the resource's own name, where it has one that a template may give."""
        ...

    def with_name(self, context: DeploymentContext, properties: Properties, /) -> Properties:
        """The properties with a name, made where the template gives none."""
        ...

    def create(self, context: DeploymentContext, properties: Properties, /) -> Identity:
        """Makes the resource. Called again after a crash: what the name stands for already is it."""
        ...

    def find(self, context: DeploymentContext, properties: Properties, /) -> Identity:
        """The resource that the properties name. Raises the service's error when there is none."""
        ...

    def update(
        self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties, /
    ) -> Identity:
        """Changes it in place."""
        ...

    def delete(self, context: DeploymentContext, identity: Identity, properties: Properties, /) -> None:
        """Deletes it; what no longer exists is deleted."""
        ...


class Cancelled(Exception):
    """The work on a resource was given up because its stack's operation was."""


class MadeByAnother(ServiceError):
    """What a creation was given exists already, and is not the stack's: nothing was made."""

    code, status = "AlreadyExists", 409


Find = Callable[[DeploymentContext, Properties], Identity]


class UnnamedHandler:
    """Base of the handlers of what has no name that a template may leave out.

    It is known by what it belongs to, by a name that its type requires, or by an id that its service gives.
    """

    name_property: str | None = None

    def with_name(self, _context: DeploymentContext, properties: Properties, /) -> Properties:
        """As they are."""
        return properties


class ApiResource:
    """A type whose properties are the members of its service's requests, as those of SageMaker's are.

    `service` and the operations are botocore's names. `find` reads the identity of the resource that the properties
    name, and raises the service's error when there is none.
    """

    def __init__(
        self, service: str, *, create: str, delete: str, find: Find, name_property: str, longest: int = 63,
        update: str | None = None, deletion: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.name_property = name_property
        self._service, self._create, self._update, self._delete = service, create, update, delete
        self._find, self._longest, self._deletion = find, longest, deletion

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """With a name of CloudFormation's where the template gives none."""
        if self.name_property in properties:
            return properties
        return {**properties, self.name_property: context.name(self._longest)}

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it; the same again after a crash."""
        context.call(f"{self._service}:{self._create}", fit_to_operation(self._service, self._create, properties))
        return self._find(context, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """The resource that the properties name."""
        return self.describe(context, properties)

    def describe(self, context: DeploymentContext, properties: Properties) -> Identity:
        """What has the name, in whatever state it is: nothing is waited for."""
        return self._find(context, properties)

    def update(
        self, context: DeploymentContext, identity: Identity, _before: Properties, after: Properties
    ) -> Identity:
        """Changes it by the service's update operation."""
        if self._update is not None:
            context.call(f"{self._service}:{self._update}", fit_to_operation(self._service, self._update, after))
        return Identity(identity.physical, identity.reference, self._find(context, after).attributes)

    def delete(self, context: DeploymentContext, _identity: Identity, properties: Properties) -> None:
        """Deletes it by its name and the members that the deletion needs."""
        names = (self.name_property, *self._deletion)
        request = {name: properties[name] for name in names if name in properties}
        with ignore_absent("Could not find", "does not exist"):
            context.call(f"{self._service}:{self._delete}", request)


@contextmanager
def ignore_absent(*texts: str) -> Iterator[None]:
    """Lets a deletion pass when its resource no longer exists, by the error's code or one of the texts."""
    try:
        yield
    except ServiceError as error:
        if not is_absent(error, *texts):
            raise


def retag(
    context: DeploymentContext, call: tuple[str, str], target: Properties, before: Properties, after: Properties,
    *, keys: str = "TagKeys", tags: str = "Tags", form: str = "Key Value",
) -> None:  # fmt: skip
    """Makes a resource's tags those of a template, by the operations that tag and untag what `target` names.

    `keys` and `tags` are the members of the requests; `form` names the members of a tag, or is empty for a map.
    """
    wanted, present = _tags_of(after), _tags_of(before)
    removed = [name for name in present if name not in wanted]
    if removed:
        context.call(call[1], {**target, keys: removed})
    if wanted and wanted != present:
        names = form.split()
        rows = [dict(zip(names, item, strict=True)) for item in wanted.items()] if names else wanted
        context.call(call[0], {**target, tags: rows})


def _tags_of(properties: Properties) -> dict[str, str]:
    tags = properties.get("Tags") or {}
    return dict(tags) if isinstance(tags, dict) else {str(tag["Key"]): str(tag["Value"]) for tag in tags}


def policy_text(value: Any) -> str:
    """A policy document as requests have it: a template gives it as text or as an object."""
    return value if isinstance(value, str) else json.dumps(value)


def is_absent(error: ServiceError, *texts: str) -> bool:
    """Whether an error says that a resource does not exist."""
    return error.code.endswith(
        ("NotFound", "NotFoundException", "NoSuchEntity", "NoSuchBucket", "NonExistentQueue")
    ) or (any(text.lower() in error.message.lower() for text in texts))


def fit_to_operation(service: str, operation: str, properties: Properties) -> Properties:
    """The properties that are members of an operation's request, in its types: templates have numbers as texts."""
    shape: Any = models.operation(service, operation).input_shape
    return coerce(shape, {name: value for name, value in properties.items() if name in shape.members})


def coerce(shape: Any, value: Any) -> Any:
    """A template's value as a shape has it; what does not fit stays, for validation to name."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return {
            name: coerce(shape.members[name], part) if name in shape.members else part for name, part in value.items()
        }
    if kind == "list" and isinstance(value, list):
        return [coerce(shape.member, part) for part in value]
    if kind == "map" and isinstance(value, list) and all(isinstance(item, dict) and "Key" in item for item in value):
        value = {item["Key"]: item.get("Value", "") for item in value}  # tags, which templates list
    if kind == "map" and isinstance(value, dict):
        return {name: coerce(shape.value, part) for name, part in value.items()}
    return _scalar(kind, value)


def _scalar(kind: str, value: Any) -> Any:
    if kind == "string" and isinstance(value, int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if not isinstance(value, str):
        return value
    if kind == "timestamp":
        return time_from_text(value)
    if kind in ("integer", "long") and re.fullmatch(r"[+-]?\d+", value):
        return int(value)
    if kind in ("float", "double") and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value):
        return float(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return value
