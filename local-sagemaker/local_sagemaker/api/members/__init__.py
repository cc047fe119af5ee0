"""What the service does with each member of each request: the tables beside this module, one for each service.

A member acts, or it is recorded (kept and shown, which is all that AWS does with it), or it is kept although it acts on
AWS (with the reason, which docs/reference/members.md shows), or it is refused: by its operation, in AWS's words where
AWS has some, or by `refuse_unsupported`. A member that no table names is refused, too: it is newer than this version.
The members inside one that is recorded, kept or refused are not listed.

Tables name members by the shape that they are in. A test compares them with botocore's models.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from local_sagemaker.api import models
from local_sagemaker.api.scalars import Shape
from local_sagemaker.errors import NotSupported

KINDS = ("acts", "recorded", "kept", "refused_by_operation", "refused")
_NEWER = "It is newer than this version of the local service."


@dataclass(frozen=True)
class Support:
    """What is done with a member. `allowed` are values of a refused one that are what the service does anyway."""

    kind: str
    reason: str = ""
    allowed: tuple[Any, ...] = ()


@dataclass
class Refusals:
    """The refused members of a structure, and the members that have some inside, also in lists."""

    members: dict[str, Support] = field(default_factory=dict)
    inside: dict[str, Refusals] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.members or self.inside)


def refuse_unsupported(name: str, request: Mapping[str, Any]) -> None:
    """Raises NotSupported, which names the member and says why, for a request of ``"sagemaker:CreateTrainingJob"``."""
    for refusal in list_unsupported(name, request):
        raise NotSupported(refusal)


def list_unsupported(name: str, request: Mapping[str, Any]) -> Iterator[str]:
    """What is refused of a request, as sentences with the member's path, such as ``ResourceConfig.InstanceGroups``.

    Empty values and False ask for nothing where no values are allowed. In arguments of steps, an expression is taken in
    the place of a value that may be allowed: what it stands for is looked at when the step runs.
    """
    refusals = _refusals(name)
    for path, support in _make_refusal(refusals, request, "") if refusals else ():
        yield f"{path} is not supported by the local service. {support.reason}"


def refuses(service: str, structure: str, member: str, value: Any) -> bool:
    """Whether a service refuses a value of a structure's member, by its operation or before."""
    support = table(service).get(f"{structure}.{member}")
    return support is not None and support.kind in ("refused", "refused_by_operation") and _applies(value, support)


def _make_refusal(refusals: Refusals, value: Mapping[str, Any], path: str) -> Iterator[tuple[str, Support]]:
    for member in refusals.members.keys() & value.keys():
        if _applies(value[member], refusals.members[member]):
            yield f"{path}{member}", refusals.members[member]
    for member in refusals.inside.keys() & value.keys():
        for structure in _structures(value[member]):
            yield from _make_refusal(refusals.inside[member], structure, f"{path}{member}.")


@cache
def table(service: str) -> dict[str, Support]:
    """The members of a service's requests, as ``Shape.Member``."""
    file = resources.files(__package__) / f"{service}.toml"
    if not file.is_file():
        return {}
    document = tomllib.loads(file.read_text("utf-8"))
    supports: dict[str, Support] = {}
    for kind in KINDS:
        rows = document.get(kind, [])
        for row in rows if isinstance(rows, list) else [{"reason": "", "members": rows}]:
            for member in _list_names(row["members"]):
                if member in supports:
                    raise ValueError(f"{member} is listed twice in {service}.toml")
                allowed = row.get("unless", {}).get(member, ())
                supports[member] = Support(kind, row["reason"], tuple(allowed))
    return supports


def reachable(service: str, operation: str) -> Iterator[str]:
    """All members of an operation's request, as ``Shape.Member``, but for those inside one that does not act."""
    shape = models.operation(service, operation).input_shape
    seen: set[str] = set()
    pending = [shape] if shape is not None else []
    while pending:
        structure = _structure(pending.pop())
        if structure is None or structure.name in seen:
            continue
        seen.add(structure.name)
        for member, inner in structure.members.items():
            name = f"{structure.name}.{member}"
            yield name
            support = table(service).get(name)
            if support is None or support.kind == "acts":
                pending.append(inner)


@lru_cache(maxsize=1024)
def _refusals(name: str) -> Refusals | None:
    """None where nothing is refused; services that moto serves have no table."""
    service, _, operation = name.partition(":")
    shape = models.operation(service, operation).input_shape if table(service) else None
    refusals = Refusals() if shape is None else _refusals_of(service, shape, ())
    return refusals if refusals else None


def _refusals_of(service: str, shape: Shape, above: tuple[str, ...]) -> Refusals:
    """`above` are the structures that this one is in: some hold themselves."""
    refusals = Refusals()
    structure = _structure(shape)
    if structure is None or structure.name in above:
        return refusals
    for member, inner in structure.members.items():
        support = table(service).get(f"{structure.name}.{member}", Support("refused", _NEWER))
        if support.kind == "refused":
            refusals.members[member] = support
        elif support.kind == "acts" and (deeper := _refusals_of(service, inner, (*above, structure.name))):
            refusals.inside[member] = deeper
    return refusals


def _structure(shape: Shape) -> Shape | None:
    """The structure that a shape is, or is a list or a map of."""
    while shape.type_name in ("list", "map"):
        shape = shape.member if shape.type_name == "list" else shape.value
    return shape if shape.type_name == "structure" and not getattr(shape, "is_document_type", False) else None


def _structures(value: Any) -> Iterator[Mapping[str, Any]]:
    """The structures in lists of such; maps of structures are none of those that have refused members."""
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _structures(item)


def _applies(value: Any, support: Support) -> bool:
    """Whether a value of a refused member requests something."""
    if not support.allowed:
        return bool(value)
    return value is not None and not isinstance(value, dict) and value not in support.allowed


def _list_names(members: Mapping[str, str]) -> Iterator[str]:
    for shape, names in members.items():
        for name in names.split():
            yield f"{shape}.{name}"
