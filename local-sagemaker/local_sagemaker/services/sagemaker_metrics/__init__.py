"""SageMaker Metrics: values of metrics that clients put for trial components."""

from __future__ import annotations

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.records import Records
from local_sagemaker.services.sagemaker.component_metrics import ComponentMetrics
from local_sagemaker.services.sagemaker_metrics.metric_values import MetricValues


def build(*, records: Records, call: Call) -> list[Resource]:
    """The service's resources."""
    return [MetricValues(metrics=ComponentMetrics(records), call=call)]
