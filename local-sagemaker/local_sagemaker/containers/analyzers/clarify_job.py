"""The program of the Clarify image: bias metrics, SHAP values and partial dependence, and their report.

Configured by /opt/ml/processing/input/config/analysis_config.json. With an earlier analysis.json in the environment
variable ``baseline_constraints``, what got worse is written to constraint_violations.json.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from local_sagemaker.clarify_inputs import complete, folder_of
from local_sagemaker.containers.analyzers import clarify_model, cloudwatch, storage
from local_sagemaker.containers.analyzers.clarify_config import check_config
from local_sagemaker.containers.analyzers.clarify_model import ClarifyModel
from local_sagemaker.containers.analyzers.contract import (
    as_job_path,
    exit_code_of,
    local,
    log,
    read_json,
    time_of,
    write,
)
from local_sagemaker.containers.analyzers.monitors import CLARIFY_MONITORS
from local_sagemaker.containers.analyzers.report import ReportEvidence, write_report
from local_sagemaker.containers.paths import ml
from model_checks.clarify import data
from model_checks.clarify.analysis import Analysis, Column, violations
from model_checks.clarify.config import Config
from model_checks.clarify.data import ClarifyData
from model_checks.datasets.dataset import Window
from model_checks.datasets.files import files
from model_checks.errors import AnalysisError
from model_checks.report import Report

DONE = "SageMaker XAI Analyzer ran successfully"


def main(arguments: list[str]) -> int:
    """Runs one job; the container takes no arguments. The exit code is 0, or 255 when the job fails."""
    del arguments
    return exit_code_of(lambda: run(os.environ))


def run(environment: Mapping[str, str]) -> str:
    """Analyses the dataset, writes the reports and returns the exit message."""
    document = read_json(folder_of("analysis_config", ml()) / "analysis_config.json", "analysis config")
    config = check_config(complete(document, environment))
    output = local(environment.get("output_path") or "/opt/ml/processing/output")
    analysis = Analysis(config, _dataset(config, environment), output, partial(_connect, config), storage.fetch)
    report = analysis.report()
    write(output / "analysis.json", json.dumps(report, indent=4))
    worse = _violations(environment, report)
    if worse:
        write(output / "constraint_violations.json", json.dumps({"version": "1.0", "violations": worse}, indent=4))
    if environment.get("publish_cloudwatch_metrics") == "Enabled":
        metrics = (metric for monitor in CLARIFY_MONITORS for metric in monitor.metrics(report))
        cloudwatch.write_metrics(environment, metrics)
    if "report" in config["methods"]:
        write_report(output, evidence(analysis, report, worse))
    log.info("Collected analyses:\n%s", json.dumps(report, indent=4))
    return f"CompletedWithViolations: {DONE} with {len(worse)} violations" if worse else f"Completed: {DONE}"


def _dataset(config: Config, environment: Mapping[str, str]) -> ClarifyData:
    """The dataset of the job's input, or of ``dataset_uri``, which wins; of a schedule, the records of its window."""
    folder = folder_of("dataset", ml())
    if environment.get("dataset_source"):
        folder = local(environment["dataset_source"])
    if config.get("dataset_uri"):
        folder = storage.fetch(config["dataset_uri"], "dataset")
    paths = files(folder) if folder.exists() else []
    if not paths:
        raise AnalysisError(f"ClientError: There is no dataset: {as_job_path(folder)} holds no file.")
    window = Window(time_of(environment, "start_time"), time_of(environment, "end_time"))
    if config["dataset_type"].lower() == "application/sagemakercapturejson" and (window.start or window.end):
        paths = _within(paths, window)
    return data.load(config, paths, storage.fetch)


def _within(paths: Sequence[Path], window: Window) -> list[Path]:
    """Copies of files of captured requests with those of a window only."""
    folder = Path(tempfile.mkdtemp(prefix="window-"))
    kept = []
    for number, path in enumerate(paths):
        target = folder / f"{number}.jsonl"
        with path.open("r", encoding="utf-8", errors="replace") as lines, target.open("w", encoding="utf-8") as out:
            out.writelines(line for line in lines if line.strip() and window.holds(json.loads(line)))
        if target.stat().st_size:
            kept.append(target)
    if not kept:
        raise AnalysisError("ClientError: The dataset has no rows.")
    return kept


def _connect(config: Config, columns: Sequence[Column]) -> ClarifyModel:
    predictor, kind = config.get("predictor") or {}, config["dataset_type"].lower()
    return ClarifyModel(predictor, kind, columns, clarify_model.connect(predictor, kind))


def _violations(environment: Mapping[str, str], report: Report) -> list[Report]:
    path = environment.get("baseline_constraints")
    if not path:
        return []
    file = local(path)
    baseline = read_json(file / "analysis.json" if file.is_dir() else file, "baseline constraints")
    return violations(report, baseline)


def evidence(analysis: Analysis, report: Report, violations: list[Report]) -> ReportEvidence:
    """What the readable report is made from."""
    settings = analysis.methods["report"]
    has_bias = any(name in analysis.methods for name in ("pre_training_bias", "post_training_bias"))
    return ReportEvidence(
        name=settings["name"],
        title=settings.get("title") or "Analysis Report",
        config=dict(analysis.config),
        analysis=report,
        violations=violations,
        rows=analysis.counted.rows if has_bias else len(analysis.data.frame),
        counted=analysis.counted if has_bias else None,
        explanation=analysis.explanation,
        features=analysis.data.features,
    )
