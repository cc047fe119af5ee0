"""A pipeline definition: JSON text -> frozen dataclasses.

Reads the forms that SDK v2 and v3 write and hand-written ones; null means absent everywhere. Only the grammar is
looked at here; what needs the whole tree (references, cycles, step types, arguments) is checked in `validation`.
Source of the grammar: the public definition schema 2020-12-01 and the SDKs' own serialisers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from local_sagemaker.engine.durations import seconds
from local_sagemaker.engine.grammar import (
    Json,
    invalid,
    quote,
    read_array,
    read_name,
    read_object,
    read_text,
    without_nulls,
)
from local_sagemaker.errors import ValidationError
from local_sagemaker.json_text import JsonError, load

VERSION = "2020-12-01"
MAX_PARAMETERS = 200
MAX_DESCRIPTION = 4096
PARAMETER_TYPES = ("String", "Integer", "Boolean", "Float")
_TOP = ("Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps")
RETRY_CAUSES = (
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
    "Emr.RESOURCE_LIMIT",
)
_METADATA_KEY = re.compile(r"[A-Za-z0-9\-_]{1,128}")


@dataclass(frozen=True)
class PipelineParameter:
    """A declared pipeline parameter; `default` is None when an execution must give the value."""

    name: str
    type: str
    default: Json = None
    enum: tuple[str, ...] = ()
    description: str | None = None


class StepTrigger(StrEnum):
    """The outcome of a step on which another one runs."""

    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    ANY = "Any"


@dataclass(frozen=True)
class Dependency:
    """An entry of DependsOn: which step, and on which of its outcomes the dependent runs."""

    step: str
    trigger: StepTrigger = StepTrigger.COMPLETED


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
    keys: frozenset[str] = frozenset()
    """The names of all step-level members that the definition gives."""
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

    parameters: Mapping[str, PipelineParameter]
    steps: Mapping[str, Step]
    experiment: Json = None
    mlflow: Json = None


def parse(text: str) -> Definition:
    """Reads a definition. Raises ValidationError with AWS's wording where that is known."""
    try:
        document = load(text, constants=False)
    except JsonError as error:
        # AWS's text for what is no JSON at all has no reason in it.
        known = "Expecting start of Json Object."
        raise invalid(f"The definition can't be read: {error}." if text.lstrip()[:1] == "{" else known) from error
    document = read_object(without_nulls(document), *_TOP)
    if document.get("Version", VERSION) != VERSION:
        raise invalid(f"Version '{document['Version']}' is not supported; it must be '{VERSION}'.")
    _check_metadata(document.get("Metadata", {}))
    parameters = _parameters(document.get("Parameters", []))
    if "Steps" not in document:
        raise invalid("The definition has no Steps.")
    steps: dict[str, Step] = {}
    for step in _steps(document["Steps"], None, True):
        if step.name in steps:
            # The text, without the usual beginning: aws/sagemaker-python-sdk issue 2701.
            raise ValidationError(f"Step name [{step.name}] is used multiple times.")
        steps[step.name] = step
    experiment, mlflow = document.get("PipelineExperimentConfig"), document.get("MlflowConfig")
    return Definition(
        parameters=MappingProxyType(parameters),
        steps=MappingProxyType(steps),
        experiment=None if experiment is None else read_object(experiment, "ExperimentName", "TrialName"),
        mlflow=None if mlflow is None else read_object(mlflow, "MlflowResourceArn", "MlflowExperimentName"),
    )


def _check_metadata(metadata: Json) -> None:
    pairs = read_object(metadata)
    if len(pairs) > 20:
        raise invalid("Metadata can have at most 20 entries.")
    for key, value in pairs.items():
        if not _METADATA_KEY.fullmatch(key):
            raise invalid(f"Metadata key '{key}' must match ^[A-Za-z0-9\\-_]{{1,128}}$.")
        read_text("Metadata", f"'{key}'", value, 1024)


def _parameters(items: Json) -> dict[str, PipelineParameter]:
    parameters: dict[str, PipelineParameter] = {}
    for item in read_array(items):
        parameter = _parameter(read_object(item, "Name", "Type", "DefaultValue", "EnumValues", "Description"))
        if parameter.name in parameters:
            raise invalid(f"Parameter names must be unique: '{parameter.name}' is used more than once.")
        parameters[parameter.name] = parameter
    if len(parameters) > MAX_PARAMETERS:
        raise invalid(f"A pipeline can have at most {MAX_PARAMETERS} parameters, not {len(parameters)}.")
    return parameters


def _parameter(item: dict[str, Json]) -> PipelineParameter:
    name = read_name("Parameter", item.get("Name"))
    kind = item.get("Type", "String")  # the public schema lets the Type of a string parameter be left out
    if kind not in PARAMETER_TYPES:
        known = ", ".join(PARAMETER_TYPES)
        raise invalid(f"Type of parameter '{name}' must be one of {known}, not {quote(kind)}.")
    default = item.get("DefaultValue")
    if default is not None and not _is_of_type(default, kind):
        raise invalid(f"DefaultValue of parameter '{name}' must be of type {kind}, not {quote(default)}.")
    if kind == "String" and default is not None:
        read_text(f"parameter '{name}'", "DefaultValue", default, 4096)
    enum = read_array(item.get("EnumValues", []))
    if enum and kind != "String":
        raise invalid(f"EnumValues of parameter '{name}' are only for the type String.")
    if len(enum) > 16:
        raise invalid(f"Parameter '{name}' can have at most 16 EnumValues.")
    values = tuple(read_text(f"parameter '{name}'", "Each of EnumValues", value, 2048) for value in enum)
    if values and default is not None and default not in values:
        raise invalid(f"DefaultValue of parameter '{name}' is not one of its EnumValues {list(values)}.")
    description = item.get("Description")
    if description is not None:
        read_text(f"parameter '{name}'", "Description", description, MAX_DESCRIPTION)
    return PipelineParameter(name, kind, default, values, description)


_LARGEST = 2**63 - 1


def _is_of_type(value: Json, kind: str) -> bool:
    if kind == "Boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "String":
        return isinstance(value, str)
    if not isinstance(value, int | float if kind == "Float" else int):
        return False
    return -_LARGEST <= value <= _LARGEST  # not infinite either


COMMON = frozenset({"Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description"})
"""Step-level members that steps of all types may have."""
_PARSED = COMMON | {"CacheConfig", "RetryPolicies", "PropertyFiles"}


def _steps(items: Json, parent: str | None, branch: bool) -> Iterator[Step]:
    for item in map(read_object, read_array(items)):
        step = _step(item, parent, branch)
        yield step
        if step.type == "Condition":
            yield from _steps(step.arguments.get("IfSteps", []), step.name, True)
            yield from _steps(step.arguments.get("ElseSteps", []), step.name, False)


def _step(item: dict[str, Json], parent: str | None, branch: bool) -> Step:
    name = read_name("Step", item.get("Name"))
    if not isinstance(item.get("Type"), str):
        raise invalid(f"Step '{name}' has no Type.")
    owner = f"step '{name}'"
    for member, limit in (("DisplayName", 256), ("Description", MAX_DESCRIPTION)):
        if member in item:
            read_text(owner, member, item[member], limit)
    files = [_property_file(name, entry) for entry in read_array(item.get("PropertyFiles", []))]
    return Step(
        name=name,
        type=item["Type"],
        arguments=read_object(item.get("Arguments", {})),
        keys=frozenset(item),
        depends_on=tuple(_dependency(name, entry) for entry in read_array(item.get("DependsOn", []))),
        display_name=item.get("DisplayName"),
        description=item.get("Description"),
        cache=_cache(name, item.get("CacheConfig", {})),
        retry_policies=tuple(_retry(name, entry) for entry in read_array(item.get("RetryPolicies", []))),
        property_files=MappingProxyType({file.name: file for file in files}),
        members=MappingProxyType({key: value for key, value in item.items() if key not in _PARSED}),
        parent=parent,
        branch=branch,
    )


def _dependency(step: str, entry: Json) -> Dependency:
    if isinstance(entry, str):
        return Dependency(entry)
    trigger = (
        read_object(entry, "Step", "Trigger").get("Trigger", StepTrigger.COMPLETED) if isinstance(entry, dict) else None
    )
    if trigger not in tuple(StepTrigger) or not isinstance(entry.get("Step"), str):
        raise invalid(
            f"DependsOn of step '{step}' must hold step names or objects of Step and Trigger "
            f"({', '.join(StepTrigger)}), not {quote(entry)}."
        )
    return Dependency(entry["Step"], StepTrigger(trigger))


def _property_file(step: str, value: Json) -> PropertyFile:
    entry = read_object(value, "PropertyFileName", "OutputName", "FilePath")
    values = [entry.get(member) for member in ("PropertyFileName", "OutputName", "FilePath")]
    if not all(isinstance(value, str) and value for value in values):
        raise invalid(f"PropertyFiles of step '{step}' need PropertyFileName, OutputName and FilePath.")
    return PropertyFile(*map(str, values))


def _cache(step: str, value: Json) -> CacheConfig:
    entry = read_object(value, "Enabled", "ExpireAfter")
    enabled = entry.get("Enabled", False)
    if not isinstance(enabled, bool):
        raise invalid(f"CacheConfig.Enabled of step '{step}' must be true or false.")
    if not enabled or "ExpireAfter" not in entry:
        return CacheConfig(enabled)  # AWS ignores ExpireAfter when caching is off
    try:
        return CacheConfig(True, seconds(str(entry["ExpireAfter"])))
    except ValueError as error:
        raise invalid(f"CacheConfig.ExpireAfter of step '{step}': {error}") from error


def _retry(step: str, value: Json) -> RetryPolicy:
    entry = read_object(value, "ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin")
    causes = entry.get("ExceptionType", [])
    causes = [causes] if isinstance(causes, str) else read_array(causes)
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
