"""The two commands without a service: help, exit codes, suggestions, and how --local hands over."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import loader, parameters
from tests.commands import run_command
from tests.project.building import stock
from tests.support import COMMANDS, ROOT, Service

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


@pytest.mark.parametrize("command", ["run-pipeline", "get-pipeline-definition"])
def test_without_arguments_the_help_is_shown_and_the_exit_code_is_2(command: str) -> None:
    done = call(command)
    assert done.returncode == 2
    assert done.stdout.startswith("usage: ")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run-pipeline", "-n", MODULE), "--role-arn is missing"),
        (("run-pipeline", *ROLE), "-n MODULE is missing"),
        (("run-pipeline", "--local"), "-n MODULE is missing"),
        (("get-pipeline-definition", "--local"), "-n MODULE is missing"),
        (("run-pipeline", "-n", MODULE, "--role-arn", "MyRole"), "--role-arn: MyRole is no ARN of a role"),
        (("run-pipeline", "--attach", "arn:foo"), "--attach: arn:foo is no ARN of an execution"),
        (
            ("run-pipeline", "-n", MODULE, "--paramter", "a=b"),
            "there is no option --paramter; did you mean --parameter?",
        ),
        (("check-report", "arn:foo"), "arn:foo is no ARN of an execution"),
        (("check-report", "--local", "arn:aws:sagemaker:eu-west-1:1:pipeline/x"), "is no ARN of an execution"),
        (("check-report",), "execution"),
    ],
)
def test_a_mistake_is_one_line(words: tuple[str, ...], expected: str) -> None:
    done = call(*words)
    assert done.returncode == 2
    assert expected in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    assert "usage:" not in done.stdout


@pytest.mark.parametrize("flags", [ROLE, ("--local",)])
def test_the_first_line_comes_before_anything_slow(flags: tuple[str, ...], tmp_path: Path) -> None:
    """Neither the SDK, nor boto3, nor the service is waited for: here all of them block until the line was read."""
    (tmp_path / "boto3.py").write_text("import time; time.sleep(600)")
    service = tmp_path / "local-sagemaker"
    service.write_text("#!/bin/sh\nexec sleep 600\n")
    service.chmod(0o755)
    code = (
        f"import sys; from pipelines import local; local._beside_python = lambda name: {str(service)!r}; "
        "from pipelines.run_pipeline import main; main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "-n", MODULE, *flags],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"}, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "Loading the SageMaker SDK ...\n"
    finally:
        os.killpg(process.pid, 9)
        process.wait()


PIPELINE = (
    "class P:\n    name = 'Own'\n    def definition(self):\n        return '{}'\ndef get_pipeline(region): return P()\n"
)


@pytest.mark.parametrize("module", ["churn.pipeline", "pipelines.churn.pipeline", "pipelines.abalone.pipeline"])
def test_a_module_of_the_working_directory(module: str, tmp_path: Path) -> None:
    """Also in a repository of the SageMaker template, whose package is called `pipelines`, too."""
    file = tmp_path / Path(*module.split(".")).with_suffix(".py")
    file.parent.mkdir(parents=True)
    file.write_text(f"from {module.rpartition('.')[0]} import steps\n{PIPELINE}")
    (file.parent / "steps.py").write_text("")
    done = subprocess.run(
        [COMMANDS / "python", "-c", f"from pipelines import loader; print(loader.load({module!r}).__file__)"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == str(file), done.stderr


def test_what_was_looked_for_is_named(tmp_path: Path) -> None:
    (tmp_path / "churn").mkdir()
    (tmp_path / "churn/pipeline.py").write_text(PIPELINE)
    words = [COMMANDS / "run-pipeline", "-n", "churn.pipelin", *ROLE, "--region", "us-east-1"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (
        f"there is no module churn.pipelin, neither in {tmp_path} nor installed; did you mean churn.pipeline?"
        in done.stderr
    )
    assert "abalone" not in done.stderr and done.returncode == 2


def test_a_pipeline_of_sdk_v2_learns_the_version(service: Service, tmp_path: Path) -> None:
    (tmp_path / "old_pipeline.py").write_text("from sagemaker import image_uris\n")
    done = run_command(service, "run-pipeline", "-n", "old_pipeline", *ROLE, cwd=tmp_path, check=False)
    assert "image_uris" in done.stderr and f"{tmp_path}/old_pipeline.py, line 1" in done.stderr
    assert "has version 3." in done.stderr and "version 2" in done.stderr


def test_a_mistake_in_a_pipeline_names_its_line(service: Service, tmp_path: Path) -> None:
    for name, text in {"syntax": "x = = 1\n", "raised": "def get_pipeline(region):\n    return undefined\n"}.items():
        (tmp_path / f"{name}_pipeline.py").write_text(text)
        words = ("run-pipeline", "-n", f"{name}_pipeline", *ROLE, "--bucket", "b")
        done = run_command(service, *words, cwd=tmp_path, check=False)
        line = {"syntax": "line 1: invalid syntax", "raised": "line 2, in get_pipeline"}[name]
        assert f"{tmp_path}/{name}_pipeline.py, {line}" in done.stderr, done.stderr


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
    assert done.stdout.splitlines()[command == "run-pipeline" :] == [
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
