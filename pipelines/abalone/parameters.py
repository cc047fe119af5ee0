"""The 22 parameters of the abalone pipeline, under their stock names, in their stock order, with their defaults.

``pipeline.py`` reads them by field; ``in_order`` is what the definition lists.
"""

from __future__ import annotations

from sagemaker.core.workflow.parameters import Parameter, ParameterBoolean, ParameterInteger, ParameterString

from pipelines.checks.switches import Switches


class Parameters:
    """One field per parameter. Their names are what the forms of Studio and ``--parameter`` show."""

    def __init__(self, input_data_url: str) -> None:
        self.processing_instance_type = ParameterString("ProcessingInstanceType", "ml.m5.xlarge")
        self.processing_instance_count = ParameterInteger("ProcessingInstanceCount", 1)
        self.training_instance_type = ParameterString("TrainingInstanceType", "ml.m5.xlarge")
        self.model_approval_status = ParameterString("ModelApprovalStatus", "PendingManualApproval")
        self.input_data_url = ParameterString("InputDataUrl", input_data_url)

        self.data_quality = _quality("DataQuality")
        self.data_bias = _clarify("DataBias")
        self.model_quality = _quality("ModelQuality")
        self.model_bias = _clarify("ModelBias")
        self.explainability = _clarify("ModelExplainability")

    def in_order(self) -> list[Parameter]:
        """As the definition lists them."""
        listed: list[Parameter] = []
        for field in vars(self).values():
            listed += field.in_order() if isinstance(field, Switches) else [field]
        return listed


def _quality(check: str) -> Switches:
    return Switches(
        skip=_switch(f"Skip{check}Check"),
        register=_switch(f"RegisterNew{check}Baseline"),
        statistics=_make_baseline(f"{check}SuppliedStatistics"),
        constraints=_make_baseline(f"{check}SuppliedConstraints"),
    )


def _clarify(check: str) -> Switches:
    return Switches(
        skip=_switch(f"Skip{check}Check"),
        register=_switch(f"RegisterNew{check}Baseline"),
        constraints=_make_baseline(f"{check}SuppliedBaselineConstraints"),
    )


def _switch(name: str) -> ParameterBoolean:
    """A switch of a check. ``run-pipeline`` chooses its value; alone it is off."""
    return ParameterBoolean(name=name, default_value=False)


def _make_baseline(name: str) -> ParameterString:
    """The S3 URI of a baseline that goes before the registered one; empty means none."""
    return ParameterString(name=name, default_value="")
