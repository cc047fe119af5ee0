"""A small runner of GitHub's workflows, for those of the delivery: it really runs the steps' commands.

What it has is what these workflows use: expressions of names, texts, comparisons, ``&&``, ``||`` and ``startsWith``;
jobs that need others; workflows that call one another, with inputs and outputs; ``$GITHUB_OUTPUT``. Three actions are
what they are outside of GitHub: a checkout is a copy of the repository, Python is that of the tests with its
libraries, and keys are those of the role, by AssumeRole (the call with GitHub's token is not signed, which the local
service refuses). Anything else fails. What GitHub itself does (events, reviewers, tokens) is not here; what ``gh`` is
asked for is written down.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support import Service

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(r"'[^']*'|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*|&&|\|\||==|!=|[(),]|\s+")
_PYTHON = {"&&": "and", "||": "or"}


class WorkflowText(str):
    """A text as GitHub compares it: without case."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self.lower() == other.lower()

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


@dataclass
class JobEnd:
    """How a job ended: success, failure or skipped."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class WorkflowRunner:
    """Runs workflows of a repository's working copy on a service. `folder` is for the runner's own files."""

    service: Service
    repository: Path
    folder: Path
    variables: Mapping[str, str]
    github: Mapping[str, str]
    log: list[str] = field(default_factory=list)

    def run(self, name: str, inputs: Mapping[str, str] | None = None) -> dict[str, JobEnd]:
        """The ends of all jobs of a workflow. Jobs run one after the other, in the order that they stand in."""
        workflow = yaml.safe_load((self.repository / ".github/workflows" / name).read_text())
        names = {**_named("vars", self.variables), **_named("github", self.github), **_named("inputs", inputs or {})}
        ends: dict[str, JobEnd] = {}
        for job, declared in workflow["jobs"].items():
            needs = declared.get("needs", [])
            needs = [needs] if isinstance(needs, str) else needs
            for needed in needs:
                names |= _named(f"needs.{needed}.outputs", ends[needed].outputs)
            ready = all(ends[needed].result == "success" for needed in needs)
            wanted = ready and evaluate(declared.get("if", "true"), names)
            ends[job] = self._job(declared, names) if wanted else JobEnd("skipped")
        return ends

    def _job(self, declared: Mapping[str, Any], names: Mapping[str, str]) -> JobEnd:
        if "uses" in declared:
            called = declared["uses"].removeprefix("./.github/workflows/")
            ends = self.run(called, _filled(declared["with"], names))
            workflow = yaml.safe_load((self.repository / ".github/workflows" / called).read_text())
            inner = {key: value for job, end in ends.items() for key, value in _named(f"jobs.{job}.outputs",
                                                                                     end.outputs).items()}  # fmt: skip
            given = workflow[True]["workflow_call"]["outputs"]
            outputs = {name: fill(row["value"], inner) for name, row in given.items()}
            return JobEnd(next((end.result for end in ends.values() if end.result == "failure"), "success"), outputs)
        return self._steps(declared, dict(names))

    def _steps(self, declared: Mapping[str, Any], names: dict[str, str]) -> JobEnd:
        place = self.folder / f"job-{len(self.log)}"
        place.mkdir(parents=True)
        environment = {
            **os.environ, **_filled(declared.get("env", {}), names), "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_REPOSITORY": self.github["repository"], "GITHUB_REF_NAME": self.github["ref_name"],
            "PATH": f"{self._programs()}:{os.environ['PATH']}", "AWS_ENDPOINT_URL": self.service.url,
        }  # fmt: skip
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION",
                     "AWS_DEFAULT_REGION"):  # fmt: skip
            environment.pop(name, None)
        for step in declared["steps"]:
            if not evaluate(step.get("if", "true"), names):
                continue
            if "uses" in step:
                environment |= self._use(step["uses"], _filled(step.get("with", {}), names), place)
                continue
            outputs = place.with_suffix(".outputs")
            outputs.write_text("")
            given = {**environment, **_filled(step.get("env", {}), names), "GITHUB_OUTPUT": str(outputs)}
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-e", "-c", fill(step["run"], names)], cwd=place, env=given,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=600,
            )  # fmt: skip
            self.log.append(done.stdout)
            if done.returncode:
                return JobEnd("failure")
            written = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
            names |= _named(f"steps.{step.get('id', '')}.outputs", written)
        return JobEnd("success", _filled(declared.get("outputs", {}), names))

    def _use(self, action: str, settings: Mapping[str, str], place: Path) -> dict[str, str]:
        """What an action adds to the environment of the steps behind it."""
        match action.partition("@")[0]:
            case "actions/checkout":
                shutil.copytree(self.repository, place, dirs_exist_ok=True)
                return {}
            case "actions/setup-python":
                return {"PATH": f"{self._programs()}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
            case "aws-actions/configure-aws-credentials":
                answer = self.service.client("sts").assume_role(
                    RoleArn=settings["role-to-assume"], RoleSessionName="GitHubActions"
                )
                keys, region = answer["Credentials"], settings["aws-region"]
                return {
                    "AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
                    "AWS_SESSION_TOKEN": keys["SessionToken"], "AWS_REGION": region, "AWS_DEFAULT_REGION": region,
                }  # fmt: skip
        raise ValueError(action)

    def _programs(self) -> Path:
        """A folder with ``gh``, which writes down what it is asked for, and ``pip``, which finds all installed."""
        programs = self.folder / "programs"
        if not programs.exists():
            programs.mkdir(parents=True)
            for name, text in (
                ("gh", f'echo "$@" >> {self.folder}/gh'),
                ("pip", 'test "$1 $2" = "install -r" -a -f "$3"'),
            ):
                (programs / name).write_text(f"#!/bin/sh\n{text}\n")
                (programs / name).chmod(0o755)
        return programs

    @property
    def asked_of_github(self) -> list[str]:
        """The commands of ``gh`` so far."""
        file = self.folder / "gh"
        return file.read_text().splitlines() if file.exists() else []


def evaluate(expression: str, names: Mapping[str, str]) -> str | bool:
    """The value of an expression; names without a value are empty. Raises ValueError for what it does not know."""
    bare = expression.strip().removeprefix("${{").removesuffix("}}")
    python, end = [], 0
    for token in _TOKEN.finditer(bare):
        if token.start() != end:
            break
        end, text = token.end(), token[0]
        if text[0] == "'":
            python.append(f"text({text[1:-1]!r})")
        elif text[0].isalpha() and text not in ("startsWith", "true", "false"):
            python.append(f"text({names.get(text, '')!r})")
        else:
            python.append(_PYTHON.get(text, text))
    if end != len(bare):
        raise ValueError(expression)

    def starts_with(value: str, start: str) -> bool:
        return value.lower().startswith(start.lower())

    known = {"text": WorkflowText, "startsWith": starts_with, "true": True, "false": False}
    value = eval(" ".join("".join(python).split()), {"__builtins__": {}}, known)
    return value if isinstance(value, bool) else str(value)


def fill(text: str, names: Mapping[str, str]) -> str:
    """A text with its expressions."""
    return _EXPRESSION.sub(lambda match: str(evaluate(match[1], names)), text)


def _filled(rows: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    return {name: fill(str(value), names) for name, value in rows.items()}


def _named(prefix: str, rows: Mapping[str, str]) -> dict[str, str]:
    return {f"{prefix}.{name}": value for name, value in rows.items()}
