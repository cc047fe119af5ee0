"""`local-sagemaker logs`: the newest first, of an execution, a step, what failed; and as it is written."""

from __future__ import annotations

import os
import subprocess
import threading

import pytest

from tests.support import COMMANDS, Service, create_pipeline, finished, script_step, start

PIPELINE = "LogsOfSteps"


def logs(service: Service, *words: str, code: int = 0) -> str:
    environment = {**os.environ, "PATH": f"{COMMANDS}:{os.environ['PATH']}", "LOCAL_SAGEMAKER_HOME": str(service.home)}
    done = subprocess.run(
        ["local-sagemaker", "logs", *words], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def executions(service: Service) -> tuple[str, str]:
    """Two executions of two steps each, of which the older one fails."""
    client = service.client("sagemaker")
    lines = "import os, sys; [print('line', i) for i in range(60)]; print('word is', os.environ['WORD'], flush=True)"
    environment = {"WORD": {"Get": "Parameters.Word"}}
    create_pipeline(
        client,
        PIPELINE,
        script_step("LogsFirst", lines, Environment=environment),
        script_step(
            "LogsSecond", f"{lines}; sys.exit(os.environ['WORD'] == 'bad')", "LogsFirst", Environment=environment
        ),
        parameters=({"Name": "Word", "Type": "String"},),
    )
    older = start(client, PIPELINE, Word="bad")
    assert finished(client, older, 240)["PipelineExecutionStatus"] == "Failed"
    newer = start(client, PIPELINE, Word="good")
    assert finished(client, newer, 240)["PipelineExecutionStatus"] == "Succeeded"
    return older, newer


def test_a_step_of_the_newest_execution(service: Service, executions: tuple[str, str]) -> None:
    text = logs(service, "LogsSecond")
    assert "word is good" in text and "word is bad" not in text and "line 59" in text and "line 1\n" not in text
    assert "1 older streams have 'LogsSecond' in their names: --all shows them" in text
    text = logs(service, "logssecond", "--all", "-n", "1")
    assert text.index("word is good") < text.index("word is bad") and "line 59" not in text


@pytest.mark.parametrize("form", ["arn", "id", "pipeline", "option"])
def test_an_execution_the_last_step_first(service: Service, executions: tuple[str, str], form: str) -> None:
    older, newer = executions
    words = {
        "arn": [older], "id": [older.rpartition("/")[2]], "pipeline": [PIPELINE], "option": ["--execution", older],
    }[form]  # fmt: skip
    expected = newer if form == "pipeline" else older
    text = logs(service, *words)
    status = "Succeeded" if form == "pipeline" else "Failed"
    identity = expected.rpartition("/")[2]
    assert text.index(f"Step LogsSecond of {identity}: {status}") < text.index(
        f"Step LogsFirst of {identity}: Succeeded"
    )
    assert text.count("word is") == 2


def test_one_step_of_one_execution(service: Service, executions: tuple[str, str]) -> None:
    for words in ([executions[0], "First"], ["First", "--execution", executions[0]]):
        text = logs(service, *words)
        assert text.count("word is bad") == 1 and "Step LogsSecond" not in text


def test_what_failed(service: Service, executions: tuple[str, str]) -> None:
    for words in (["--failed"], ["--failed", executions[0]], ["--failed", "--execution", executions[0]]):
        text = logs(service, *words)
        assert text.startswith(f"Step LogsSecond of {executions[0].rpartition('/')[2]}: Failed\n  ClientError: ")
        assert "word is bad" in text and "Step LogsFirst" not in text
    assert "has no failed step" in logs(service, "--failed", executions[1])


def test_what_does_not_exist_is_named(service: Service, executions: tuple[str, str]) -> None:
    assert PIPELINE in logs(service, "NoSuchThing", code=1)
    assert len(logs(service, "--execution", "nosuch123456", code=1).splitlines()) == 1


def test_following_ends_with_the_execution(service: Service) -> None:
    client = service.client("sagemaker")
    code = "import time; print('begun', flush=True); time.sleep(2); print('done', flush=True)"
    create_pipeline(client, "LogsFollow", script_step("One", code), script_step("Two", code, "One"))
    execution = start(client, "LogsFollow")
    stop = threading.Timer(200, lambda: client.stop_pipeline_execution(PipelineExecutionArn=execution))
    stop.start()
    text = logs(service, execution, "--follow")
    stop.cancel()
    assert text.count("begun") == 2 and text.count("done") == 2
    assert finished(client, execution, 240)["PipelineExecutionStatus"] == "Succeeded"


def test_the_services_own(service: Service) -> None:
    assert "==> service.log <==" in logs(service)
