"""What a script installs itself is what it imports, and of the service it sees nothing: script mode and model servers.

Their libraries are loaded before the script is known; processing jobs stand in `test_images_library_sets.py`.
"""

from __future__ import annotations

import http.client
import io
import json
import signal
import time
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker import fresh_interpreter, images
from local_sagemaker.images.image import ImageUri, Program
from local_sagemaker.images.sklearn import ScikitLearn
from tests.component.containers.test_containers_toolkit import archive, ask, prepare, serving, train

LIBRARIES = images.libraries_of(
    ImageUri.parse("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3")
)


class PreparedImage(ScikitLearn):
    """The image with its own set of libraries."""

    def train(self, uri: ImageUri) -> Program:
        return replace(super().train(uri), libraries=LIBRARIES)

    def serve(self, uri: ImageUri, environment: Mapping[str, str]) -> Program:
        return replace(super().serve(uri, environment), libraries=LIBRARIES)


IMAGE = PreparedImage()
WHEEL = "joblib-99.0-py3-none-any.whl"


def _wheel() -> bytes:
    """A version of a library that every process of the image has loaded."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        wheel.writestr("joblib/__init__.py", "__version__ = '99.0'\n")
        wheel.writestr("joblib-99.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: joblib\nVersion: 99.0\n")
        wheel.writestr(
            "joblib-99.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr("joblib-99.0.dist-info/RECORD", "")
    return buffer.getvalue()


INSTALL = (
    "import subprocess, sys\n"
    "subprocess.check_call([sys.executable, '-m', 'pip', 'install', '-q', '--no-index', '--no-deps', {wheel!r}])\n"
)
SEEN = """
def seen():
    import importlib, joblib
    found = {"joblib": joblib.__version__}
    for name in ("local_sagemaker", "uvloop", "httptools", "starlette", "moto", "sagemaker"):
        try:
            found[name] = bool(importlib.import_module(name))
        except ImportError:
            pass
    return found
"""


@pytest.mark.parametrize("place", ["train.py", "tools/deep/install.py"])
def test_a_training_script_imports_what_it_installs(program_run: Any, place: str) -> None:
    """Whichever file of the code it is that speaks of pip."""
    install = INSTALL.format(wheel=f"/opt/ml/input/{WHEEL}")
    script = f"{SEEN}\nimport json, os, sys\nprint('seen', json.dumps(seen()))\nsys.exit('the end')\n"
    files = {"train.py": f"import runpy\nrunpy.run_path({place!r})\n{script}", place: install}
    if place == "train.py":
        files = {place: install + script}
    prepare(program_run, "")
    program_run.write("input/source.tar.gz", archive(**{name.replace(".", "__"): text for name, text in files.items()}))
    program_run.write(f"input/{WHEEL}", _wheel())
    assert train(program_run, IMAGE) == 1
    assert 'seen {"joblib": "99.0"}' in program_run.log
    assert program_run.failure == (
        'ExecuteUserScriptError:\nExitCode 1\nErrorMessage "the end"\nCommand "/miniconda3/bin/python train.py"'
    )
    assert program_run.log.count("ExecuteUserScriptError") == 1


OWN = "import os; pip = os.kill\n"  # which speaks of pip


SUDDEN = 'ExecuteUserScriptError:\nExitCode {}\nErrorMessage ""\nCommand "/miniconda3/bin/python train.py"'


HERE = "import os\n"  # which runs in a fork


@pytest.mark.parametrize(
    ("script", "code", "failure", "said"),
    [
        (HERE + "os._exit(7)", 7, SUDDEN.format(7), ""),
        (OWN + "os._exit(7)", 7, SUDDEN.format(7), ""),
        (HERE + "os.kill(os.getpid(), 9)", 1, SUDDEN.format(-9), "by a signal, SIGKILL: perhaps for want of memory"),
        (OWN + "os.kill(os.getpid(), 9)", 1, SUDDEN.format(-9), "by a signal, SIGKILL: perhaps for want of memory"),
        (HERE + "import ctypes; ctypes.string_at(0)", 1, SUDDEN.format(-11), "by a signal, SIGSEGV"),
        (HERE + "open('/opt/ml/output/failure', 'w').write('mine'); os.abort()", 1, "mine", "by a signal, SIGABRT"),
    ],
)
def test_a_script_that_ends_without_a_word(program_run: Any, script: str, code: int, failure: str, said: str) -> None:
    prepare(program_run, script)
    assert train(program_run, IMAGE) == code
    assert program_run.failure == failure
    assert said in program_run.log


@pytest.mark.parametrize(("name", "start"), [("train.py", OWN), ("train.py", HERE), ("train.sh", "")])
def test_a_script_may_save_its_model_when_it_is_stopped(program_run: Any, name: str, start: str) -> None:
    save = "open('/opt/ml/model/saved', 'w').close()"
    shell = (
        "trap 'sleep 1; touch /opt/ml/model/saved; exit 0' TERM\n"
        "touch /opt/ml/model/begun\nwhile :; do sleep 0.1; done\n"
    )
    python = (
        f"{start}import signal, time\ndef stop(*_):\n    time.sleep(1); {save}; raise SystemExit\n"
        "signal.signal(signal.SIGTERM, stop)\nopen('/opt/ml/model/begun', 'w').close()\ntime.sleep(60)\n"
    )
    prepare(program_run, python if name == "train.py" else f"#!/bin/sh\n{shell}", name)
    process = program_run.start(IMAGE.train(ImageUri("", "", "1.4-2-cpu-py3")))
    deadline = time.monotonic() + 60
    while not (program_run.ml / "model" / "begun").exists() and time.monotonic() < deadline:
        process.wait(0.05)
    process.signal(signal.SIGTERM)
    assert process.wait(60) == 0, program_run.log
    assert (program_run.ml / "model" / "saved").exists()


def test_a_missing_script_is_the_scripts_error(program_run: Any) -> None:
    prepare(program_run, "", sagemaker_program="sub/other.py")
    assert train(program_run, IMAGE) == 1
    assert program_run.failure.startswith("ExecuteUserScriptError:\nExitCode 1")


def test_comments_and_installed_packages_are_no_reason_for_a_start(tmp_path: Path) -> None:
    files = {"train.py": "x = 1  # pip install\n", "six.py": "", "vendored/six/__init__.py": "import pip\n",
             "vendored/six-1.0.dist-info/METADATA": "", ".git/hooks/a.py": "import pip\n"}  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert not fresh_interpreter.installs(tmp_path)
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "setup.py").write_text("import os; os.system('pip install x')")
    assert fresh_interpreter.installs(tmp_path)


def test_a_training_script_sees_nothing_of_the_service(program_run: Any) -> None:
    prepare(program_run, f"{SEEN}\nprint('seen', sorted(seen()))\n")
    assert train(program_run, IMAGE) == 0, program_run.log
    assert "seen ['joblib']" in program_run.log


def test_variables_that_only_a_start_reads_are_read(program_run: Any) -> None:
    prepare(program_run, "import sys\nprint('hash', sys.flags.hash_randomization, hash('a'))\n")
    for _ in range(2):
        program = IMAGE.train(ImageUri("", "", "1.4-2-cpu-py3"))
        variables = {"TRAINING_JOB_NAME": "job-1", "PYTHONHASHSEED": "0"}
        assert program_run.run(program, environment=variables) == 0, program_run.log
    first, second = [line for line in program_run.log.splitlines() if line.startswith("hash")]
    assert first == second
    assert first.startswith("hash 0 ")


def test_an_inference_script_imports_what_it_installs(program_run: Any) -> None:
    program_run.write("model/code/" + WHEEL, _wheel())
    install = INSTALL.format(wheel=f"/opt/ml/model/code/{WHEEL}")
    model = "import json\ndef model_fn(d): return json.dumps(seen())\n"
    functions = f"{model}def transform_fn(model, data, kind, accept): return model, accept\n"
    program_run.write("model/code/inference.py", install + SEEN + functions)
    with serving(program_run, IMAGE, {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}) as connection:
        body = ask(connection, b"abc", "text/csv", "application/json")[2]
    assert json.loads(body)["joblib"] == "99.0", program_run.log


SPEAKS = """
at_start = seen()
from sagemaker_sklearn_container import serving
def model_fn(d): return [at_start, seen()]
def input_fn(data, kind): return serving.default_input_fn(data, kind)
def predict_fn(data, model): return [*model, seen(), data.tolist()]
"""


@pytest.mark.parametrize("start", ["", OWN], ids=["forked", "own start"])
def test_an_inference_script_sees_nothing_of_the_service(program_run: Any, start: str) -> None:
    """Not as it is imported, nor while its functions run; what its image has of the containers works."""
    program_run.write("model/code/inference.py", f"{start}{SEEN}{SPEAKS}")
    with serving(program_run, IMAGE, {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}) as connection:
        status, _, body = ask(connection, b"1,2", "text/csv", "application/json")
    assert status == 200, program_run.log
    *found, numbers = json.loads(body)
    assert [list(names) for names in found] == [["joblib"]] * 3
    assert numbers == [1.0, 2.0]


def _of_many(connection: http.client.HTTPConnection, path: str, body: bytes) -> tuple[int, bytes]:
    connection.request("POST", path, body, {"Content-Type": "text/csv", "Accept": "text/csv"})
    response = connection.getresponse()
    return response.status, response.read()


def test_a_container_of_many_models_installs_what_its_script_asks_for(program_run: Any) -> None:
    """The code is fetched, and its requirements installed, as the container starts: before any model is loaded."""
    script = (
        f"{SEEN}\ndef model_fn(d): return open(d + '/name').read()\n"
        "def transform_fn(model, data, kind, accept): return f'{model} {seen()}', accept\n"
    )
    program_run.write("shared/inference.py", script)
    program_run.write("shared/requirements.txt", f"/opt/ml/shared/{WHEEL}\n")
    program_run.write(f"shared/{WHEEL}", _wheel())
    for name in ("a", "b"):
        program_run.write(f"models/{name}/model/name", name)
    variables = {
        "SAGEMAKER_MULTI_MODEL": "true",
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/shared",
    }
    with serving(program_run, IMAGE, variables) as connection:
        for name in ("a", "b"):
            asked = json.dumps({"model_name": name, "url": f"/opt/ml/models/{name}/model"}).encode()
            assert _of_many(connection, "/models", asked)[0] == 200, program_run.log
        answers = [_of_many(connection, f"/models/{name}/invoke", b"x") for name in ("a", "b")]
    assert answers == [(200, b"a {'joblib': '99.0'}"), (200, b"b {'joblib': '99.0'}")]
