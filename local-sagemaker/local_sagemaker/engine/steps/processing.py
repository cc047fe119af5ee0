"""Processing steps: one processing job. Outputs, resources and role are not in the cache key."""

from local_sagemaker.engine.steps.job import JobStep, output_uris
from local_sagemaker.engine.steps.step_type import CACHED, RETRIED

PROCESSING = JobStep(
    type="Processing",
    noun="ProcessingJob",
    job="processing-job",
    key=("AppSpecification", "Environment", "ProcessingInputs"),
    written=output_uris,
    members=CACHED | RETRIED | {"PropertyFiles"},
)
