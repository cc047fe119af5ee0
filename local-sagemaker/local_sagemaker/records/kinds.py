"""The kinds of named SageMaker resources, each listed once: what tags, search and the record store know of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class ResourceKind:
    """A kind of resource. `kind` is the type in its ARN and of its records; `noun` names it in operations and members.

    `search` is its name in Search, "" for kinds that Search does not have. A change of its status is an event, and of
    the members `approval`, which stands for the status in events where a body has it, and `stage`.
    """

    kind: str
    noun: str
    search: str = ""
    approval: str = ""
    stage: str = ""

    @property
    def name(self) -> str:
        """The member that holds its name, e.g. ``TrainingJobName``."""
        return f"{self.noun}Name"

    @property
    def arn(self) -> str:
        """The member that holds its ARN, e.g. ``TrainingJobArn``."""
        return f"{self.noun}Arn"

    @property
    def status(self) -> str:
        """The member that holds its status, where it has one, e.g. ``TrainingJobStatus``."""
        return f"{self.noun}Status"

    @property
    def describe(self) -> str:
        """The operation that describes one, e.g. ``DescribeTrainingJob``."""
        return f"Describe{self.noun}"

    def state(self, body: Mapping[str, Any]) -> tuple[str | None, ...]:
        """The values whose change is an event; the first is what the event shows as the status."""
        status = body.get(self.status)
        return body.get(self.approval) or status, status, body.get(self.stage)


class JobDefinitionKind(ResourceKind):
    """A kind of monitoring job definition: its members do not name the kind, its operations do."""

    @property
    def name(self) -> str:
        return "JobDefinitionName"

    @property
    def arn(self) -> str:
        return "JobDefinitionArn"


@dataclass(frozen=True)
class OtherKind(ResourceKind):
    """A kind of another service than SageMaker: `members` are those of its name, its ARN and its status."""

    members: tuple[str, str, str] = ("", "", "")

    @property
    def name(self) -> str:
        """The member that holds its name."""
        return self.members[0]

    @property
    def arn(self) -> str:
        """The member that holds its ARN."""
        return self.members[1]

    @property
    def status(self) -> str:
        """The member that holds its status."""
        return self.members[2]


CODE_REPOSITORY = ResourceKind("code-repository", "CodeRepository")
MODEL = ResourceKind("model", "Model", "Model")
ENDPOINT_CONFIG = ResourceKind("endpoint-config", "EndpointConfig")
DEPLOYMENT: Final = "_deployment"
"""How far an endpoint's deployment is: its stage and the share of the traffic that has moved."""
ENDPOINT = ResourceKind("endpoint", "Endpoint", "Endpoint", stage=DEPLOYMENT)
TRAINING_JOB = ResourceKind("training-job", "TrainingJob", "TrainingJob", stage="SecondaryStatus")
PROCESSING_JOB = ResourceKind("processing-job", "ProcessingJob")
TRANSFORM_JOB = ResourceKind("transform-job", "TransformJob")
TUNING_JOB = ResourceKind("hyper-parameter-tuning-job", "HyperParameterTuningJob", "HyperParameterTuningJob")
PIPELINE = ResourceKind("pipeline", "Pipeline", "Pipeline")
PIPELINE_EXECUTION = ResourceKind("pipeline-execution", "PipelineExecution", "PipelineExecution")
MODEL_PACKAGE_GROUP = ResourceKind("model-package-group", "ModelPackageGroup", "ModelPackageGroup")
UPDATED: Final = "_updated"
"""How often a model package was updated, and what the last update changed: ``[2, ["ApprovalDescription"]]``."""
MODEL_PACKAGE = ResourceKind(
    "model-package", "ModelPackage", "ModelPackage", approval="ModelApprovalStatus", stage=UPDATED
)
EXPERIMENT = ResourceKind("experiment", "Experiment", "Experiment")
TRIAL = ResourceKind("experiment-trial", "Trial", "ExperimentTrial")
TRIAL_COMPONENT = ResourceKind("experiment-trial-component", "TrialComponent", "ExperimentTrialComponent")
DATA_QUALITY_JOB = JobDefinitionKind("data-quality-job-definition", "DataQualityJobDefinition")
MODEL_QUALITY_JOB = JobDefinitionKind("model-quality-job-definition", "ModelQualityJobDefinition")
MODEL_BIAS_JOB = JobDefinitionKind("model-bias-job-definition", "ModelBiasJobDefinition")
MODEL_EXPLAINABILITY_JOB = JobDefinitionKind("model-explainability-job-definition", "ModelExplainabilityJobDefinition")
MONITORING_SCHEDULE = ResourceKind("monitoring-schedule", "MonitoringSchedule")
PROJECT = ResourceKind("project", "Project")

KINDS: dict[str, ResourceKind] = {
    kind.kind: kind
    for kind in (
        MODEL, ENDPOINT_CONFIG, ENDPOINT, TRAINING_JOB, PROCESSING_JOB, TRANSFORM_JOB, TUNING_JOB, PIPELINE,
        PIPELINE_EXECUTION, MODEL_PACKAGE_GROUP, MODEL_PACKAGE, EXPERIMENT, TRIAL, TRIAL_COMPONENT,
        DATA_QUALITY_JOB, MODEL_QUALITY_JOB, MODEL_BIAS_JOB, MODEL_EXPLAINABILITY_JOB, MONITORING_SCHEDULE,
        PROJECT, CODE_REPOSITORY,
    )
}  # fmt: skip

PIPELINE_STEP = ResourceKind("pipeline-step", "Step")
"""A step of an execution: no resource with an ARN and tags, but with a status."""
STEP_DELIVERY = ResourceKind("step-delivery", "Delivery")
"""What a step of an execution waits for from outside, by a token (engine/callback_tokens.py)."""
_REFERENCE = ("referenceName", "repositoryArn", "commitId")
CODE_REFERENCE = OtherKind("code-reference", "Reference", members=_REFERENCE)
"""A branch or tag of a CodeCommit repository; its status is its newest commit."""
CONNECTED_REFERENCE = OtherKind("connected-reference", "Reference", members=_REFERENCE)
"""A branch or tag of a repository behind a connection."""
BUILD = OtherKind("codebuild-build", "Build", stage="currentPhase", members=("id", "arn", "buildStatus"))
_DELIVERY = ("_name", "_arn", "status")
DELIVERY_EXECUTION = OtherKind("codepipeline-execution", "Execution", stage="_attempt", members=_DELIVERY)
DELIVERY_STAGE = OtherKind("codepipeline-stage", "Stage", stage="_attempt", members=_DELIVERY)
DELIVERY_ACTION = OtherKind("codepipeline-action", "Action", members=_DELIVERY)
CLOUDWATCH_ALARM = ResourceKind("cloudwatch-alarm", "Alarm")
"""The state of an alarm: the alarm itself is moto's."""
OTHERS = (
    PIPELINE_STEP, STEP_DELIVERY, CODE_REFERENCE, CONNECTED_REFERENCE, BUILD, DELIVERY_EXECUTION, DELIVERY_STAGE,
    DELIVERY_ACTION, CLOUDWATCH_ALARM,
)  # fmt: skip
WATCHED: dict[str, ResourceKind] = {**KINDS, **{kind.kind: kind for kind in OTHERS}}
"""The kinds whose changes are events."""
