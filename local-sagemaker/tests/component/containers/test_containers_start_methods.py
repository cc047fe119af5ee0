"""Whatever starts processes works in jobs, in script mode, in model servers and in functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.client_environment import HOOK
from local_sagemaker.functions.sandbox import FunctionSpec, Invocation
from local_sagemaker.functions.sandboxes import Sandboxes
from local_sagemaker.images.image import Program
from local_sagemaker.images.sklearn import ScikitLearn
from local_sagemaker.images.xgboost import XGBoost
from local_sagemaker.logs import Logs
from local_sagemaker.processes import ForkedProcesses
from tests.component.containers.start_methods import ALL, SCRIPT, TEXT
from tests.component.containers.test_containers_toolkit import URI, ask, prepare, serving

pytestmark = pytest.mark.slow
SECONDS = 240.0


@pytest.mark.parametrize(
    "words",
    [
        ("python3", "/opt/ml/processing/input/code/script.py"),
        ("/bin/bash", "-c", "cd /opt/ml/processing/input/code && python3 script.py"),
    ],
)
def test_in_processing_jobs(program_run: Any, words: tuple[str, ...]) -> None:
    program_run.write("processing/input/code/script.py", SCRIPT)
    assert program_run.start(Program(words)).wait(SECONDS) == 0, program_run.log
    assert ALL in program_run.log


@pytest.mark.parametrize("image", [ScikitLearn(), XGBoost()])
def test_in_script_mode(program_run: Any, image: Any) -> None:
    prepare(program_run, SCRIPT)
    process = program_run.start(image.train(URI), environment={"TRAINING_JOB_NAME": "job-1"})
    assert process.wait(SECONDS) == 0, program_run.log
    assert ALL in program_run.log


def test_in_model_servers(program_run: Any) -> None:
    functions = (
        "def model_fn(folder): return every_method()\ndef predict_fn(data, model): return model, every_method()\n"
    )
    encode = "def output_fn(prediction, accept):\n    import json\n    return json.dumps(prediction)\n"
    program_run.write("model/code/inference.py", f"{TEXT}\n{functions}{encode}")
    variables = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_MODEL_SERVER_TIMEOUT": "200"}
    with serving(program_run, ScikitLearn(), variables) as connection:
        connection.timeout = SECONDS
        status, _, body = ask(connection, b"[[1]]", "application/json")
    assert status == 200, program_run.log
    assert json.loads(body) == [[{}, 30], [{}, 30]]


@pytest.fixture
def sandboxes(forked: ForkedProcesses, tmp_path: Path) -> Iterator[Sandboxes]:
    found = Sandboxes(
        folder=tmp_path / "sandboxes",
        logs=Logs(tmp_path / "logs"),
        processes=forked,
        service_environment={"PYTHONPATH": str(HOOK)},
    )
    yield found
    found.close()


def test_in_functions(sandboxes: Sandboxes, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "main.py").write_text(f"{TEXT}\ndef handler(event, context): return every_method(libraries=False)\n")
    function = FunctionSpec("f", "1", "r", "main.handler", "python3.11", SECONDS, 1024, folder, "/aws/lambda/f")
    answer = sandboxes.invoke(function, Invocation("id", "arn", b"{}"))
    assert not answer.failed, answer
    assert json.loads(answer.payload) == [{}, 27]  # its runtime has no joblib
