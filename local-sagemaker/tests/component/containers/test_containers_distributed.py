"""Training on several hosts: real processes, the real collective, one model."""

from __future__ import annotations

from typing import Any

import numpy as np
import xgboost as xgb

from local_sagemaker.images.image import ImageUri
from local_sagemaker.images.xgboost import XGBoost

HYPERPARAMETERS = {"objective": "reg:squarederror", "num_round": "4", "max_depth": "3", "tree_method": "hist"}
CHANNEL = {"ContentType": "text/csv", "TrainingInputMode": "File", "S3DistributionType": "ShardedByS3Key"}
HOSTS = {"algo-1": "127.83.0.1", "algo-2": "127.83.0.2", "algo-3": "127.83.0.3"}
PROGRAM = XGBoost().train(ImageUri("", "sagemaker-xgboost", "3.0-5"))


def table(seed: int, count: int = 200) -> np.ndarray[Any, Any]:
    features = np.random.default_rng(seed).normal(size=(count, 3)).round(3)
    return np.column_stack([(2 * features[:, 0]).round(3), features])


def job_of(new_run: Any, shards: list[np.ndarray[Any, Any] | None]) -> list[Any]:
    names = list(HOSTS)[: len(shards)]
    runs = []
    for name, shard in zip(names, shards, strict=True):
        run = new_run()
        text = "" if shard is None else "".join(",".join(f"{v:.3f}" for v in row) + "\n" for row in shard)
        if shard is None:
            (run.ml / "input" / "data" / "train").mkdir(parents=True)
        else:
            run.write("input/data/train/part.csv", text)
        run.write("input/config/inputdataconfig.json", {"train": CHANNEL})
        run.write("input/config/hyperparameters.json", HYPERPARAMETERS)
        run.write("input/config/resourceconfig.json", {"current_host": name, "hosts": names})
        runs.append(run)
    processes = [run.start(PROGRAM, hosts=HOSTS) for run in runs]
    assert [process.wait(100) for process in processes] == [0] * len(runs), "\n".join(run.log for run in runs)
    return runs


def test_two_hosts_train_one_model_on_all_rows(new_run: Any) -> None:
    first, second = job_of(new_run, [table(1), table(2)])
    file = first.ml / "model" / "xgboost-model"
    assert file.exists()
    assert not (second.ml / "model" / "xgboost-model").exists()
    booster = xgb.Booster()
    booster.load_model(bytearray(file.read_bytes()))
    dump = booster.trees_to_dataframe()
    assert booster.num_boosted_rounds() == 4
    assert dump[(dump["Tree"] == 0) & (dump["Node"] == 0)]["Cover"].item() == 400  # the rows of both hosts
    assert "[3]\ttrain-rmse:" in first.log


def test_a_host_without_data_is_left_out(new_run: Any) -> None:
    first, second, third = job_of(new_run, [None, table(1), table(2)])
    assert "not being used for distributed training" in first.log
    assert not (first.ml / "model" / "xgboost-model").exists()
    booster = xgb.Booster()
    booster.load_model(bytearray((second.ml / "model" / "xgboost-model").read_bytes()))
    dump = booster.trees_to_dataframe()
    assert dump[(dump["Tree"] == 0) & (dump["Node"] == 0)]["Cover"].item() == 400
    assert not (third.ml / "model" / "xgboost-model").exists()
