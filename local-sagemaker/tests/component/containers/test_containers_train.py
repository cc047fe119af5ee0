"""Training with the built-in algorithm, each in a process of its own with its own /opt/ml."""

from __future__ import annotations

import json
import re
import signal
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from numpy.typing import NDArray

import local_sagemaker
from local_sagemaker.containers.xgboost import recordio
from local_sagemaker.images.image import ImageUri
from local_sagemaker.images.xgboost import XGBoost

STOCK = {"objective": "reg:squarederror", "num_round": "5", "max_depth": "3", "eta": "0.3"}
CSV_CHANNEL = {
    "ContentType": "text/csv", "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated",
    "RecordWrapperType": "None",
}  # fmt: skip


def rows(count: int, seed: int = 0, width: int = 4) -> NDArray[np.float32]:
    """Label, then features: multiples of 1/64, which XGBoost's text parser reads without an error in the last bit."""
    features = np.round(np.random.default_rng(seed).normal(size=(count, width)) * 64) / 64
    label = 3 * features[:, 0] - features[:, 1]
    return np.column_stack([label, features]).astype(np.float32)


def as_csv(table: NDArray[Any]) -> str:
    return "".join(",".join(f"{value:.6f}" for value in row) + "\n" for row in table)


def prepare(run: Any, hyperparameters: dict[str, str], *, content_type: str | None = "text/csv", **data: Any) -> None:
    """Configuration files and channel data of a job; `data` is the content of each channel's one file."""
    channel = {**CSV_CHANNEL, "ContentType": content_type}
    if content_type is None:
        del channel["ContentType"]
    for name, content in data.items():
        run.write(f"input/data/{name}/{name}.data", content)
    run.write("input/config/inputdataconfig.json", dict.fromkeys(data, channel))
    run.write("input/config/hyperparameters.json", {**STOCK, **hyperparameters})
    run.write("input/config/resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1"]})


def train(run: Any, tag: str = "3.0-5") -> int:
    return run.run(XGBoost().train(ImageUri("", "sagemaker-xgboost", tag)))


def model_of(run: Any) -> xgb.Booster:
    booster = xgb.Booster()
    booster.load_model(bytearray((run.ml / "model" / "xgboost-model").read_bytes()))
    return booster


def test_log_lines_and_model(program_run: Any) -> None:
    table, validation = rows(300), rows(60, 1)
    prepare(program_run, {}, train=as_csv(table), validation=as_csv(validation))
    assert train(program_run) == 0, program_run.log
    lines = program_run.log.splitlines()
    own = [line for line in lines if not line.startswith("The image ")]  # where this machine lacks the image's Python
    evaluations = [line for line in lines if re.match(r"\[\d+\]\t", line)]
    assert [line.split("\t")[0] for line in evaluations] == [f"[{number}]" for number in range(5)]
    assert all(re.fullmatch(r"\[\d\]\ttrain-rmse:\d+\.\d{5}\tvalidation-rmse:\d+\.\d{5}", line) for line in evaluations)
    messages = [line.split("] ", 1)[-1] for line in lines if line.startswith("[20")]
    for message in (
        "Running XGBoost Sagemaker in algorithm mode",
        "Determined delimiter of CSV input is ','",
        "Single node training.",
        "Train matrix has 300 rows and 4 columns",
        "Validation matrix has 60 rows",
    ):
        assert message in messages
    assert re.match(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^ :]+:\d+ INFO train\.py:\d+\] ", own[0])
    direct = xgb.train(
        {"objective": "reg:squarederror", "max_depth": 3, "eta": 0.3}, xgb.DMatrix(table[:, 1:], table[:, 0]), 5
    )
    features = xgb.DMatrix(validation[:, 1:])
    assert np.array_equal(model_of(program_run).predict(features), direct.predict(features))
    assert (program_run.ml / "output" / "success").exists()


@pytest.mark.parametrize(("tag", "start"), [("1.7-1", b"binf"), ("3.0-5", b"{L")])
def test_model_file_of_each_tag(program_run: Any, tag: str, start: bytes) -> None:
    """Of the older ones: `test_images_xgboost_libraries`."""
    prepare(program_run, {}, train=as_csv(rows(50)))
    assert train(program_run, tag) == 0, program_run.log
    data = (program_run.ml / "model" / "xgboost-model").read_bytes()
    assert data.startswith(start)
    assert model_of(program_run).num_boosted_rounds() == 5


@pytest.mark.parametrize(
    ("hyperparameters", "data", "text"),
    [
        ({"max_depth": "5.0"}, {}, "Hyperparameter max_depth: could not parse value (caused by ValueError)"),
        ({"bogus": "1"}, {}, "Extraneous hyperparameter found: bogus"),
        ({}, {"test": "1,2\n"}, "Extraneous channel found: test"),
        ({}, {"train": ""}, "No data in training channel path /opt/ml/input/data/train"),
        ({}, {"validation": ""}, "No data in validation channel path /opt/ml/input/data/validation"),
        ({}, {"train": "\n1,2\n"}, "Could not determine delimiter on line \n:\nCould not determine delimiter"),
        ({"objective": "binary:logistic"}, {}, "label must be in [0,1] for logistic regression"),
        ({"objective": "reg:logistic"}, {}, "label must be in [0,1] for logistic regression"),
        ({"objective": "count:poisson"}, {}, "PoissonRegression: label must be nonnegative"),
        ({"objective": "multi:softmax", "num_class": "2"}, {}, "label must be in [0, num_class)."),
    ],
)
def test_user_errors(program_run: Any, hyperparameters: dict[str, str], data: dict[str, str], text: str) -> None:
    prepare(program_run, hyperparameters, **{"train": as_csv(rows(30)), **data})
    assert train(program_run) == 1
    failure = program_run.failure[:1000]
    assert failure.startswith("framework error: \nTraceback (most recent call last):\n")
    assert str(Path(local_sagemaker.__file__).parents[1]) not in failure + program_run.log
    assert "sagemaker_algorithm_toolkit.exceptions.UserError: " in failure
    assert text in failure
    assert not (program_run.ml / "model" / "xgboost-model").exists()


def test_hidden_file_is_refused(program_run: Any) -> None:
    prepare(program_run, {}, train=as_csv(rows(30)))
    program_run.write("input/data/train/.DS_Store", "x")
    assert train(program_run) == 1
    assert "Hidden file found in the data path! Remove that before training." in program_run.failure


def test_a_header_becomes_a_row_of_zeros(program_run: Any) -> None:
    prepare(program_run, {}, train="y,a,b,c,d\n" + as_csv(rows(20)))
    assert train(program_run) == 0
    assert "Train matrix has 21 rows and 4 columns" in program_run.log


def test_files_of_a_channel_are_joined_to_three_levels(program_run: Any) -> None:
    table = as_csv(rows(10))
    prepare(program_run, {}, train=table)
    for path in ("a.csv", "one/b.csv", "one/two/c.csv", "one/two/three/d.csv"):
        program_run.write(f"input/data/train/{path}", table)
    assert train(program_run) == 0
    assert "Train matrix has 40 rows" in program_run.log
    assert "Folder depth exceed the limit: 3" in program_run.log


def test_weights_in_the_second_column(program_run: Any) -> None:
    table = rows(200)
    weights = np.random.default_rng(5).integers(1, 5, 200).astype(np.float32)
    weighted = np.column_stack([table[:, 0], weights, table[:, 1:]])
    prepare(program_run, {"csv_weights": "1"}, train=as_csv(weighted))
    assert train(program_run) == 0, program_run.log
    parameters = {"objective": "reg:squarederror", "max_depth": 3, "eta": 0.3}
    direct = xgb.train(parameters, xgb.DMatrix(table[:, 1:], table[:, 0], weight=weights), 5)
    features = xgb.DMatrix(table[:, 1:])
    assert np.array_equal(model_of(program_run).predict(features), direct.predict(features))


def _libsvm(table: NDArray[Any]) -> str:
    def line(row: NDArray[Any]) -> str:
        return " ".join([f"{row[0]:.6f}", *(f"{index}:{value:.6f}" for index, value in enumerate(row[1:]))])

    return "".join(line(row) + "\n" for row in table)


def _parquet(table: NDArray[Any], folder: Path) -> bytes:
    file = folder / "table.parquet"
    pd.DataFrame(table).rename(columns=str).to_parquet(file)
    return file.read_bytes()


def _protobuf(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def _recordio(table: NDArray[Any]) -> bytes:
    def message(row: NDArray[Any]) -> bytes:
        def entry(values: NDArray[Any]) -> bytes:
            tensor = _protobuf(1, struct.pack(f"<{len(values)}f", *values))
            return _protobuf(1, b"values") + _protobuf(2, _protobuf(2, tensor))

        return _protobuf(1, entry(row[1:])) + _protobuf(2, entry(row[:1]))

    return recordio.frames(message(row) for row in table)


@pytest.mark.parametrize(
    "content_type", ["text/libsvm", None, "application/x-parquet", "application/x-recordio-protobuf"]
)
def test_other_formats_give_the_same_model_as_csv(program_run: Any, content_type: str | None, tmp_path: Path) -> None:
    table = rows(120)
    encoded: dict[str | None, Callable[[], str | bytes]] = {
        "application/x-parquet": lambda: _parquet(table, tmp_path),
        "application/x-recordio-protobuf": lambda: _recordio(table),
    }
    content = encoded.get(content_type, lambda: _libsvm(table))()
    prepare(program_run, {}, content_type=content_type, train=content)
    assert train(program_run) == 0, program_run.log
    parameters = {"objective": "reg:squarederror", "max_depth": 3, "eta": 0.3}
    direct = xgb.train(parameters, xgb.DMatrix(table[:, 1:], table[:, 0]), 5)
    features = xgb.DMatrix(table[:, 1:])
    assert np.array_equal(model_of(program_run).predict(features), direct.predict(features))


def test_not_libsvm(program_run: Any) -> None:
    prepare(program_run, {}, content_type="text/libsvm", train="1 2 3\n")
    assert train(program_run) == 1
    assert (
        "of file 'train.data' is not 'LIBSVM' format. Please ensure the file is in 'LIBSVM' format."
        in program_run.failure
    )


def test_early_stopping_keeps_the_best_round(program_run: Any) -> None:
    noise = np.random.default_rng(3).normal(size=(400, 5)).round(4)
    settings = {"num_round": "60", "eta": "0.9", "max_depth": "6", "eval_metric": "mae", "early_stopping_rounds": "3"}
    prepare(program_run, settings, train=as_csv(noise[:200]), validation=as_csv(noise[200:]))
    assert train(program_run) == 0, program_run.log
    scores = [float(score) for score in re.findall(r"validation-mae:(\S+)", program_run.log)]
    best = int(np.argmin(scores))
    assert len(scores) == best + 4 < 60
    assert model_of(program_run).num_boosted_rounds() == best + 1


def test_early_stopping_without_a_metric_is_ignored(program_run: Any) -> None:
    noise = np.random.default_rng(3).normal(size=(400, 5)).round(4)
    settings = {"num_round": "12", "eta": "0.9", "max_depth": "6", "early_stopping_rounds": "2"}
    prepare(program_run, settings, train=as_csv(noise[:200]), validation=as_csv(noise[200:]))
    assert train(program_run) == 0
    assert model_of(program_run).num_boosted_rounds() == 12


def test_metrics_of_library_and_container_in_one_line(program_run: Any) -> None:
    table = rows(200)
    table[:, 0] = table[:, 0] > 0
    settings = {"objective": "binary:logistic", "eval_metric": "accuracy,logloss,f1,auc", "num_round": "2"}
    prepare(program_run, settings, train=as_csv(table))
    assert train(program_run) == 0, program_run.log
    names = re.findall(r"\ttrain-([a-z0-9]+):", program_run.log)
    assert names == ["logloss", "auc", "accuracy", "f1"] * 2


def test_checkpoints_are_pruned_and_resumed(program_run: Any) -> None:
    table = as_csv(rows(100))
    prepare(program_run, {"num_round": "8"}, train=table)
    program_run.write("input/config/checkpointconfig.json", {"S3Uri": "s3://b/c", "LocalPath": "/opt/ml/checkpoints"})
    assert train(program_run) == 0, program_run.log
    names = sorted(file.name for file in (program_run.ml / "checkpoints").iterdir())
    assert names == [f"xgboost-checkpoint.{number}" for number in range(3, 8)]
    program_run.write("input/config/hyperparameters.json", {**STOCK, "num_round": "10"})
    (program_run.root / "log.txt").unlink()
    assert train(program_run) == 0, program_run.log
    assert "Resuming from iteration 8" in program_run.log
    assert re.findall(r"^\[(\d+)\]\t", program_run.log, re.MULTILINE) == ["8", "9"]
    assert model_of(program_run).num_boosted_rounds() == 10


def test_termination_leaves_a_valid_model(program_run: Any) -> None:
    prepare(program_run, {"num_round": "1000000", "save_model_on_termination": "true"}, train=as_csv(rows(500)))
    process = program_run.start(XGBoost().train(ImageUri("", "sagemaker-xgboost", "3.0-5")))
    model = program_run.ml / "model" / "xgboost-model"
    deadline = time.monotonic() + 60
    while not model.exists() and time.monotonic() < deadline:
        process.wait(0.01)
    process.signal(signal.SIGTERM)
    assert process.wait(60) == 0, program_run.log
    assert model_of(program_run).num_boosted_rounds() >= 1
    assert [file.name for file in model.parent.iterdir()] == ["xgboost-model"]


def test_cross_validation(program_run: Any) -> None:
    table = rows(90)
    prepare(program_run, {"_kfold": "3", "_num_cv_round": "2", "eval_metric": "mae"}, train=as_csv(table))
    assert train(program_run) == 0, program_run.log
    names = sorted(file.name for file in (program_run.ml / "model").iterdir())
    assert names == [f"xgboost-model-{number}" for number in range(6)]
    assert re.search(r"^\[5\]\ttrain-rmse:\d\.\d{5}\ttrain-mae:\d\.\d{5}$", program_run.log, re.MULTILINE)
    predictions = np.loadtxt(program_run.ml / "output" / "data" / "predictions.csv", delimiter=",")
    assert predictions.shape == (90, 2)
    assert np.allclose(predictions[:, 0], table[:, 0], atol=1e-5)
    assert np.corrcoef(predictions.T)[0, 1] > 0.8


def test_same_data_in_another_file_order_is_the_same_model(new_run: Any) -> None:
    table, models = rows(200), []
    for names in (("b", "a"), ("a", "b")):
        run = new_run()
        prepare(run, {"subsample": "0.5"}, train=as_csv(table[100:]))
        (run.ml / "input/data/train/train.data").unlink()
        for name in names:
            run.write(f"input/data/train/{name}.csv", as_csv(table[:100] if name == "a" else table[100:]))
        assert train(run) == 0, run.log
        models.append((run.ml / "model" / "xgboost-model").read_bytes())
    assert models[0] == models[1]


PIPED = {**CSV_CHANNEL, "TrainingInputMode": "Pipe"}


def test_pipe_mode_is_refused_by_later_tags(program_run: Any) -> None:
    prepare(program_run, {}, train=as_csv(rows(5)))
    program_run.write("input/config/inputdataconfig.json", {"train": PIPED})
    assert train(program_run, "3.2-0") == 1
    assert "Pipe mode for CSV is no longer supported. Please use Fast File mode (default)" in program_run.failure


@pytest.mark.parametrize("kind", ["text/csv", "application/x-parquet", "application/x-recordio-protobuf"])
def test_pipes_are_read(program_run: Any, kind: str, tmp_path: Path) -> None:
    table = rows(120)
    encode: dict[str, Callable[[NDArray[Any]], bytes]] = {
        "text/csv": lambda part: as_csv(part).encode(),
        "application/x-parquet": lambda part: _parquet(part, tmp_path),
        "application/x-recordio-protobuf": _recordio,
    }
    prepare(program_run, {}, train="")
    program_run.write("input/config/inputdataconfig.json", {"train": {**PIPED, "ContentType": kind}})
    program_run.write("input/data/train_0", encode[kind](table[:70]) + encode[kind](table[70:]))
    assert train(program_run) == 0, program_run.log
    direct = xgb.train({"max_depth": 3, "eta": 0.3}, xgb.DMatrix(table[:, 1:], table[:, 0]), 5)
    features = xgb.DMatrix(table[:, 1:])
    assert np.array_equal(model_of(program_run).predict(features), direct.predict(features))


def test_weights_are_a_column_of_the_validation_data_too(program_run: Any) -> None:
    table = np.insert(rows(60), 1, 1.0, axis=1)
    prepare(program_run, {"csv_weights": "1"}, train=as_csv(table), validation=as_csv(table))
    assert train(program_run) == 0, program_run.log
    scores = [re.split("[\t:]", line)[2::2] for line in program_run.log.splitlines() if line.startswith("[0]")]
    assert scores[0][0] == scores[0][1]


@pytest.mark.parametrize("text", ["1 1:2:3 2:4\n", "1 \n", "x 1:2\n", "1\t1:2\n", "\n1 1:2 2:3\n"])
def test_what_is_no_libsvm(program_run: Any, text: str) -> None:
    prepare(program_run, {}, content_type="text/libsvm", train=text)
    assert train(program_run) == 1
    assert "is not 'LIBSVM' format. Please ensure the file is in 'LIBSVM' format." in program_run.failure


def test_hyperparameters_file_is_read_as_texts(program_run: Any) -> None:
    prepare(program_run, {"num_round": '"2"'}, train=as_csv(rows(5)))
    assert json.loads((program_run.ml / "input/config/hyperparameters.json").read_text())["num_round"] == '"2"'
    assert train(program_run) == 1
    assert "Hyperparameter num_round: could not parse value" in program_run.failure


def test_gpu_training_finds_no_gpu(program_run: Any) -> None:
    prepare(program_run, {"tree_method": "gpu_hist"}, train=as_csv(rows(10)))
    assert train(program_run) == 1
    text = "AlgorithmError: XGB train call failed with exception:\n Must have at least one device"
    assert text in program_run.failure
