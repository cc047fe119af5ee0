"""The two commands without a service: help, exit codes, suggestions, and how --local hands over."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import loader, parameters
from tests.project.building import stock
from tests.support import COMMANDS

MODULE = "pipelines.abalone.pipeline"
ROLE = ("--role-arn", "arn:aws:iam::123456789012:role/Any")


def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    words = (str(COMMANDS / words[0]), *words[1:])
    closed = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
    return subprocess.run(
        words, check=False, env={**os.environ, **closed, **environment}, capture_output=True, text=True
    )


@pytest.mark.parametrize("command", ["run-pipeline", "get-pipeline-definition"])
def test_help_has_examples(command: str) -> None:
    done = call(command, "--help")
    assert done.returncode == 0
    assert "examples:" in done.stdout and f"{command} --local -n {MODULE}" in done.stdout


@pytest.mark.parametrize(
    "words",
    [("run-pipeline",), ("run-pipeline", "-n", MODULE), ("run-pipeline", *ROLE), ("get-pipeline-definition",)],
)
def test_a_missing_module_or_role_shows_the_help_and_exits_with_2(words: tuple[str, ...]) -> None:
    done = call(*words)
    assert done.returncode == 2
    assert done.stdout.startswith("usage: ")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("-n", MODULE, *ROLE, "--kwargs", "{'a"), "--kwargs: not a Python literal: {'a"),
        (("-n", MODULE, *ROLE, "--kwargs", "[1]"), "--kwargs: a dict is expected, not [1]"),
        (("-n", MODULE, *ROLE, "--tags", "[1]"), "--tags: a list of {'Key': ..., 'Value': ...} is expected"),
    ],
)
def test_wrong_literals_are_refused_before_the_sdk_is_loaded(words: tuple[str, ...], expected: str) -> None:
    done = call("run-pipeline", *words)
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback() -> None:
    done = call("run-pipeline", "-n", MODULE, *ROLE, "--kwargs", "{'a", "--debug")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize("command", ["run-pipeline", "get-pipeline-definition"])
def test_local_puts_the_services_command_in_front(command: str, tmp_path: Path) -> None:
    service = tmp_path / "local-sagemaker"
    service.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nprintf "%s\\n" "$PIPELINES_COMMAND_PREFIX"\n')
    service.chmod(service.stat().st_mode | stat.S_IXUSR)
    for name in ("python", command):  # commands are looked for beside the Python that runs
        (tmp_path / name).symlink_to(COMMANDS / name)
    module = f"pipelines.{command.replace('-', '_')}"
    code = f"import sys; sys.executable = {str(tmp_path / 'python')!r}; from {module} import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--local", "-n", MODULE, "--region", "eu-west-1"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == [
        "exec", "--", str(tmp_path / command), "-n", MODULE, "--region", "eu-west-1", "local-sagemaker exec --",
    ]  # fmt: skip


def test_a_misspelt_module_gets_a_suggestion() -> None:
    with pytest.raises(loader.LoadError, match=r"did you mean pipelines\.abalone\.pipeline\?"):
        loader.load("pipelines.abalon.pipeline")
    with pytest.raises(loader.LoadError, match="has no function get_pipeline"):
        loader.load("pipelines.data")


def test_a_misspelt_argument_of_get_pipeline_gets_a_suggestion() -> None:
    module = loader.load(MODULE)
    with pytest.raises(loader.LoadError, match=r"did you mean pipeline_name\?"):
        loader.build(module, {"pipelinename": "x"}, {"region": "us-east-1"})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["ProcessingInstanceCount=2"], {"ProcessingInstanceCount": "2"}),
        (["SkipDataBiasCheck=true"], {"SkipDataBiasCheck": "True"}),
        (["InputDataUrl=s3://a/b=c"], {"InputDataUrl": "s3://a/b=c"}),
        (["InputDataUrl=s3://a/b", "InputDataUrl="], {}),
        (["ProcessingInstanceCount="], {}),
    ],
)
def test_parameters_are_read(given: list[str], expected: dict[str, str]) -> None:
    assert parameters.parse(given, stock()["Parameters"]) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("TrainingInstancType=x", "did you mean TrainingInstanceType"),
        ("skipdatabiascheck=true", "did you mean SkipDataBiasCheck"),
        ("Zzz=1", "it has ProcessingInstanceType, ProcessingInstanceCount"),
        ("ProcessingInstanceCount=two", "'two' is not of type Integer"),
        ("SkipDataBiasCheck=yes", "'yes' is not of type Boolean (True or False)"),
        ("ProcessingInstanceCount", "NAME=VALUE is expected"),
    ],
)
def test_wrong_parameters_are_refused(given: str, expected: str) -> None:
    with pytest.raises(parameters.ParameterError) as caught:
        parameters.parse([given], stock()["Parameters"])
    assert expected in str(caught.value)


def test_allowed_values_are_checked() -> None:
    declared = [{"Name": "Size", "Type": "String", "EnumValues": ["small", "large"]}]
    assert parameters.parse(["Size=small"], declared) == {"Size": "small"}
    with pytest.raises(parameters.ParameterError, match="is not one of small, large"):
        parameters.parse(["Size=medium"], declared)
