"""The five analyses: the files that each writes, and what it finds worse than a baseline."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from model_checks import quality
from model_checks.clarify import data
from model_checks.clarify.analysis import Analysis, violations
from model_checks.clarify.config import Config
from model_checks.datasets.dataset import Dataset
from model_checks.datasets.files import files
from model_checks.datasets.predictions import PredictionAttributes
from model_checks.errors import AnalysisError
from model_checks.quality import QualityAnalysis, check_baseline

from . import model, storage
from .arguments import DATASET, MODEL, OUTPUT, Arguments
from .baselines import CheckBaseline

_MONITORED = ("label_values_or_threshold", "facet", "group_variable", "headers", "label")


@dataclass(frozen=True)
class Findings:
    """The texts of the files by name, and the violations in the form of the file that lists them."""

    files: Mapping[str, str]
    violations: list[Any]


def analyse(arguments: Arguments, config: Config, baseline: CheckBaseline | None) -> Findings:
    """Runs the check's analysis. It compares where `baseline` is given."""
    return _ANALYSES[arguments.check](arguments, config, baseline)


def _data_quality(arguments: Arguments, config: Config, baseline: CheckBaseline | None) -> Findings:
    constraints, statistics = _quality_baseline(baseline, model=False)
    names, whole = quality.baseline_columns(constraints)
    dataset = Dataset(_dataset(arguments), config["dataset_format"], names=names, exact=whole, place=DATASET)
    return _quality(quality.analyse_data_quality(dataset, constraints, statistics, config.get("drift_method")))


def _model_quality(arguments: Arguments, config: Config, baseline: CheckBaseline | None) -> Findings:
    constraints, _ = _quality_baseline(baseline, model=True)
    dataset = Dataset(_dataset(arguments), config["dataset_format"], place=DATASET)
    attributes = PredictionAttributes.of(config, merged=dataset.merged)
    threshold = float(config.get("probability_threshold_attribute") or 0.5)
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    times = {"evaluation_time": now}
    return _quality(
        quality.analyse_model_quality(dataset, config["problem_type"], attributes, threshold, constraints, times)
    )


def _quality_baseline(baseline: CheckBaseline | None, model: bool) -> tuple[Any, Any]:
    """Constraints and statistics."""
    if baseline is None:
        return None, None
    read = {"constraints": baseline.constraints, "statistics": baseline.statistics}
    contents = {
        what: check_baseline(storage.read_json(uri, f"baseline {what}"), what, model, uri)
        for what, uri in read.items()
        if uri
    }
    return contents.get("constraints"), contents.get("statistics")


def _quality(analysis: QualityAnalysis) -> Findings:
    return Findings(analysis.files(), list(analysis.violations or []))


def _clarify(arguments: Arguments, config: Config, baseline: CheckBaseline | None) -> Findings:
    paths = files(_dataset(arguments))
    output = arguments.processing(OUTPUT)
    headers = (config.get("predictor") or {}).get("label_headers")
    connect = partial(model.connect, arguments.processing(MODEL), headers)
    report = Analysis(config, data.load(config, paths, storage.fetch), output, connect, storage.fetch).report()
    worse = violations(report, storage.read_json(baseline.constraints, "baseline")) if baseline else []
    texts = {"analysis.json": json.dumps(report, indent=4)}
    if worse:
        texts["constraint_violations.json"] = json.dumps({"version": "1.0", "violations": worse}, indent=4)
    return Findings(texts, worse)


def make_monitoring_config(config: Config) -> Config:
    """The configuration that monitors of a deployed model take: what is analysed, and not where the data is."""
    if "shap" not in config["methods"]:
        return {name: config[name] for name in _MONITORED if name in config}
    headers = config.get("headers")
    monitored: dict[str, Any] = {"methods": {"shap": config["methods"]["shap"]}, "predictor": config["predictor"]}
    if headers:
        label = config.get("label")
        position = label if isinstance(label, int) else headers.index(label) if label in headers else None
        monitored["headers"] = [name for place, name in enumerate(headers) if place != position]
    return monitored


def _dataset(arguments: Arguments) -> Path:
    folder = arguments.processing(DATASET)
    if not folder.exists() or not files(folder):
        raise AnalysisError(f"ClientError: There is no dataset: /opt/ml/processing/{DATASET} holds no file.")
    return folder


_ANALYSES: Mapping[str, Callable[[Arguments, Config, CheckBaseline | None], Findings]] = {
    "DATA_QUALITY": _data_quality,
    "DATA_BIAS": _clarify,
    "MODEL_QUALITY": _model_quality,
    "MODEL_BIAS": _clarify,
    "MODEL_EXPLAINABILITY": _clarify,
}
