"""Each XGBoost image's algorithm, script mode and model server run on the library that the image holds."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from local_sagemaker.config import find_cache
from local_sagemaker.images.image import ImageUri
from local_sagemaker.images.libraries import catalogue
from local_sagemaker.images.libraries.store import LibrarySets
from local_sagemaker.images.xgboost import XGBoost
from tests.component.containers import test_containers_distributed as distributed
from tests.component.containers.test_containers_toolkit import ask, serving
from tests.component.containers.test_containers_toolkit import prepare as prepare_script
from tests.component.containers.test_containers_train import as_csv, prepare, rows

OLD = {"0.90-2": "0.90", "1.0-1": "1.0.1", "1.2-2": "1.2.0", "1.3-1": "1.3.3", "1.5-1": "1.5.2"}


def _prepared(tag: str) -> bool:
    image = catalogue.find("sagemaker-xgboost", tag)
    return image is not None and LibrarySets(find_cache(os.environ)).find(image) is not None


TAGS = pytest.mark.parametrize(
    "tag",
    [
        pytest.param(tag, marks=pytest.mark.skipif(not _prepared(tag), reason="not prepared: make check-images"))
        for tag in OLD
    ],
)
pytestmark = pytest.mark.slow


def scores(log: str) -> list[str]:
    """The lines of the rounds."""
    return [line for line in log.splitlines() if re.match(r"\[\d+\]\t", line)]


def uri(tag: str) -> ImageUri:
    return ImageUri("", "sagemaker-xgboost", tag)


class OfTag(XGBoost):
    """The image of one tag, whatever the URI that a fixture gives."""

    def __init__(self, tag: str) -> None:
        self.tag = tag

    def serve(self, _uri: Any, environment: Any) -> Any:
        return super().serve(uri(self.tag), environment)


@TAGS
def test_the_algorithm_trains_stops_early_and_serves(program_run: Any, tag: str) -> None:
    table = rows(300)
    settings = {"num_round": "40", "eta": "1", "early_stopping_rounds": "2", "eval_metric": "mae,mse"}
    settings |= {"silent": "0", "predictor": "cpu_predictor"} if tag < "1.2" else {}
    prepare(program_run, settings, train=as_csv(table), validation=as_csv(rows(60, 1)))
    program_run.write("input/config/checkpointconfig.json", {"LocalPath": "/opt/ml/checkpoints"})
    assert program_run.run(XGBoost().train(uri(tag)), environment={}) == 0, program_run.log
    lines = scores(program_run.log)
    assert lines[0].startswith("[0]\ttrain-"), program_run.log
    names = {part.rpartition(":")[0] for part in lines[0].split("\t")[1:]}
    assert names >= {"train-mae", "train-mse", "validation-mae", "validation-mse"}
    assert 2 < len(lines) < 40, "it stopped early"
    assert len(list((program_run.ml / "checkpoints").iterdir())) == min(5, len(lines))
    model = (program_run.ml / "model" / "xgboost-model").read_bytes()
    assert model.startswith(b"\x80" if tag < "1.3" else b"binf")
    with serving(program_run, OfTag(tag), {}) as connection:
        status, _, body = ask(connection, as_csv(table[:20, 1:]).strip().encode(), "text/csv")
        assert status == 200, program_run.log
        found = np.array(body.decode().replace("\n", ",").strip(",").split(","), float)
        assert np.abs(found - table[:20, 0]).mean() < 0.5 * np.abs(table[:20, 0]).mean()
        assert ask(connection, b"1:0.5 2:1", "text/libsvm")[0] in (200, 400)


@TAGS
def test_classes_folds_and_a_resumed_training(new_run: Callable[[], Any], tag: str) -> None:
    table = rows(200)
    table[:, 0] = table[:, 0] > 0
    run = new_run()
    settings = {"objective": "binary:logistic", "eval_metric": "accuracy,f1,auc", "num_round": "4"}
    prepare(run, settings, train=as_csv(table), validation=as_csv(table[:50]))
    run.write("input/config/checkpointconfig.json", {"LocalPath": "/opt/ml/checkpoints"})
    assert run.run(XGBoost().train(uri(tag))) == 0, run.log
    last = scores(run.log)[-1]
    values = {name: float(value) for name, _, value in (part.rpartition(":") for part in last.split("\t")[1:])}
    assert values["train-accuracy"] > 0.9, last
    assert values["validation-auc"] > 0.9, last
    prepare(run, {**settings, "num_round": "6"}, train=as_csv(table), validation=as_csv(table[:50]))
    assert run.run(XGBoost().train(uri(tag))) == 0, run.log
    assert "Resuming from iteration 4" in run.log
    assert [line[:3] for line in scores(run.log)[-2:]] == ["[4]", "[5]"]
    folds = new_run()
    prepare(folds, {**settings, "_kfold": "3"}, train=as_csv(table), validation=as_csv(table[:50]))
    assert folds.run(XGBoost().train(uri(tag))) == 0, folds.log
    assert len((folds.ml / "output" / "data" / "predictions.csv").read_text().splitlines()) == 250
    with serving(folds, OfTag(tag), {"SAGEMAKER_INFERENCE_OUTPUT": "probability,predicted_label"}) as connection:
        status, _, body = ask(connection, as_csv(table[:3, 1:]).strip().encode(), "text/csv")
    assert status == 200, folds.log
    assert len(body.splitlines()) == 3, body


@TAGS
def test_two_hosts_train_one_model_where_the_library_has_a_tracker(
    new_run: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, tag: str
) -> None:
    if tag == "0.90-2":
        run = new_run()
        prepare(run, {}, train=as_csv(rows(20)))
        run.write("input/config/resourceconfig.json", {"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]})
        assert run.run(XGBoost().train(uri(tag)), hosts=distributed.HOSTS) == 1
        assert "Training on several hosts needs XGBoost 1.0 or later here" in run.failure
        return
    monkeypatch.setattr(distributed, "PROGRAM", XGBoost().train(uri(tag)))
    first, second = distributed.job_of(new_run, [distributed.table(1), distributed.table(2)])
    models = [(run.ml / "model" / "xgboost-model").exists() for run in (first, second)]
    assert (models, "train-rmse" in first.log, "train-rmse" in second.log) == ([True, False], True, False)


SCRIPT = """
import os, pickle, xgboost
from sagemaker_xgboost_container import checkpointing
from sagemaker_xgboost_container.data_utils import get_dmatrix
matrix = get_dmatrix(os.environ["SM_CHANNEL_TRAIN"], "csv")
arguments = dict(params={"max_depth": 2}, dtrain=matrix, num_boost_round=3, evals=[(matrix, "train")])
model = checkpointing.train(arguments, "/opt/ml/checkpoints")
pickle.dump(model, open(os.path.join(os.environ["SM_MODEL_DIR"], "model.pkl"), "wb"))
print("=", xgboost.__version__, checkpointing.load_checkpoint("/opt/ml/checkpoints")[1])

def model_fn(folder):
    return pickle.load(open(os.path.join(folder, "model.pkl"), "rb"))
"""


@TAGS
def test_script_mode(program_run: Any, tag: str) -> None:
    prepare_script(program_run, SCRIPT.partition("\ndef model_fn")[0])
    program_run.write("input/data/train/train.csv", as_csv(rows(50)))
    assert program_run.run(XGBoost().train(uri(tag)), environment={"TRAINING_JOB_NAME": "job-1"}) == 0, program_run.log
    assert f"= {OLD[tag]} 3" in program_run.log.splitlines()
    program_run.write("model/code/inference.py", "import os, pickle\n\ndef" + SCRIPT.partition("\ndef")[2])
    with serving(program_run, OfTag(tag), {"SAGEMAKER_PROGRAM": "inference.py"}) as connection:
        status, _, body = ask(connection, b"1,2,3,4", "text/csv")
    assert status == 200, program_run.log
    assert len(json.loads(f"[{body.decode().strip()}]")) == 1
