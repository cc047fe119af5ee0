"""The five checks of the abalone pipeline by Model Monitor and Clarify."""

from __future__ import annotations

from dataclasses import dataclass

from sagemaker.core.clarify import ModelPredictedLabelConfig
from sagemaker.core.model_monitor import DatasetFormat
from sagemaker.mlops.workflow.clarify_check_step import (
    ClarifyCheckConfig,
    ClarifyCheckStep,
    DataBiasCheckConfig,
    ModelBiasCheckConfig,
    ModelExplainabilityCheckConfig,
)
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.quality_check_step import (
    DataQualityCheckConfig,
    ModelQualityCheckConfig,
    QualityCheckConfig,
    QualityCheckStep,
)
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep, TransformStep

from pipelines.abalone.build import BIAS, CACHE, SHAP, Build, clarify_data, clarify_model, split_url
from pipelines.checks.check import Check, managed_check
from pipelines.checks.switches import Switches


@dataclass(frozen=True)
class ManagedChecks:
    """Makes the check steps."""

    build: Build

    def data_quality(self, preprocess: ProcessingStep) -> Check:
        """Of the training split."""
        config = DataQualityCheckConfig(
            baseline_dataset=split_url(preprocess, "train"),
            dataset_format=DatasetFormat.csv(header=False, output_columns_position="START"),
            output_s3_uri=self.build.output("dataqualitycheckstep"),
        )
        return self._quality("DataQualityCheckStep", config, self.build.parameters.data_quality)

    def data_bias(self, preprocess: ProcessingStep) -> Check:
        """Of the training split."""
        config = DataBiasCheckConfig(
            data_config=clarify_data(self.build, preprocess, "databiascheckstep", BIAS.get_config()),
            data_bias_config=BIAS,
        )
        return self._clarify("DataBiasCheckStep", config, self.build.parameters.data_bias)

    def model_quality(self, transform: TransformStep) -> Check:
        """Of the transformed test split."""
        config = ModelQualityCheckConfig(
            baseline_dataset=transform.properties.TransformOutput.S3OutputPath,
            dataset_format=DatasetFormat.csv(header=False),
            output_s3_uri=self.build.output("modelqualitycheckstep"),
            problem_type="Regression",
            # The transform step joins the prediction to the end of a row and keeps the first column and the last.
            inference_attribute="_c1",
            ground_truth_attribute="_c0",
        )
        return self._quality("ModelQualityCheckStep", config, self.build.parameters.model_quality)

    def model_bias(self, preprocess: ProcessingStep, train: TrainingStep, model: ModelStep) -> Check:
        """Of the model's predictions of the training split."""
        del train
        config = ModelBiasCheckConfig(
            data_config=clarify_data(self.build, preprocess, "modelbiascheckstep", BIAS.get_config()),
            data_bias_config=BIAS,
            model_config=clarify_model(model),
            model_predicted_label_config=ModelPredictedLabelConfig(),
        )
        return self._clarify("ModelBiasCheckStep", config, self.build.parameters.model_bias)

    def explainability(self, preprocess: ProcessingStep, train: TrainingStep, model: ModelStep) -> Check:
        """Of the model's predictions of the training split."""
        del train
        analysis = SHAP.get_explainability_config()
        config = ModelExplainabilityCheckConfig(
            data_config=clarify_data(self.build, preprocess, "modelexplainabilitycheckstep", analysis),
            model_config=clarify_model(model),
            explainability_config=SHAP,
        )
        return self._clarify("ModelExplainabilityCheckStep", config, self.build.parameters.explainability)

    def _quality(self, name: str, config: QualityCheckConfig, switches: Switches) -> Check:
        step = QualityCheckStep(
            name=name,
            quality_check_config=config,
            check_job_config=self.build.check_job,
            skip_check=switches.skip,
            register_new_baseline=switches.register,
            supplied_baseline_statistics=switches.statistics,
            supplied_baseline_constraints=switches.constraints,
            model_package_group_name=self.build.group,
            cache_config=CACHE,
        )
        return managed_check(step)

    def _clarify(self, name: str, config: ClarifyCheckConfig, switches: Switches) -> Check:
        step = ClarifyCheckStep(
            name=name,
            clarify_check_config=config,
            check_job_config=self.build.check_job,
            skip_check=switches.skip,
            register_new_baseline=switches.register,
            supplied_baseline_constraints=switches.constraints,
            model_package_group_name=self.build.group,
            cache_config=CACHE,
        )
        return managed_check(step, step.clarify_check_config.monitoring_analysis_config_uri)
