"""Which features the predictions rest on."""

from __future__ import annotations

from collections.abc import Iterator

from local_sagemaker.containers.analyzers.cloudwatch import Metric, metric
from local_sagemaker.containers.analyzers.monitors.monitor import Report


class ModelExplainability:
    """The SHAP values of each label (Clarify)."""

    analysis_type = "MODEL_EXPLAINABILITY"

    def metrics(self, report: Report) -> Iterator[Metric]:
        """One for each label and feature, and the expected value."""
        for label, values in (report.get("explanations", {}).get("kernel_shap") or {}).items():
            common = {"ExplainabilityMethod": "KernelShap", "Label": str(label)}
            for feature, value in values.get("global_shap_values", {}).items():
                yield metric(f"feature_{feature}", value, {**common, "ValueType": "GlobalShapValues"})
            if values.get("expected_value") is not None:
                yield metric("ExpectedValue", values["expected_value"], {**common, "ValueType": "ExpectedValue"})
