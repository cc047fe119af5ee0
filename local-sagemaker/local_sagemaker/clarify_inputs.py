"""Where a Clarify job has its inputs: the guide fixes their names, their folders are the request's.

Four public pipelines, one of them AWS's own sample, mount ``analysis_config`` elsewhere than the guide's example does.
The job and the service read it alike, so that the service knows which model the job will ask.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = PurePosixPath("/opt/ml")
JOB_CONFIG = "config/processingjobconfig.json"
_USUAL = {"analysis_config": "processing/input/config", "dataset": "processing/input/data"}


def folder_of(name: str, ml: Path) -> Path:
    """The folder of the input ``analysis_config`` or ``dataset`` below a job's /opt/ml."""
    usual = ml / _USUAL[name]
    try:
        inputs = json.loads((ml / JOB_CONFIG).read_text("utf-8"))["ProcessingInputs"]
        path = next(entry["S3Input"]["LocalPath"] for entry in inputs if entry["InputName"] == name)
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return usual
    below = PurePosixPath(str(path))
    if ".." in below.parts or not below.is_relative_to(ROOT):
        return usual
    return ml / below.relative_to(ROOT)


MODEL = "predictor_model_name"
"""The variable of a schedule's job with the model of its endpoint, for configurations that name none."""
_TYPES = {"csv": "text/csv", "json": "application/jsonlines", "parquet": "application/x-parquet"}
_BIAS = ("pre_training_bias", "post_training_bias")


def environment_of(ml: Path) -> Mapping[str, str]:
    """The environment of the job's request."""
    try:
        environment = json.loads((ml / JOB_CONFIG).read_text("utf-8")).get("Environment", {})
    except (OSError, ValueError, AttributeError):
        return {}
    return environment if isinstance(environment, dict) else {}


def complete(config: Any, environment: Mapping[str, str]) -> Any:
    """The analysis of a monitoring schedule: what its reduced configuration lacks is in the job's environment.

    A bias monitor has all metrics of both kinds, of captured requests with their labels; an explainability monitor
    queries the model of its endpoint. Other jobs' configurations are what they are.
    """
    kind = environment.get("analysis_type")
    if kind not in ("MODEL_BIAS", "MODEL_EXPLAINABILITY") or not isinstance(config, dict):
        return config
    complete_config = {"dataset_type": _dataset_type(environment), "methods": {}, **config}
    for name, member in (("features", "features_attribute"), ("predicted_label", "inference_attribute")):
        if environment.get(member):
            complete_config[name] = environment[member]
    if environment.get("exclude_features_attribute"):
        complete_config["excluded_columns"] = [
            name.strip() for name in environment["exclude_features_attribute"].split(",")
        ]
    if kind == "MODEL_BIAS":
        if environment.get("probability_attribute"):
            complete_config["predicted_label"] = environment["probability_attribute"]
            complete_config["probability_threshold"] = float(environment.get("probability_threshold_attribute") or 0.5)
        complete_config.setdefault("predicted_label", "0")
        complete_config["methods"] = {**{name: {"methods": "all"} for name in _BIAS}, **complete_config["methods"]}
        return _label_last(complete_config)
    complete_config.pop("predicted_label", None)
    if environment.get(MODEL) and isinstance(complete_config.get("predictor"), dict):
        complete_config["predictor"] = {"model_name": environment[MODEL], **complete_config["predictor"]}
    return complete_config


def _dataset_type(environment: Mapping[str, str]) -> str:
    """Captured (and merged) requests, or the format of a batch transform's data."""
    try:
        dataset_format = json.loads(environment.get("dataset_format", "{}"))
    except ValueError:
        dataset_format = {}
    return next((name for key, name in _TYPES.items() if key in dataset_format), "application/sagemakercapturejson")


def _label_last(config: dict[str, Any]) -> dict[str, Any]:
    """Headers as merged records have their columns: features, then the label."""
    label, headers = config.get("label"), config.get("headers")
    if isinstance(label, str) and isinstance(headers, list) and label in headers:
        config["headers"] = [*(name for name in headers if name != label), label]
    return config
