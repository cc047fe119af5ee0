"""The 22 parameters of the abalone pipeline, under their stock names, in their stock order, with their defaults.

``pipeline.py`` reads them by field; ``in_order`` is what the definition lists.
"""

from __future__ import annotations

from sagemaker.core.workflow.parameters import Parameter, ParameterBoolean, ParameterInteger, ParameterString


class Parameters:
    """One field per parameter. Their names are what the forms of Studio and ``--parameter`` show."""

    def __init__(self, input_data_url: str) -> None:
        self.processing_instance_type = ParameterString("ProcessingInstanceType", "ml.m5.xlarge")
        self.processing_instance_count = ParameterInteger("ProcessingInstanceCount", 1)
        self.training_instance_type = ParameterString("TrainingInstanceType", "ml.m5.xlarge")
        self.model_approval_status = ParameterString("ModelApprovalStatus", "PendingManualApproval")
        self.input_data_url = ParameterString("InputDataUrl", input_data_url)

        self.skip_data_quality = _switch("SkipDataQualityCheck")
        self.register_data_quality = _switch("RegisterNewDataQualityBaseline")
        self.data_quality_statistics = _make_baseline("DataQualitySuppliedStatistics")
        self.data_quality_constraints = _make_baseline("DataQualitySuppliedConstraints")

        self.skip_data_bias = _switch("SkipDataBiasCheck")
        self.register_data_bias = _switch("RegisterNewDataBiasBaseline")
        self.data_bias_constraints = _make_baseline("DataBiasSuppliedBaselineConstraints")

        self.skip_model_quality = _switch("SkipModelQualityCheck")
        self.register_model_quality = _switch("RegisterNewModelQualityBaseline")
        self.model_quality_statistics = _make_baseline("ModelQualitySuppliedStatistics")
        self.model_quality_constraints = _make_baseline("ModelQualitySuppliedConstraints")

        self.skip_model_bias = _switch("SkipModelBiasCheck")
        self.register_model_bias = _switch("RegisterNewModelBiasBaseline")
        self.model_bias_constraints = _make_baseline("ModelBiasSuppliedBaselineConstraints")

        self.skip_explainability = _switch("SkipModelExplainabilityCheck")
        self.register_explainability = _switch("RegisterNewModelExplainabilityBaseline")
        self.explainability_constraints = _make_baseline("ModelExplainabilitySuppliedBaselineConstraints")

    def in_order(self) -> list[Parameter]:
        return list(vars(self).values())


def _switch(name: str) -> ParameterBoolean:
    """A switch of a check. ``run-pipeline`` chooses its value; alone it is off."""
    return ParameterBoolean(name=name, default_value=False)


def _make_baseline(name: str) -> ParameterString:
    """The S3 URI of a baseline that goes before the registered one; empty means none."""
    return ParameterString(name=name, default_value="")
