"""The image that joins captured requests with their ground truth, for the monitors of model quality and model bias."""

from __future__ import annotations

from local_sagemaker.images.image import Program
from local_sagemaker.images.processing_only import ProcessingOnly


class GroundTruthMerger(ProcessingOnly):
    """Repository ``sagemaker-model-monitor-groundtruth-merger``."""

    repositories = ("sagemaker-model-monitor-groundtruth-merger",)
    program = Program(("groundtruth-merger",), "local_sagemaker.containers.analyzers.merge_job:main")
