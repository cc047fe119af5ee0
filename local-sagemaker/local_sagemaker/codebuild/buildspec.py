"""A build specification, version 0.2, read and checked before anything runs (CodeBuild user guide, "Build spec")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.codebuild.spec_values import (
    BuildspecError,
    as_text,
    is_set,
    load,
    read_mapping,
    read_names,
    read_texts,
)

__all__ = ["Buildspec", "BuildspecError", "parse"]

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
SHELLS = ("bash", "/bin/sh")
"""Those of Linux; Windows has others."""
MOST_REPORTS = 5
RETRIES = 3
"""How often a build is run again on failure where ``RETRY`` has no number."""


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
    """The whole specification. `ignored` are members without an effect here; `unknown` are none of CodeBuild's."""

    phases: tuple[PhaseSpec, ...]
    shell: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    artifacts: tuple[ArtifactSpec, ...] = ()
    reports: tuple[ReportSpec, ...] = ()
    ignored: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    git_credentials: bool = False


def parse(text: str) -> Buildspec:
    """The specification of a text. Raises `BuildspecError`."""
    top = load(text)
    _check_user(top, "")
    env = read_mapping(top.get("env") or {}, "env")
    return Buildspec(
        phases=_phases(read_mapping(top.get("phases") or {}, "phases")),
        shell=_shell(env.get("shell")),
        variables=read_texts(env.get("variables"), "env/variables"),
        parameters=read_texts(env.get("parameter-store"), "env/parameter-store"),
        secrets=read_texts(env.get("secrets-manager"), "env/secrets-manager"),
        exported=read_names(env.get("exported-variables"), "env/exported-variables"),
        artifacts=_artifacts(top.get("artifacts")),
        reports=_reports(top.get("reports")),
        git_credentials=is_set(env.get("git-credential-helper")),
        ignored=tuple(name for name in _IGNORED if top.get(name)),
        unknown=tuple(_unknown(top)),
    )  # fmt: skip


def _unknown(top: dict[str, Any]) -> Iterator[str]:
    """Paths of members that CodeBuild does not have: it passes over them, and so do public specifications' builds."""
    artifacts = top.get("artifacts") or {}
    parts = [
        ("", top, _TOP),
        ("env/", top.get("env") or {}, _ENV),
        *((f"phases/{name}/", phase or {}, _PHASE) for name, phase in (top.get("phases") or {}).items()),
        ("artifacts/", artifacts, _ARTIFACTS),
        *((f"artifacts/secondary-artifacts/{name}/", part, _ARTIFACTS)
          for name, part in (artifacts.get("secondary-artifacts") or {}).items()),
        *((f"reports/{name}/", part, _REPORT) for name, part in (top.get("reports") or {}).items()),
    ]  # fmt: skip
    return (f"{place}{name}" for place, document, known in parts for name in document if name not in known)


def _phases(document: dict[str, Any]) -> tuple[PhaseSpec, ...]:
    for name in document:
        if name not in PHASES:
            raise BuildspecError(f"Invalid buildspec phase name: {name}. Expecting: {','.join(sorted(PHASES))}")
    if not document:
        raise BuildspecError("At least one phase is required in the build specification.")
    return tuple(_phase(name, read_mapping(document.get(name) or {}, f"phases/{name}")) for name in PHASES)


def _phase(name: str, document: dict[str, Any]) -> PhaseSpec:
    _check_user(document, f"phases/{name}/")
    if "steps" in document:
        raise BuildspecError(f"phases/{name}/steps is not executed by the local service.")
    if "runtime-versions" in document and name != "install":
        raise BuildspecError("runtime-versions belongs to the install phase.")
    return PhaseSpec(
        name=name,
        commands=_commands(document.get("commands"), f"phases/{name}/commands"),
        finally_commands=_commands(document.get("finally"), f"phases/{name}/finally"),
        on_failure=_on_failure(document.get("on-failure"), name),
        runtimes=read_texts(document.get("runtime-versions"), "phases/install/runtime-versions"),
    )


def _check_user(document: dict[str, Any], place: str) -> None:
    """Of ``run-as`` there is ``root``: AWS's own user, whose place the service's user has."""
    if document.get("run-as") not in (None, "root"):
        raise BuildspecError(f"{place}run-as {document['run-as']} is not executed by the local service.")


def _shell(value: Any) -> str:
    if value is not None and value not in SHELLS:
        raise BuildspecError(f"env/shell is {value}; {' or '.join(SHELLS)} is expected.")
    return str(value or "")


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
    top = read_mapping(document, "artifacts")
    secondary = read_mapping(top.get("secondary-artifacts") or {}, "artifacts/secondary-artifacts")
    artifacts = [_artifact("", top)] if top.get("files") else []
    return (*artifacts, *(_artifact(name, read_mapping(part, name)) for name, part in secondary.items()))


def _artifact(identifier: str, document: dict[str, Any]) -> ArtifactSpec:
    place = f"artifacts/secondary-artifacts/{identifier}/" if identifier else "artifacts/"
    for member in ("enable-symlinks", "s3-prefix"):
        if document.get(member):
            raise BuildspecError(f"{place}{member} is not executed by the local service.")
    return ArtifactSpec(
        files=read_names(document.get("files"), f"{place}files"),
        identifier=identifier,
        name=str(document.get("name") or ""),
        base_directory=str(document.get("base-directory") or ""),
        discard_paths=is_set(document.get("discard-paths")),
        exclude_paths=read_names(document.get("exclude-paths"), f"{place}exclude-paths"),
    )


def _reports(document: Any) -> tuple[ReportSpec, ...]:
    reports = []
    for name, part in read_mapping(document or {}, "reports").items():
        body = read_mapping(part, f"reports/{name}")
        form = str(body.get("file-format") or "JUNITXML").upper()
        if form not in _FORMATS:
            raise BuildspecError(f"reports/{name}/file-format {form} is none of {', '.join(_FORMATS)}.")
        if form not in _COUNTED:
            raise BuildspecError(f"reports/{name}/file-format {form} is not read by the local service.")
        files = read_names(body.get("files"), f"reports/{name}/files")
        base = str(body.get("base-directory") or "")
        reports.append(ReportSpec(name, files, base, is_set(body.get("discard-paths")), form))
    if len(reports) > MOST_REPORTS:
        raise BuildspecError(f"A build has at most {MOST_REPORTS} reports; {len(reports)} are given.")
    return tuple(reports)


def _commands(value: Any, place: str) -> tuple[str, ...]:
    items = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(items, list):
        raise BuildspecError(f"Expected {place} to be a list of commands.")
    for number, item in enumerate(items):
        if isinstance(item, dict | list):
            raise BuildspecError(f"Expected Commands[{number}] to be of string type: found subkeys instead at {place}")
    return tuple(as_text(item) for item in items)
