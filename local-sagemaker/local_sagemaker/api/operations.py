"""The spine: everything that changes state is an AWS operation, a name and a dict in, a dict out.

Clients over HTTP, the pipeline engine, the pages and the command line all go through one `Call`, which is injected
and never imported upwards. AWS is built the same way: a Training step *is* a CreateTrainingJob request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache, wraps
from typing import Any, TypeVar

from local_sagemaker.errors import NotSupported

Request = dict[str, Any]
Response = dict[str, Any]
Handler = Callable[[Request], Response]
Transaction = Callable[[], AbstractContextManager[object]]
Call = Callable[[str, Request], Response]
"""``call("sagemaker:CreateTrainingJob", {...})`` validates, executes and returns, or raises `ServiceError`."""


class Resource:
    """Base of classes that implement AWS operations; its lifecycle hooks do nothing by default."""

    def resume(self) -> None:
        """Takes up what a stop or a crash of the service interrupted; called once, when requests are served."""

    def reset(self) -> None:
        """Ends all work, before records and files are removed."""

    def close(self) -> None:
        """Ends all work; it is resumed at the next start."""


Method = TypeVar("Method", bound=Callable[..., Response])


def operation(*names: str, atomic: bool = False) -> Callable[[Method], Method]:
    """Marks a method ``(self, request) -> response`` of a resource class as the implementation of AWS operations.

    ``{noun}`` in a name stands for the noun of the class's `kind` of resource, for methods that several classes share.

    What is `atomic` is one transaction of the records, so that what it has checked still holds when it writes. Nobody
    else reads or writes within, hence it does nothing but that: no `call` to moto, no file, no lock that is held by
    somebody who reads records.
    """

    def mark(method: Method) -> Method:
        method.__operations__ = names  # type: ignore[attr-defined]
        method.__atomic__ = atomic  # type: ignore[attr-defined]
        return method

    return mark


def operations_of(resource: type[Resource]) -> tuple[tuple[str, str], ...]:
    """(operation, method) of the marked methods of a class; a method that overrides a marked one is marked, too."""
    implementation: Any = resource  # mypy takes no protocol's class for hashable
    return _operations_of(implementation)


@cache
def _operations_of(resource: Any) -> tuple[tuple[str, str], ...]:
    noun = getattr(getattr(resource, "kind", None), "noun", None)
    operations: list[tuple[str, str]] = []
    for attribute in dir(resource):
        marks = [getattr(vars(base).get(attribute), "__operations__", ()) for base in resource.__mro__]
        for name in next(filter(None, marks), ()):
            if noun is not None or "{" not in name:
                operations.append((name.format(noun=noun), attribute))
    return tuple(operations)


def is_atomic(resource: type[Resource], attribute: str) -> bool:
    """Whether a marked method is atomic; one that overrides it is what the marked one is, unless it is marked, too."""
    marks = (getattr(vars(base).get(attribute), "__atomic__", None) for base in resource.__mro__)
    return next((mark for mark in marks if mark is not None), False)


def table(service: str, resources: Iterable[Resource], transaction: Transaction = nullcontext) -> dict[str, Handler]:
    """All marked methods of the resources, by ``service:Operation``; atomic ones run in a `transaction`.

    An operation listed twice is an error.
    """
    handlers: dict[str, Handler] = {}
    for resource in resources:
        for name, attribute in operations_of(type(resource)):
            key = f"{service}:{name}"
            if key in handlers:
                raise ValueError(f"operation {key} is implemented twice")
            handler: Handler = getattr(resource, attribute)
            handlers[key] = _in_one(transaction, handler) if is_atomic(type(resource), attribute) else handler
    return handlers


def _in_one(transaction: Transaction, handler: Handler) -> Handler:
    @wraps(handler)
    def whole(request: Request) -> Response:
        with transaction():
            return handler(request)

    return whole


def refuse(name: str, _: Request) -> Response:
    """Refuses an operation that no service implements."""
    raise NotSupported(f"{name} is not supported by the local service.")


def dispatcher(
    handlers: Mapping[str, Handler], check: Callable[[str, Request], None], elsewhere: Call = refuse
) -> Call:
    """The `Call` over a table of handlers; `check` validates a request before its handler sees it.

    What the table lacks is for `elsewhere`, which refuses what no service has.
    """

    def call(name: str, request: Request) -> Response:
        handler = handlers.get(name)
        if handler is None:
            return elsewhere(name, request)
        check(name, request)
        return handler(request)

    return call
