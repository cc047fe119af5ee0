"""A container of many models keeps within its memory also while it loads a model, which takes more than to have it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import xgboost as xgb

PROGRAM = """
import json, sys
from pathlib import Path
from local_sagemaker.containers.xgboost.serve import XGBoostServer
from local_sagemaker.containers.http_connection import Request
from local_sagemaker.containers.multi_model_server import LoadedModels, resident

def status(method, path, document=None):
    return models.respond(method, path, Request(json.dumps(document).encode(), {})).status

folder = Path(sys.argv[1])
load = lambda folder: XGBoostServer.load(folder, {}).invoke_one_of_many
load(folder)  # what the first one takes besides itself
limit = resident() + 70 * 1024**2
models, kept, most = LoadedModels(load, limit), [], 0
for number in range(20):
    while (answer := status("POST", "/models", {"model_name": str(number), "url": str(folder)})) == 507:
        assert status("DELETE", f"/models/{kept.pop(0)}") == 200
    assert answer == 200
    kept.append(number)
    most = max(most, len(kept))
lines = Path("/proc/self/status").read_text().splitlines()
peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
print(json.dumps({"over": peak - limit, "most": most}))
"""


def bushy_model(count: int) -> xgb.Booster:
    """One large tree, many times over: training as many would take longer."""
    generator = np.random.default_rng(0)
    data = xgb.DMatrix(generator.uniform(size=(5_000, 10)), generator.uniform(size=5_000))
    document = json.loads(xgb.train({"max_depth": 18, "min_child_weight": 0, "lambda": 0}, data, 1).save_raw("json"))
    model = document["learner"]["gradient_booster"]["model"]
    model["trees"] = [{**model["trees"][0], "id": number} for number in range(count)]
    model["tree_info"], model["iteration_indptr"] = [0] * count, list(range(count + 1))
    model["gbtree_model_param"]["num_trees"] = str(count)
    booster = xgb.Booster()
    booster.load_model(bytearray(json.dumps(document).encode()))
    return booster


def test_the_peak_of_loading_is_within_the_limit(tmp_path: Path) -> None:
    (tmp_path / "model.ubj").write_bytes(bushy_model(100).save_raw())
    assert (tmp_path / "model.ubj").stat().st_size > 8_000_000
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["over"] <= 0
    assert found["most"] >= 2
