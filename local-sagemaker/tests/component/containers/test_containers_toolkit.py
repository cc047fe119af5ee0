"""Script mode: a real scikit-learn script trains, its functions serve; environment, arguments, failures."""

from __future__ import annotations

import http.client
import io
import json
import signal
import socket
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from local_sagemaker.images.image import Image, ImageUri
from local_sagemaker.images.sklearn import ScikitLearn
from local_sagemaker.images.xgboost import XGBoost

URI = ImageUri("", "", "1.4-2-cpu-py3")
CHANNEL = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
TRAIN = """
import argparse, json, os, sys
import joblib, numpy as np
from sklearn.linear_model import Ridge

parser = argparse.ArgumentParser()
parser.add_argument("--alpha", type=float)
parser.add_argument("--fit-intercept", default="")
parser.add_argument("-n", type=int)
parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
arguments = parser.parse_args()
table = np.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), delimiter=",")
model = Ridge(alpha=arguments.alpha).fit(table[:, 1:], table[:, 0])
joblib.dump(model, os.path.join(arguments.model_dir, "model.joblib"))
names = [name for name in os.environ if name.startswith("SM_")]
with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "seen.json"), "w") as out:
    json.dump({"argv": sys.argv, "cwd": os.getcwd(), "env": {name: os.environ[name] for name in names}}, out)
print("trained", arguments.n)
"""
SERVE = """
import os, joblib

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
"""


def archive(**files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name.replace("__", "."))
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def table() -> np.ndarray[Any, Any]:
    features = np.random.default_rng(0).normal(size=(50, 3)).round(3)
    return np.column_stack([features @ [1.0, 2.0, 3.0], features])


def prepare(run: Any, script: str, name: str = "train.py", **hyperparameters: Any) -> None:
    """A job with its code as an archive, hyperparameters as the SDK sends them: JSON texts."""
    run.write("input/source.tar.gz", archive(**{name.replace(".", "__"): script}))
    reserved = {"sagemaker_program": name, "sagemaker_submit_directory": "/opt/ml/input/source.tar.gz",
                "sagemaker_region": "us-east-1", "sagemaker_job_name": "job-1"}  # fmt: skip
    values = {key: json.dumps(value) for key, value in {**reserved, **hyperparameters}.items()}
    run.write("input/config/hyperparameters.json", values)
    run.write("input/config/inputdataconfig.json", {"train": CHANNEL})
    run.write("input/config/resourceconfig.json", {
        "current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0",
        "current_instance_type": "ml.m5.large", "current_group_name": "homogeneousCluster",
        "instance_groups": [{"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large",
                             "hosts": ["algo-1"]}]})  # fmt: skip
    np.savetxt(run.write("input/data/train/train.csv", ""), table(), delimiter=",")


def train(run: Any, image: Image | None = None) -> int:
    return run.run((image or ScikitLearn()).train(URI), environment={"TRAINING_JOB_NAME": "job-1"})


@pytest.mark.parametrize("image", [ScikitLearn(), XGBoost()])
def test_script_trains_with_its_environment(program_run: Any, image: Image) -> None:
    prepare(program_run, TRAIN, alpha=0.5, n=3, **{"fit-intercept": True})
    assert train(program_run, image) == 0, program_run.log
    assert "trained 3" in program_run.log
    assert (program_run.ml / "model" / "model.joblib").exists()
    seen = json.loads((program_run.ml / "output" / "data" / "seen.json").read_text())
    script = "/opt/ml/code/train.py" if isinstance(image, XGBoost) else "train.py"  # a module knows its whole path
    assert seen["argv"] == [script, "--alpha", "0.5", "--fit-intercept", "True", "-n", "3"]
    assert seen["cwd"] == "/opt/ml/code"
    environment = seen["env"]
    expected = {
        "SM_MODEL_DIR": "/opt/ml/model", "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data", "SM_CHANNELS": '["train"]',
        "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train", "SM_HOSTS": '["algo-1"]', "SM_CURRENT_HOST": "algo-1",
        "SM_HP_ALPHA": "0.5", "SM_HP_N": "3", "SM_HP_FIT-INTERCEPT": "true", "SM_USER_ENTRY_POINT": "train.py",
        "SM_HPS": '{"alpha":0.5,"fit-intercept":true,"n":3}', "SM_MODULE_NAME": "train", "SM_LOG_LEVEL": "20",
        "SM_CURRENT_INSTANCE_TYPE": "ml.m5.large", "SM_INPUT_DIR": "/opt/ml/input", "SM_OUTPUT_DIR": "/opt/ml/output",
        "SM_INPUT_CONFIG_DIR": "/opt/ml/input/config", "SM_NUM_GPUS": "0", "SM_NETWORK_INTERFACE_NAME": "eth0",
        "SM_USER_ARGS": '["--alpha","0.5","--fit-intercept","True","-n","3"]', "SM_IS_HETERO": "false",
        "SM_MODULE_DIR": "/opt/ml/input/source.tar.gz",
    }  # fmt: skip
    assert {name: environment.get(name) for name in expected} == expected
    assert json.loads(environment["SM_TRAINING_ENV"])["job_name"] == "job-1"
    assert json.loads(environment["SM_FRAMEWORK_PARAMS"])["sagemaker_program"] == "train.py"


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("raise ValueError('bad data')", 1, "ValueError: bad data"),
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('no way')", 1, "no way"),
        ("import nowhere_to_be_found", 1, "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
    ],
)
def test_failures(program_run: Any, script: str, code: int, message: str) -> None:
    prepare(program_run, f"import numpy\n{script}\n", alpha=1)
    assert train(program_run) == code
    start, _, command = program_run.failure.rpartition("\nCommand ")
    assert start == f'ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "{message}"'
    assert command == '"/miniconda3/bin/python train.py --alpha 1"'
    if message:
        assert message in program_run.log


def test_scripts_of_xgboost_are_modules(program_run: Any) -> None:
    prepare(program_run, "raise ValueError('bad data')", alpha=1)
    assert train(program_run, XGBoost()) == 1
    assert program_run.failure == 'ExecuteUserScriptError:\nCommand "/miniconda3/bin/python -m train --alpha 1"'
    assert "ValueError: bad data" in program_run.log


@pytest.mark.parametrize(
    ("name", "why"), [("src/train.py", "No module named src/train"), ("train.sh", "No module named 'train')")]
)
def test_scripts_that_are_no_modules_do_not_run_in_xgboost(program_run: Any, name: str, why: str) -> None:
    prepare(program_run, "print('ran')", name)
    assert train(program_run, XGBoost()) == 1
    module = name.removesuffix(".py")
    assert program_run.failure == f'ExecuteUserScriptError:\nCommand "/miniconda3/bin/python -m {module}"'
    assert why in program_run.log


def test_a_shell_script_beside_a_setup_does_not_run(program_run: Any) -> None:
    """The toolkit looks for a setup.py first."""
    prepare(program_run, "", "train.sh")
    setup = "from setuptools import setup; setup(name='x', version='1')"
    program_run.write("input/source.tar.gz", archive(train__sh="echo ran", setup__py=setup))
    assert train(program_run) == 1
    assert "No module named 'train'" in program_run.log and "ran\n" not in program_run.log


def test_a_script_beside_a_setup_is_a_module(program_run: Any) -> None:
    prepare(program_run, "")
    setup = "from setuptools import setup; setup(name='x', version='1', py_modules=['train'])"
    code = archive(train__py="import sys; print('ran', sys.argv)", setup__py=setup)
    program_run.write("input/source.tar.gz", code)
    assert train(program_run) == 0, program_run.log
    assert "/miniconda3/bin/python -m train" in program_run.log
    assert "ran ['/opt/ml/code/train.py']" in program_run.log


def test_the_scripts_own_failure_file_stays(program_run: Any) -> None:
    prepare(program_run, "open('/opt/ml/output/failure', 'w').write('mine'); raise SystemExit(2)")
    assert train(program_run) == 2
    assert program_run.failure == "mine"


def test_missing_script_name(program_run: Any) -> None:
    program_run.write("input/config/hyperparameters.json", {})
    assert train(program_run) == 1
    assert program_run.failure.startswith("Framework Error: \nTraceback")


def test_shell_script(program_run: Any) -> None:
    prepare(program_run, '#!/bin/sh\necho "$SM_CHANNEL_TRAIN $@" > "$SM_MODEL_DIR/out"\n', "go.sh", alpha=2)
    assert train(program_run) == 0, program_run.log
    assert (program_run.ml / "model" / "out").read_text() == "/opt/ml/input/data/train --alpha 2\n"


@contextmanager
def serving(run: Any, image: Image, environment: Mapping[str, str]) -> Iterator[http.client.HTTPConnection]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        fd = {"LOCAL_SAGEMAKER_LISTEN_FD": listener.fileno()}
        process = run.start(image.serve(URI, environment), environment=environment, listen=fd)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        yield connection
    finally:
        connection.close()
        process.signal(signal.SIGTERM)
        assert process.wait(30) == 0, run.log


def ask(connection: http.client.HTTPConnection, body: bytes, content_type: str, accept: str | None = None) -> Any:
    headers = {"Content-Type": content_type, **({"Accept": accept} if accept else {})}
    connection.request("POST", "/invocations", body, headers)
    response = connection.getresponse()
    return response.status, response.getheader("Content-Type"), response.read()


def test_trained_model_serves(program_run: Any) -> None:
    prepare(program_run, TRAIN, alpha=0.5, n=1)
    assert train(program_run) == 0, program_run.log
    program_run.write("model/code/inference.py", SERVE)
    rows = table()[:3, 1:]
    import joblib

    model = joblib.load(program_run.ml / "model" / "model.joblib")
    expected = model.predict(rows.astype(np.float32)).tolist()
    with serving(program_run, ScikitLearn(), {"SAGEMAKER_PROGRAM": "inference.py"}) as connection:
        status, content_type, body = ask(connection, json.dumps(rows.tolist()).encode(), "application/json")
        assert (status, content_type) == (200, "application/json"), program_run.log
        assert np.allclose(json.loads(body), expected, atol=1e-5)
        text = "\n".join(",".join(map(str, row)) for row in rows).encode()
        status, content_type, body = ask(connection, text, "text/csv", "text/csv")
        assert (status, content_type) == (200, "text/csv; charset=utf-8")
        assert np.allclose([float(line) for line in body.split(b"\n")[:-1]], expected, atol=1e-5)
        status, _, body = ask(connection, text.split(b"\n")[0], "text/csv")  # squeezed to one dimension
        assert status == 500
        assert body.startswith(b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<title>500 Internal Server')
        assert "Expected 2D array" in program_run.log
        row = rows[0].tolist()
        for data, kind, accept in (
            (b"x", "image/png", None),
            (text + b"\n\n", "text/csv", None),
            (b"1,,3\n4,5,6", "text/csv", None),
            (text, "text/csv; charset=utf-8", None),
            (text, "TEXT/CSV", None),
            (text, "text/csv", "text/csv; charset=utf-8"),
            (text, "text/csv", "text/html"),
            (json.dumps([[*row[:2], None]]).encode(), "application/json", "text/csv,application/json"),
            (b"", "text/csv", None),
        ):
            assert ask(connection, data, kind, accept)[0] == 500, (data, kind, accept)
        quoted = b'"%f","%f",%f\n' % tuple(row) * 2
        assert ask(connection, quoted, "text/csv")[0] == 200
        connection.request("GET", "/execution-parameters")
        response = connection.getresponse()
        assert (response.status, response.read()) == (404, b"Not Found")


OWN = """
def model_fn(model_dir): return 10
def input_fn(data, content_type): return [int(x) for x in data.split(",")], content_type
def predict_fn(data, model): return [x * model for x in data[0]]
def output_fn(prediction, accept): return "|".join(map(str, prediction)), "text/x-mine"
def execution_parameters_fn(): return {"MaxPayloadInMB": 1}
"""


def test_own_functions(program_run: Any) -> None:
    program_run.write("model/code/serve_me.py", OWN)
    with serving(program_run, XGBoost(), {"SAGEMAKER_PROGRAM": "serve_me.py"}) as connection:
        found = ask(connection, b"1,2", "text/csv")
        assert found == (200, "text/x-mine; charset=utf-8", b"10|20"), program_run.log
        connection.request("GET", "/execution-parameters")
        assert json.loads(connection.getresponse().read()) == {"MaxPayloadInMB": 1}


ANSWERS = """
def model_fn(model_dir): return None
def transform_fn(model, data, content_type, accept):
    return {"text": "plain", "bytes": b"plain", "dict": {"a": 1}, "list": [1], "none": None, "type": repr(type(data)),
            "pair": ("x", "text/x-mine")}[data if isinstance(data, str) else data.decode()]
"""


def test_what_a_function_returns_becomes_a_response_as_in_flask(program_run: Any) -> None:
    program_run.write("model/code/inference.py", ANSWERS)
    html = "text/html; charset=utf-8"
    with serving(program_run, XGBoost(), {"SAGEMAKER_PROGRAM": "inference.py"}) as connection:
        assert ask(connection, b"text", "text/csv", "application/json") == (200, html, b"plain"), program_run.log
        assert ask(connection, b"bytes", "text/csv") == (200, html, b"plain")
        assert ask(connection, b"dict", "text/csv") == (200, "application/json", b'{"a": 1}')
        assert ask(connection, b"pair", "text/csv") == (200, "text/x-mine; charset=utf-8", b"x")
        assert ask(connection, b"list", "text/csv")[0] == ask(connection, b"none", "text/csv")[0] == 500
        assert ask(connection, b"type", "text/csv")[2] == b"<class 'str'>"
        assert ask(connection, b"type", "text/csv; charset=utf-8")[2] == b"<class 'bytes'>"


XGB_SERVE = """
import os, xgboost as xgb
def model_fn(model_dir):
    booster = xgb.Booster()
    booster.load_model(os.path.join(model_dir, "m.json"))
    return booster
"""


def test_default_functions_of_xgboost(program_run: Any) -> None:
    features = np.random.default_rng(0).normal(size=(40, 3)).round(3)
    model = xgb.train({"max_depth": 2}, xgb.DMatrix(features, features @ [1.0, 2.0, 3.0]), 3)
    program_run.write("model/code/inference.py", XGB_SERVE)
    program_run.write("model/m.json", bytes(model.save_raw("json")))
    predicted = model.predict(xgb.DMatrix(features[:2]))
    text = "\n".join(",".join(map(str, row)) for row in features[:2]).encode()
    with serving(program_run, XGBoost(), {"SAGEMAKER_PROGRAM": "inference.py"}) as connection:
        digits = "".join(f"{value!s}\n" for value in predicted).encode()  # those of float32
        assert ask(connection, text, "text/csv", "text/csv") == (200, "text/csv; charset=utf-8", digits)
        _, kind, body = ask(connection, text, "text/csv; charset=utf-8")
        assert (kind, json.loads(body)) == ("application/json", predicted.tolist())
        sparse = b"1 0:%f 1:%f 2:%f" % tuple(features[0])
        assert json.loads(ask(connection, sparse, "text/libsvm")[2]) == pytest.approx([predicted[0]])
        for data, content_type in ((text + b"\n", "text/csv"), (text, "application/json"), (text, "csv")):
            assert ask(connection, data, content_type)[0] == 500, (data, content_type)


def _wheel() -> bytes:
    """A package that nothing else has: ``tiny_toolkit_answer.ANSWER``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        wheel.writestr("tiny_toolkit_answer.py", "ANSWER = 42\n")
        name = "tiny_toolkit_answer-1.0.dist-info/"
        wheel.writestr(name + "METADATA", "Metadata-Version: 2.1\nName: tiny-toolkit-answer\nVersion: 1.0\n")
        wheel.writestr(
            name + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(name + "RECORD", "")
    return buffer.getvalue()


WHEEL = "tiny_toolkit_answer-1.0-py3-none-any.whl"


def test_training_with_requirements(program_run: Any) -> None:
    script = (
        "import logging, os, sys, tiny_toolkit_answer\n"
        "open(os.environ['SM_MODEL_DIR'] + '/m', 'w').write(f'{tiny_toolkit_answer.ANSWER} {sys.argv[1:]}')\n"
    )
    prepare(program_run, script, alpha=1)
    program_run.write(f"input/{WHEEL}", _wheel())
    requirements = archive(train__py=script, requirements__txt=f"/opt/ml/input/{WHEEL}\n")
    program_run.write("input/source.tar.gz", requirements)
    assert train(program_run) == 0, program_run.log
    assert (program_run.ml / "model" / "m").read_text() == "42 ['--alpha', '1']"
    program_run.write("input/source.tar.gz", archive(train__py=script, requirements__txt="./no-such-wheel.whl\n"))
    assert train(program_run) == 1
    assert program_run.failure == (
        'InstallModuleError:\nExitCode 1\nCommand "/miniconda3/bin/python -m pip install -r requirements.txt"'
    )


def test_serving_with_requirements(program_run: Any) -> None:
    program_run.write("model/code/" + WHEEL, _wheel())
    program_run.write("model/code/requirements.txt", f"/opt/ml/model/code/{WHEEL}\n")
    program_run.write("model/code/inference.py", "import tiny_toolkit_answer\n"
                      "def model_fn(d): return tiny_toolkit_answer.ANSWER\n"
                      "def transform_fn(model, data, content_type, accept): return str(model), accept\n")  # fmt: skip
    environment = {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    with serving(program_run, ScikitLearn(), environment) as connection:
        assert ask(connection, b"abc", "text/csv", "text/csv")[2] == b"42", program_run.log


def test_the_scripts_own_logging(program_run: Any) -> None:
    prepare(program_run, "import logging\nlogging.basicConfig(format='mine %(message)s', level=10)\nlogging.debug('x')")
    assert train(program_run) == 0
    assert "\nmine x\n" in program_run.log


def test_transform_function(program_run: Any) -> None:
    script = "def model_fn(d): return 1\ndef transform_fn(model, data, content_type, accept): return data[::-1]\n"
    program_run.write("model/code/inference.py", script)
    with serving(program_run, ScikitLearn(), {}) as connection:
        assert ask(connection, b"abc", "text/csv", "text/csv")[2] == b"cba", program_run.log


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("def predict_fn(data, model): return 1", "Please provide a model_fn implementation."),
        ("def model_fn(d): raise ValueError('no model')", "no model"),
        ("def model_fn(d): return 1\ndef transform_fn(*a): pass\ndef input_fn(*a): pass",
         "Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn"),
    ],
)  # fmt: skip
def test_servers_that_do_not_start(program_run: Any, script: str, text: str) -> None:
    program_run.write("model/code/inference.py", script)
    assert program_run.run(ScikitLearn().serve(URI, {}), environment={"SAGEMAKER_BIND_TO_PORT": "0"}) != 0
    assert text in program_run.log
