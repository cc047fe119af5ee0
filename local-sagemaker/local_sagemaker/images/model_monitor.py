"""The Model Monitor analyzer's image: data and model quality, baselines and violations."""

from __future__ import annotations

from local_sagemaker.images.image import Program
from local_sagemaker.images.processing_only import ProcessingOnly


class ModelMonitor(ProcessingOnly):
    """Repository ``sagemaker-model-monitor-analyzer``."""

    repositories = ("sagemaker-model-monitor-analyzer",)
    program = Program(("model-monitor-analyzer",), "local_sagemaker.containers.analyzers.model_monitor_job:main")
