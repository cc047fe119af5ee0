"""A build specification, version 0.2, read and checked before anything runs (CodeBuild user guide, "Build spec")."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

PHASES = ("install", "pre_build", "build", "post_build")
_TOP = ("version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache")
_IGNORED = ("cache", "proxy")
_ENV = ("shell", "variables", "parameter-store", "secrets-manager", "exported-variables", "git-credential-helper")
_PHASE = ("run-as", "on-failure", "runtime-versions", "commands", "finally", "steps")
_ARTIFACTS = ("files", "name", "discard-paths", "base-directory", "exclude-paths", "enable-symlinks", "s3-prefix",
              "secondary-artifacts")  # fmt: skip
_REPORT = ("files", "base-directory", "discard-paths", "file-format")
_FORMATS = ("JUNITXML", "COBERTURAXML", "CUCUMBERJSON", "TESTNGXML", "NUNITXML", "NUNIT3XML", "VISUALSTUDIOTRX",
            "CLOVERXML", "SIMPLECOV", "JACOCOXML")  # fmt: skip
_COUNTED = ("JUNITXML", "COBERTURAXML")
_ON_FAILURE = re.compile(r"ABORT|CONTINUE|RETRY(?:-(?P<count>\d{1,3})(?=-|$))?(?:-(?P<pattern>.+))?", re.DOTALL)
MOST_REPORTS = 5
RETRIES = 3
"""How often a build is run again on failure where ``RETRY`` has no number."""


class BuildspecError(ValueError):
    """The specification can't be executed; the message is what the build's phase shows."""


@dataclass(frozen=True)
class OnFailure:
    """What follows a failed phase. `retries` is 0 but for RETRY; `pattern` must be in the error's text."""

    action: str = ""
    retries: int = 0
    pattern: str = ""


@dataclass(frozen=True)
class PhaseSpec:
    """One phase's commands. `runtimes` are of the install phase."""

    name: str
    commands: tuple[str, ...] = ()
    finally_commands: tuple[str, ...] = ()
    on_failure: OnFailure = OnFailure()
    runtimes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ArtifactSpec:
    """Files that a build leaves. `identifier` is empty for the primary artifact."""

    files: tuple[str, ...]
    identifier: str = ""
    name: str = ""
    base_directory: str = ""
    discard_paths: bool = False
    exclude_paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReportSpec:
    """Test or coverage results."""

    name: str
    files: tuple[str, ...]
    base_directory: str = ""
    discard_paths: bool = False
    form: str = "JUNITXML"


@dataclass(frozen=True)
class Buildspec:
    """The whole specification. `ignored` are the top-level members that have no effect here."""

    phases: tuple[PhaseSpec, ...]
    shell: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    artifacts: tuple[ArtifactSpec, ...] = ()
    reports: tuple[ReportSpec, ...] = ()
    ignored: tuple[str, ...] = ()
    git_credentials: bool = False


class _TextLoader(yaml.SafeLoader):
    """YAML in which every scalar but a boolean is the text that stands there: ``3.10`` is no 3.1."""


_TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":bool", ":null", ":merge"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(text: str) -> Buildspec:
    """The specification of a text. Raises `BuildspecError`."""
    try:
        document = yaml.load(text, _TextLoader)
    except yaml.YAMLError as error:
        raise BuildspecError(f"YAML file is not well-formed: {' '.join(str(error).split())}") from error
    top = _read_mapping(document, "the build specification")
    version = top.get("version")
    if version is None:
        raise BuildspecError("Missing version in the build specification")
    if version != "0.2":
        raise BuildspecError(f"Unsupported build spec version {version}; the local service executes 0.2.")
    _refuse(top, _TOP, "")
    if "run-as" in top:
        raise BuildspecError("run-as is not executed by the local service.")
    env = _read_mapping(top.get("env") or {}, "env")
    _refuse(env, _ENV, "env/")
    return Buildspec(
        phases=_phases(_read_mapping(top.get("phases") or {}, "phases")),
        shell=str(env.get("shell") or ""),
        variables=_texts(env.get("variables"), "env/variables"),
        parameters=_texts(env.get("parameter-store"), "env/parameter-store"),
        secrets=_texts(env.get("secrets-manager"), "env/secrets-manager"),
        exported=_names(env.get("exported-variables"), "env/exported-variables"),
        artifacts=_artifacts(top.get("artifacts")),
        reports=_reports(top.get("reports")),
        git_credentials=_flag(env.get("git-credential-helper")),
        ignored=tuple(name for name in _IGNORED if top.get(name)),
    )  # fmt: skip


def _phases(document: dict[str, Any]) -> tuple[PhaseSpec, ...]:
    unknown = [name for name in document if name not in PHASES]
    if unknown:
        raise BuildspecError(f"Unknown phase in the build specification: {', '.join(unknown)}")
    if not document:
        raise BuildspecError("At least one phase is required in the build specification.")
    return tuple(_phase(name, _read_mapping(document.get(name) or {}, f"phases/{name}")) for name in PHASES)


def _phase(name: str, document: dict[str, Any]) -> PhaseSpec:
    _refuse(document, _PHASE, f"phases/{name}/")
    for member in ("run-as", "steps"):
        if member in document:
            raise BuildspecError(f"phases/{name}/{member} is not executed by the local service.")
    if "runtime-versions" in document and name != "install":
        raise BuildspecError("runtime-versions belongs to the install phase.")
    return PhaseSpec(
        name=name,
        commands=_commands(document.get("commands"), f"phases/{name}/commands"),
        finally_commands=_commands(document.get("finally"), f"phases/{name}/finally"),
        on_failure=_on_failure(document.get("on-failure"), name),
        runtimes=_texts(document.get("runtime-versions"), "phases/install/runtime-versions"),
    )


def _on_failure(value: Any, phase: str) -> OnFailure:
    if value is None:
        return OnFailure()
    match = _ON_FAILURE.fullmatch(str(value))
    if match is None:
        raise BuildspecError(f"phases/{phase}/on-failure is {value}; ABORT, CONTINUE or RETRY is expected.")
    if not str(value).startswith("RETRY"):
        return OnFailure(str(value))
    count = RETRIES if match["count"] is None else int(match["count"])
    pattern = match["pattern"] or ""
    if count > 100:
        raise BuildspecError(f"phases/{phase}/on-failure retries {count} times; 100 is the most.")
    try:
        re.compile(pattern)
    except re.error as error:
        raise BuildspecError(f"phases/{phase}/on-failure has no valid pattern: {pattern}") from error
    return OnFailure("RETRY", count, pattern)


def _artifacts(document: Any) -> tuple[ArtifactSpec, ...]:
    if not document:
        return ()
    top = _read_mapping(document, "artifacts")
    secondary = _read_mapping(top.get("secondary-artifacts") or {}, "artifacts/secondary-artifacts")
    found = [_artifact("", top)] if top.get("files") else []
    return (*found, *(_artifact(name, _read_mapping(part, name)) for name, part in secondary.items()))


def _artifact(identifier: str, document: dict[str, Any]) -> ArtifactSpec:
    place = f"artifacts/secondary-artifacts/{identifier}/" if identifier else "artifacts/"
    _refuse(document, _ARTIFACTS, place)
    for member in ("enable-symlinks", "s3-prefix"):
        if document.get(member):
            raise BuildspecError(f"{place}{member} is not executed by the local service.")
    return ArtifactSpec(
        files=_names(document.get("files"), f"{place}files"),
        identifier=identifier,
        name=str(document.get("name") or ""),
        base_directory=str(document.get("base-directory") or ""),
        discard_paths=_flag(document.get("discard-paths")),
        exclude_paths=_names(document.get("exclude-paths"), f"{place}exclude-paths"),
    )


def _reports(document: Any) -> tuple[ReportSpec, ...]:
    found = []
    for name, part in _read_mapping(document or {}, "reports").items():
        body = _read_mapping(part, f"reports/{name}")
        _refuse(body, _REPORT, f"reports/{name}/")
        form = str(body.get("file-format") or "JUNITXML").upper()
        if form not in _FORMATS:
            raise BuildspecError(f"reports/{name}/file-format {form} is none of {', '.join(_FORMATS)}.")
        if form not in _COUNTED:
            raise BuildspecError(f"reports/{name}/file-format {form} is not read by the local service.")
        files = _names(body.get("files"), f"reports/{name}/files")
        base = str(body.get("base-directory") or "")
        found.append(ReportSpec(name, files, base, _flag(body.get("discard-paths")), form))
    if len(found) > MOST_REPORTS:
        raise BuildspecError(f"A build has at most {MOST_REPORTS} reports; {len(found)} are given.")
    return tuple(found)


def _read_mapping(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BuildspecError(f"Expected {place} to be a map.")
    return value


def _refuse(document: dict[str, Any], known: tuple[str, ...], place: str) -> None:
    unknown = [name for name in document if name not in known]
    if unknown:
        raise BuildspecError(f"Unknown member in the build specification: {place}{unknown[0]}")


def _texts(value: Any, place: str) -> dict[str, str]:
    return {str(name): _text(part) for name, part in _read_mapping(value or {}, place).items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _names(value: Any, place: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BuildspecError(f"Expected {place} to be a list of texts.")
    return tuple(value)


def _commands(value: Any, place: str) -> tuple[str, ...]:
    items = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(items, list):
        raise BuildspecError(f"Expected {place} to be a list of commands.")
    for number, item in enumerate(items):
        if isinstance(item, dict | list):
            raise BuildspecError(f"Expected Commands[{number}] to be of string type: found subkeys instead at {place}")
    return tuple(_text(item) for item in items)


def _flag(value: Any) -> bool:
    return value in (True, "yes", "true")
