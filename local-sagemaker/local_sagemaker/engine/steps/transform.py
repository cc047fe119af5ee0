"""Transform steps: one batch transform job."""

from local_sagemaker.engine.steps.job import JobStep
from local_sagemaker.engine.steps.step_type import Record


def _written(job: Record) -> list[str]:
    return [job["TransformOutput"]["S3OutputPath"]]


TRANSFORM = JobStep(
    type="Transform",
    noun="TransformJob",
    job="transform-job",
    key=("DataProcessing", "Environment", "ModelName", "TransformInput"),
    written=_written,
)
