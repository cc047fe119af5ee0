"""Bias of the data and of the model's predictions."""

from __future__ import annotations

from collections.abc import Iterator

from local_sagemaker.containers.analyzers.cloudwatch import Metric, metric
from local_sagemaker.containers.analyzers.monitors.monitor import Report

_STAGES = {"pre_training": "Pre-training", "post_training": "Post-Training"}


class ModelBias:
    """The bias metrics of each facet (Clarify)."""

    analysis_type = "MODEL_BIAS"

    def metrics(self, report: Report) -> Iterator[Metric]:
        """One for each metric, stage and facet."""
        for name, stage in _STAGES.items():
            section = report.get(f"{name}_bias_metrics") or {}
            for facet, values in (section.get("facets") or {}).items():
                for one in values:
                    dimensions = {
                        "BiasStage": stage, "Label": section.get("label"),
                        "LabelValue": section.get("label_value_or_threshold"),
                        "Facet": facet, "FacetValue": one.get("value_or_threshold"),
                    }  # fmt: skip
                    for item in one["metrics"]:
                        if isinstance(item.get("value"), (int, float)):
                            yield metric(f"bias_metric_{item['name']}", item["value"], dimensions)
