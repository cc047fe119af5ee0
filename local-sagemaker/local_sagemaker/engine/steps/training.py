"""Training steps: one training job (also ``@step`` functions, notebook jobs and repacking, which are such jobs)."""

from local_sagemaker.engine.steps.job import JobStep
from local_sagemaker.engine.steps.step_type import Record


def _written(job: Record) -> list[str]:
    artifacts = job.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    return [artifacts] if artifacts else []


TRAINING = JobStep(
    type="Training",
    noun="TrainingJob",
    job="training-job",
    key=(
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    written=_written,
)
