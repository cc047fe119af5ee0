"""QualityCheck steps: data and model quality by the Model Monitor analyzer."""

# ruff: noqa: ARG002 - methods of the contract take what other step types need

from __future__ import annotations

from local_sagemaker.arns import last
from local_sagemaker.engine.steps.baselines import Baseline
from local_sagemaker.engine.steps.check import MEMBERS, CheckStep, with_input, with_variable
from local_sagemaker.engine.steps.step_type import Record, StepRun

_FOLDERS = {"constraints": "/opt/ml/processing/baseline/constraints", "statistics": "/opt/ml/processing/baseline/stats"}


class QualityCheckStep(CheckStep):
    """The analyzer gets a previous baseline as inputs, and variables with the paths of its files."""

    type = "QualityCheck"
    members = MEMBERS | {"SuppliedBaselineStatistics"}
    title = "Quality"
    checks = ("DATA_QUALITY", "MODEL_QUALITY")
    statistics_file = "statistics.json"

    def job_request(self, run: StepRun, request: Record, baseline: Baseline | None) -> Record:
        """The definition's job, with the previous baseline when drift is looked for."""
        job: Record = request["Job"]
        if baseline is None:
            return job
        for name, uri in (("constraints", baseline.constraints), ("statistics", baseline.statistics)):
            if uri:
                job = with_input(job, f"baseline_{name}", uri, _FOLDERS[name])
                job = with_variable(job, f"baseline_{name}", f"{_FOLDERS[name]}/{last(uri)}")
        return job


QUALITY_CHECK = QualityCheckStep()
