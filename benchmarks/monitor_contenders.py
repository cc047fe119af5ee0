"""The contenders of benchmarks.monitors, one per process: ``python -m benchmarks.monitor_contenders NAME ...``.

Prints one line of JSON: the seconds that the work took after the imports, and the peak of the resident memory in MB.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Found = dict[str, Any]
_STEP = 500_000


class Clock:
    """Time and processor time since it was made."""

    def __init__(self) -> None:
        self._start, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> Found:
        return {"seconds": time.perf_counter() - self._start, "cpu": time.process_time() - self._cpu}


def _write(path: str, rows: int, columns: Callable[[Any, int], dict[str, Any]]) -> Found:
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    random, writer = np.random.default_rng(1), None
    for at in range(0, rows, _STEP):
        table = pa.table(columns(random, min(_STEP, rows - at)))
        writer = writer or csv.CSVWriter(
            path, table.schema, write_options=csv.WriteOptions(quoting_style="needed", quoting_header="none")
        )
        writer.write_table(table)
    if writer:
        writer.close()
    return {}


def table(path: str, rows: str) -> Found:
    """Writes a CSV file of eleven columns, about 70 bytes a row."""
    import numpy as np

    def columns(random: Any, count: int) -> dict[str, Any]:
        data = {"sex": np.array(["M", "F", "I"])[random.integers(0, 3, count)], "rings": random.integers(1, 30, count)}
        data |= {f"size{i}": random.normal(0.5, 0.12, count).round(4) for i in range(4)}
        data |= {f"weight{i}": random.exponential(0.3, count).round(6) for i in range(3)}
        return data | {"age": random.normal(40, 12, count).round(2), "code": random.integers(0, 1_000_000, count)}

    return _write(path, int(rows), columns)


def labels(path: str, rows: str) -> Found:
    """Writes a CSV file with a label, a score, a prediction, a facet, a group and a feature."""

    def columns(random: Any, count: int) -> dict[str, Any]:
        label, score = random.integers(0, 2, count), random.random(count).round(6)
        data = {"y": label, "score": score, "p": ((score + label * 0.3) > 0.6).astype(int)}
        data |= {"f": random.integers(0, 2, count), "g": random.integers(0, 5, count)}
        return data | {"x": random.normal(size=count).round(4)}

    return _write(path, int(rows), columns)


def _job(module: str, path: str, environment: dict[str, str], config: Any = None) -> Found:
    """Runs an analyzer on one file in a folder of its own, after its imports."""
    import importlib

    ml = Path(path).parent / f"ml-{os.getpid()}"  # in the benchmark's folder, which is removed in the end
    data = ml / "processing" / "input" / "data"
    data.mkdir(parents=True)
    (data / "data.csv").symlink_to(path)
    if config:
        (ml / "processing" / "input" / "config").mkdir()
        (ml / "processing" / "input" / "config" / "analysis_config.json").write_text(json.dumps(config))
    os.environ.update(environment, LOCAL_SAGEMAKER_ML=str(ml), TMPDIR=str(ml))
    program = importlib.import_module(f"local_sagemaker.containers.analyzers.{module}")
    clock = Clock()
    if program.main([]):
        raise SystemExit((ml / "output" / "message").read_text())
    return clock.read()


_MONITOR = {
    "dataset_source": "/opt/ml/processing/input/data",
    "dataset_format": '{"csv": {"header": true}}',
    "output_path": "/opt/ml/processing/output",
    "publish_cloudwatch_metrics": "Disabled",
}


def data_quality(path: str) -> Found:
    """Our data-quality baseline."""
    return _job("model_monitor_job", path, _MONITOR)


def model_quality(path: str) -> Found:
    """Our model quality of a binary problem with scores."""
    about = {"analysis_type": "MODEL_QUALITY", "problem_type": "BinaryClassification", "ground_truth_attribute": "y"}
    about |= {"inference_attribute": "p", "probability_attribute": "score"}
    return _job("model_monitor_job", path, {**_MONITOR, **about})


def regression_quality(path: str) -> Found:
    """Our model quality of a regression."""
    about = {"analysis_type": "MODEL_QUALITY", "problem_type": "Regression", "ground_truth_attribute": "x"}
    return _job("model_monitor_job", path, {**_MONITOR, **about, "inference_attribute": "score"})


def bias(path: str) -> Found:
    """Our bias metrics before and after training."""
    methods = {"pre_training_bias": {"methods": "all"}, "post_training_bias": {"methods": "all"}}
    config = {"dataset_type": "text/csv", "label": "y", "predicted_label": "p", "label_values_or_threshold": [1]}
    config |= {"facet": [{"name_or_index": "f", "value_or_threshold": [0]}], "group_variable": "g", "methods": methods}
    return _job("clarify_job", path, {}, config)


def polars(path: str) -> Found:
    """``describe`` of a scanned file."""
    import polars

    clock = Clock()
    polars.scan_csv(path).describe()
    return clock.read()


def duckdb(path: str) -> Found:
    """``SUMMARIZE`` of a file."""
    import duckdb

    clock = Clock()
    duckdb.sql(f"SUMMARIZE SELECT * FROM read_csv('{path}')").fetchall()
    return clock.read()


def _abalone(path: str) -> tuple[Any, Any, Any, Any]:
    """Features, their mean as baseline, the model's prediction, and the exact values against that baseline."""
    import numpy as np
    import pandas as pd
    import shap
    import xgboost

    frame = pd.get_dummies(pd.read_csv(path, header=None), columns=[0], dtype=float)
    target, rows = frame.pop(8).to_numpy(dtype=float), frame.to_numpy(dtype=float)
    model = xgboost.train({"max_depth": 5, "eta": 0.2}, xgboost.DMatrix(rows, target), 50)
    model.set_param({"nthread": len(os.sched_getaffinity(0))})
    baseline = rows.mean(axis=0, keepdims=True)
    exact = shap.TreeExplainer(model, baseline, feature_perturbation="interventional").shap_values(rows)
    return rows, baseline, lambda some: np.asarray(model.inplace_predict(some), dtype=float), exact


def kernel_shap(path: str, samples: str) -> Found:
    """Our Kernel SHAP of the whole training set."""
    import numpy as np

    from model_checks.analysis.explainability import SamplingSettings
    from model_checks.analysis.explainability import kernel_shap as explain

    rows, baseline, predict, exact = _abalone(path)
    took, cpu, errors = [], [], []
    for seed in range(5):  # many rows share a draw of coalitions: its luck is averaged out
        clock = Clock()
        explanation = explain(
            rows, baseline, lambda some: predict(some)[:, None], SamplingSettings(samples=int(samples), seed=seed)
        )
        read = clock.read()
        took.append(read["seconds"])
        cpu.append(read["cpu"])
        errors.append(float(np.abs(explanation.values[:, :, 0] - exact).mean()))
    return {"seconds": statistics.median(took), "cpu": statistics.median(cpu), "error": statistics.mean(errors)}


def shap(path: str, samples: str) -> Found:
    """shap's KernelExplainer on the same."""
    import numpy as np
    import shap

    rows, baseline, predict, exact = _abalone(path)
    np.random.seed(1)
    explainer = shap.KernelExplainer(predict, baseline)
    clock = Clock()
    values = explainer.shap_values(rows, nsamples=int(samples), l1_reg=0, silent=True)
    return {**clock.read(), "error": float(np.abs(values - exact).mean())}


CONTENDERS = {
    name.__name__.replace("_", "-"): name
    for name in (
        table,
        labels,
        data_quality,
        model_quality,
        regression_quality,
        bias,
        polars,
        duckdb,
        kernel_shap,
        shap,
    )
}

if __name__ == "__main__":
    answer = CONTENDERS[sys.argv[1]](*sys.argv[2:])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write("\n" + json.dumps({"memory": memory, **answer}) + "\n")
