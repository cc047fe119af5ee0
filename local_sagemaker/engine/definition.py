"""A pipeline definition: JSON text -> frozen dataclasses.

Reads the forms that SDK v2 and v3 write and hand-written ones; null means absent everywhere. Only the grammar is
looked at here; what needs the whole tree (references, cycles, step types, arguments) is checked in `validation`.
Source of the grammar: the public definition schema 2020-12-01 and the SDKs' own serialisers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from local_sagemaker.engine.durations import seconds
from local_sagemaker.errors import ValidationError

PREFIX = "Unable to parse pipeline definition."
VERSION = "2020-12-01"
MAX_PARAMETERS = 200
MAX_DESCRIPTION = 4096
PARAMETER_TYPES = ("String", "Integer", "Boolean", "Float")
TRIGGERS = ("Completed", "Failed", "Stopped", "Any")
RETRY_CAUSES = (
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
    "Emr.RESOURCE_LIMIT",
)
_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
_METADATA_KEY = re.compile(r"[A-Za-z0-9\-_]{1,128}")

Json = Any


def invalid(text: str) -> ValidationError:
    """The error of a definition that can't be read, as AWS words its beginning."""
    return ValidationError(f"{PREFIX} {text}")


@dataclass(frozen=True)
class Parameter:
    """A declared pipeline parameter; `default` is None when an execution must give the value."""

    name: str
    type: str
    default: Json = None
    enum: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True)
class Dependency:
    """An entry of DependsOn: which step, and on which of its outcomes the dependent runs."""

    step: str
    trigger: str = "Completed"


@dataclass(frozen=True)
class RetryPolicy:
    """One retry policy. Exactly one of `max_attempts` and `expire_after` (seconds) bounds it."""

    causes: tuple[str, ...]
    interval: float = 1.0
    backoff: float = 2.0
    max_attempts: int | None = 5
    expire_after: float | None = None


@dataclass(frozen=True)
class CacheConfig:
    """Whether earlier runs of the step may stand in for it; `expire_after` in seconds, None: any age."""

    enabled: bool = False
    expire_after: float | None = None


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file in an output of a processing step, which JsonGet reads."""

    name: str
    output: str
    path: str


@dataclass(frozen=True)
class Step:
    """One step. `members` are its other step-level members (``SkipCheck``, ``ModelName``, ...) as written."""

    name: str
    type: str
    arguments: Json
    depends_on: tuple[Dependency, ...] = ()
    display_name: str | None = None
    description: str | None = None
    cache: CacheConfig = CacheConfig()
    retry_policies: tuple[RetryPolicy, ...] = ()
    property_files: Mapping[str, PropertyFile] = field(default_factory=lambda: MappingProxyType({}))
    members: Mapping[str, Json] = field(default_factory=lambda: MappingProxyType({}))
    parent: str | None = None
    branch: bool = True
    """The outcome of the condition `parent` under which the step runs."""


@dataclass(frozen=True)
class Definition:
    """A whole definition; `steps` holds every step of the tree, parents before their children."""

    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]
    experiment: Json = None
    mlflow: Json = None


def parse(text: str) -> Definition:
    """Reads a definition. Raises ValidationError with AWS's wording where that is known."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise invalid("Expecting start of Json Object.") from error
    document = _object(without_nulls(document))
    if document.get("Version", VERSION) != VERSION:
        raise invalid(f"Version '{document['Version']}' is not supported; it must be '{VERSION}'.")
    _check_metadata(document.get("Metadata", {}))
    parameters = _parameters(document.get("Parameters", []))
    if "Steps" not in document:
        raise invalid("The definition has no Steps.")
    steps: dict[str, Step] = {}
    for step in _steps(document["Steps"], None, True):
        if step.name in steps:
            raise invalid(f"Step names must be unique: '{step.name}' is used more than once.")
        steps[step.name] = step
    experiment = document.get("PipelineExperimentConfig")
    return Definition(
        parameters=MappingProxyType(parameters),
        steps=MappingProxyType(steps),
        experiment=_object(experiment) if experiment is not None else None,
        mlflow=document.get("MlflowConfig"),
    )


def without_nulls(value: Json) -> Json:
    """The value without object members that are null, at any depth."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise invalid("Expecting start of Json Object.")
    return value


def _array(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise invalid("Expecting start of Json Array.")
    return value


def _text(owner: str, member: str, value: Json, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise invalid(f"{member} of {owner} must be a string of at most {limit} characters.")
    return value


def _name(what: str, value: Json) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise invalid(f"{what} name {json.dumps(value)} must match ^[A-Za-z0-9\\-_]{{1,64}}$.")
    return value


def _check_metadata(metadata: Json) -> None:
    pairs = _object(metadata)
    if len(pairs) > 20:
        raise invalid("Metadata can have at most 20 entries.")
    for key, value in pairs.items():
        if not _METADATA_KEY.fullmatch(key):
            raise invalid(f"Metadata key '{key}' must match ^[A-Za-z0-9\\-_]{{1,128}}$.")
        _text("Metadata", f"'{key}'", value, 1024)


def _parameters(items: Json) -> dict[str, Parameter]:
    parameters: dict[str, Parameter] = {}
    for item in map(_object, _array(items)):
        parameter = _parameter(item)
        if parameter.name in parameters:
            raise invalid(f"Parameter names must be unique: '{parameter.name}' is used more than once.")
        parameters[parameter.name] = parameter
    if len(parameters) > MAX_PARAMETERS:
        raise invalid(f"A pipeline can have at most {MAX_PARAMETERS} parameters, not {len(parameters)}.")
    return parameters


def _parameter(item: dict[str, Json]) -> Parameter:
    name = _name("Parameter", item.get("Name"))
    kind = item.get("Type")
    if kind not in PARAMETER_TYPES:
        known = ", ".join(PARAMETER_TYPES)
        raise invalid(f"Type of parameter '{name}' must be one of {known}, not {json.dumps(kind)}.")
    default = item.get("DefaultValue")
    if default is not None and not _is_of_type(default, kind):
        raise invalid(f"DefaultValue of parameter '{name}' must be of type {kind}, not {json.dumps(default)}.")
    if kind == "String" and default is not None:
        _text(f"parameter '{name}'", "DefaultValue", default, 4096)
    enum = _array(item.get("EnumValues", []))
    if enum and kind != "String":
        raise invalid(f"EnumValues of parameter '{name}' are only for the type String.")
    if len(enum) > 16:
        raise invalid(f"Parameter '{name}' can have at most 16 EnumValues.")
    values = tuple(_text(f"parameter '{name}'", "Each of EnumValues", value, 2048) for value in enum)
    if values and default is not None and default not in values:
        raise invalid(f"DefaultValue of parameter '{name}' is not one of its EnumValues {list(values)}.")
    return Parameter(name, kind, default, values, item.get("Description"))


def _is_of_type(value: Json, kind: str) -> bool:
    if kind == "Boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "Float":
        return isinstance(value, int | float)
    return isinstance(value, int if kind == "Integer" else str)


_COMMON = {
    "Name",
    "Type",
    "Arguments",
    "DependsOn",
    "DisplayName",
    "Description",
    "CacheConfig",
    "RetryPolicies",
    "PropertyFiles",
}


def _steps(items: Json, parent: str | None, branch: bool) -> Iterator[Step]:
    for item in map(_object, _array(items)):
        step = _step(item, parent, branch)
        yield step
        if step.type == "Condition":
            yield from _steps(step.arguments.get("IfSteps", []), step.name, True)
            yield from _steps(step.arguments.get("ElseSteps", []), step.name, False)


def _step(item: dict[str, Json], parent: str | None, branch: bool) -> Step:
    name = _name("Step", item.get("Name"))
    if not isinstance(item.get("Type"), str):
        raise invalid(f"Step '{name}' has no Type.")
    owner = f"step '{name}'"
    for member, limit in (("DisplayName", 256), ("Description", MAX_DESCRIPTION)):
        if member in item:
            _text(owner, member, item[member], limit)
    files = [_property_file(name, _object(entry)) for entry in _array(item.get("PropertyFiles", []))]
    return Step(
        name=name,
        type=item["Type"],
        arguments=_object(item.get("Arguments", {})),
        depends_on=tuple(_dependency(name, entry) for entry in _array(item.get("DependsOn", []))),
        display_name=item.get("DisplayName"),
        description=item.get("Description"),
        cache=_cache(name, _object(item.get("CacheConfig", {}))),
        retry_policies=tuple(_retry(name, _object(entry)) for entry in _array(item.get("RetryPolicies", []))),
        property_files=MappingProxyType({file.name: file for file in files}),
        members=MappingProxyType({key: value for key, value in item.items() if key not in _COMMON}),
        parent=parent,
        branch=branch,
    )


def _dependency(step: str, entry: Json) -> Dependency:
    if isinstance(entry, str):
        return Dependency(entry)
    trigger = entry.get("Trigger", "Completed") if isinstance(entry, dict) else None
    if trigger not in TRIGGERS or not isinstance(entry.get("Step"), str):
        raise invalid(
            f"DependsOn of step '{step}' must hold step names or objects of Step and Trigger "
            f"({', '.join(TRIGGERS)}), not {json.dumps(entry)}."
        )
    return Dependency(entry["Step"], trigger)


def _property_file(step: str, entry: dict[str, Json]) -> PropertyFile:
    values = [entry.get(member) for member in ("PropertyFileName", "OutputName", "FilePath")]
    if not all(isinstance(value, str) and value for value in values):
        raise invalid(f"PropertyFiles of step '{step}' need PropertyFileName, OutputName and FilePath.")
    return PropertyFile(*map(str, values))


def _cache(step: str, entry: dict[str, Json]) -> CacheConfig:
    enabled = entry.get("Enabled", False)
    if not isinstance(enabled, bool):
        raise invalid(f"CacheConfig.Enabled of step '{step}' must be true or false.")
    if not enabled or "ExpireAfter" not in entry:
        return CacheConfig(enabled)  # AWS ignores ExpireAfter when caching is off
    try:
        return CacheConfig(True, seconds(str(entry["ExpireAfter"])))
    except ValueError as error:
        raise invalid(f"CacheConfig.ExpireAfter of step '{step}': {error}") from error


def _retry(step: str, entry: dict[str, Json]) -> RetryPolicy:
    causes = entry.get("ExceptionType", [])
    causes = [causes] if isinstance(causes, str) else _array(causes)
    unknown = [cause for cause in causes if cause not in RETRY_CAUSES]
    if unknown or not causes:
        raise invalid(f"ExceptionType in RetryPolicies of step '{step}' must be of {', '.join(RETRY_CAUSES)}.")
    if "MaxAttempts" in entry and "ExpireAfterMin" in entry:
        raise invalid(f"RetryPolicies of step '{step}' can't have both MaxAttempts and ExpireAfterMin.")
    interval = _number(step, entry, "IntervalSeconds", 1, 1, 43200)
    backoff = _number(step, entry, "BackoffRate", 2.0, 0, 1_000_000)
    if "ExpireAfterMin" in entry:
        minutes = _number(step, entry, "ExpireAfterMin", 0, 0, 14400)
        return RetryPolicy(tuple(causes), interval, backoff, None, minutes * 60)
    attempts = int(_number(step, entry, "MaxAttempts", 5, 0, 20))
    return RetryPolicy(tuple(causes), interval, backoff, attempts, None)


def _number(step: str, entry: dict[str, Json], member: str, default: float, low: float, high: float) -> float:
    value = entry.get(member, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise invalid(f"{member} in RetryPolicies of step '{step}' must be a number from {low} to {high}.")
    return float(value)
