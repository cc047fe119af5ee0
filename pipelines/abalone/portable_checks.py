"""The five checks of the abalone pipeline as processing steps that bring their analysis along.

The checks of predictions load the model, in its own image, and predict the rows that the managed ones send to an
endpoint: so both come to the same numbers, and a version of either flavour is a baseline for the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep, TransformStep

from pipelines.abalone.build import BIAS, CSV, SHAP, Build, split_url
from pipelines.checks.check import Check
from pipelines.checks.portable import Job, PortableChecks
from pipelines.checks.switches import Switches

BIAS_CONFIG: Mapping[str, Any] = {"dataset_type": CSV, "label": 0, **BIAS.get_config()}
PREDICTOR = {"instance_type": "ml.m5.xlarge", "initial_instance_count": 1}  # for monitors of the deployed model


@dataclass(frozen=True)
class AbalonePortableChecks:
    """Makes the check steps."""

    build: Build

    @cached_property
    def _checks(self) -> PortableChecks:
        build = self.build
        return PortableChecks(build.session, build.region, build.role, build.bucket, build.prefix, build.group)

    def data_quality(self, preprocess: ProcessingStep) -> Check:
        """Of the training split."""
        config = {"dataset_format": {"csv": {"header": False, "output_columns_position": "START"}}}
        job = self._job("dataqualitycheckstep", split_url(preprocess, "train"))
        return self._make("DataQualityCheckStep", "DATA_QUALITY", config, job, self.build.parameters.data_quality)

    def data_bias(self, preprocess: ProcessingStep) -> Check:
        """Of the training split."""
        config = {**BIAS_CONFIG, "methods": {"pre_training_bias": {"methods": "all"}}}
        job = self._job("databiascheckstep", split_url(preprocess, "train"))
        return self._make("DataBiasCheckStep", "DATA_BIAS", config, job, self.build.parameters.data_bias)

    def model_quality(self, transform: TransformStep) -> Check:
        """Of the transformed test split."""
        config = {
            "dataset_format": {"csv": {"header": False}},
            "problem_type": "Regression",
            # The transform step joins the prediction to the end of a row and keeps the first column and the last.
            "inference_attribute": "_c1",
            "ground_truth_attribute": "_c0",
        }
        job = self._job("modelqualitycheckstep", transform.properties.TransformOutput.S3OutputPath)
        return self._make("ModelQualityCheckStep", "MODEL_QUALITY", config, job, self.build.parameters.model_quality)

    def model_bias(self, preprocess: ProcessingStep, train: TrainingStep, model: ModelStep) -> Check:
        """Of the model's predictions of the training split."""
        del model
        config = {**BIAS_CONFIG, "methods": {"post_training_bias": {"methods": "all"}}, "predictor": PREDICTOR}
        job = self._job("modelbiascheckstep", split_url(preprocess, "train"), train)
        return self._make("ModelBiasCheckStep", "MODEL_BIAS", config, job, self.build.parameters.model_bias)

    def explainability(self, preprocess: ProcessingStep, train: TrainingStep, model: ModelStep) -> Check:
        """Of the model's predictions of the training split."""
        del model
        config = {"dataset_type": CSV, "label": 0, "methods": SHAP.get_explainability_config(), "predictor": PREDICTOR}
        job = self._job("modelexplainabilitycheckstep", split_url(preprocess, "train"), train)
        switches = self.build.parameters.explainability
        return self._make("ModelExplainabilityCheckStep", "MODEL_EXPLAINABILITY", config, job, switches)

    def _job(self, folder: str, dataset: Any, train: TrainingStep | None = None) -> Job:
        output = self.build.output(folder)
        if train is None:
            return Job(self.build.scikit_learn_image, dataset, output)
        return Job(self.build.xgboost_image, dataset, output, train.properties.ModelArtifacts.S3ModelArtifacts)

    def _make(self, name: str, kind: str, config: Mapping[str, Any], job: Job, switches: Switches) -> Check:
        return self._checks.make(name, kind, config, job, switches)
