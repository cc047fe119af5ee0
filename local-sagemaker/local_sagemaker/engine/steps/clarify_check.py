"""ClarifyCheck steps: bias and explainability by the Clarify processing image.

The SDK takes the model's name out of analysis_config.json and gives it as the step's ModelName, since it may be known
only when the pipeline runs; it is put back into a copy of the file, which the job gets instead.
"""

from __future__ import annotations

import json
from typing import Any

from local_sagemaker.arns import last
from local_sagemaker.engine.steps.baselines import Baseline
from local_sagemaker.engine.steps.check import MEMBERS, CheckStep, with_input, with_variable
from local_sagemaker.engine.steps.step_type import Prepared, Record, StepContext, StepRun
from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import load
from local_sagemaker.objects.uris import join, split

CONFIG, CONFIG_FILE = "analysis_config", "analysis_config.json"
_BASELINE_FOLDER = "/opt/ml/processing/input/baseline"


class ClarifyCheckStep(CheckStep):
    """The configuration is a file in S3, so its content is part of what the check is."""

    type = "ClarifyCheck"
    members = MEMBERS | {"ModelName"}
    title = "Clarify"
    checks = ("DATA_BIAS", "MODEL_BIAS", "MODEL_EXPLAINABILITY")
    constraints_file = "analysis.json"

    def prepare(self, run: StepRun) -> Prepared:
        """As for every check, and what analysis_config.json says now: it is the check's configuration."""
        prepared = super().prepare(run)
        uri = _config_uri(prepared.request["Job"])
        config = _read(uri, run.context) if uri else None
        return prepared if config is None else Prepared(prepared.name, {**prepared.request, "AnalysisConfig": config})

    def job_request(self, run: StepRun, request: Record, baseline: Baseline | None) -> Record:
        """The definition's job, with the model's name in its configuration and the previous constraints."""
        job: Record = request["Job"]
        if "ModelName" in request and "AnalysisConfig" in request:
            job = self._with_model(run, job, request["AnalysisConfig"], request["ModelName"])
        if baseline is not None and baseline.constraints:
            job = with_input(job, "baseline_constraints", baseline.constraints, _BASELINE_FOLDER)
            path = f"{_BASELINE_FOLDER}/{last(baseline.constraints)}"
            job = with_variable(job, "baseline_constraints", path)
        return job

    def _with_model(self, run: StepRun, job: Record, config: dict[str, Any], model: str) -> Record:
        original = _config_uri(job) or ""
        folder = original.rsplit("/", 1)[0] if original.endswith(".json") else original
        target = join(folder, run.execution.id, run.step.name, CONFIG_FILE)
        named = {**config, "predictor": {**config.get("predictor", {}), "model_name": model}}
        run.context.objects.put(*split(target), json.dumps(named, indent=2).encode(), "application/json")
        return {**job, "ProcessingInputs": [_at(entry, target) for entry in job["ProcessingInputs"]]}


def _at(entry: Record, uri: str) -> Record:
    if entry["InputName"] != CONFIG:
        return entry
    return {**entry, "S3Input": {**entry["S3Input"], "S3Uri": uri}}


def _config_uri(job: Record) -> str | None:
    for entry in job.get("ProcessingInputs", []):
        if entry["InputName"] == CONFIG and "S3Input" in entry:
            return str(entry["S3Input"]["S3Uri"])
    return None


def _read(uri: str, context: StepContext) -> Any:
    bucket, key = split(uri if uri.endswith(".json") else join(uri, CONFIG_FILE))
    try:
        data = context.objects.read(bucket, key)
        config = load(data) if data else None
    except (ValueError, ServiceError):
        return None  # the container says what is wrong with its configuration
    return config if isinstance(config, dict) else None


CLARIFY_CHECK = ClarifyCheckStep()
