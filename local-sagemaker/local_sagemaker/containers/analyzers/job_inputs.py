"""What a job of Model Monitor's image is given: its dataset and an earlier baseline (contracts: model-monitor 1.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from local_sagemaker.containers.analyzers import user_scripts
from local_sagemaker.containers.analyzers.contract import as_job_path, local, read_json, require_variable, time_of
from model_checks import quality
from model_checks.datasets.dataset import Dataset, Window
from model_checks.errors import AnalysisError


class BaselineFile(NamedTuple):
    """A report of an earlier baseline, and where the job's variables say that it is."""

    report: Any
    place: str


def dataset(environment: Mapping[str, str], constraints: dict[str, Any] | None = None) -> Dataset:
    """The dataset, by the columns of a baseline's constraints where there is one."""
    text = require_variable(environment, "dataset_format")
    try:
        dataset_format = json.loads(text)
    except json.JSONDecodeError as error:
        raise AnalysisError(f"Error: dataset_format is not JSON: {error}: {text}") from None
    script = environment.get("record_preprocessor_script")
    source = local(require_variable(environment, "dataset_source"))
    return Dataset(
        source,
        dataset_format,
        user_scripts.preprocessor(local(script)) if script else None,
        Window(time_of(environment, "start_time"), time_of(environment, "end_time")),
        *quality.baseline_columns(constraints),
        place=as_job_path(source),
    )


def baseline(environment: Mapping[str, str], what: str) -> BaselineFile | None:
    """The ``constraints`` or ``statistics`` of a baseline, unchecked."""
    path = environment.get(f"baseline_{what}")
    if not path:
        return None
    return BaselineFile(read_json(_file(local(path), what), f"baseline {what}"), path)


def is_scheduled(environment: Mapping[str, str]) -> bool:
    """Whether the job is an execution of a monitoring schedule, by what only those are given."""
    return any(environment.get(name) for name in ("sagemaker_monitoring_schedule_name", "start_time"))


def _file(path: Path, what: str) -> Path:
    return path / f"{what}.json" if path.is_dir() else path
