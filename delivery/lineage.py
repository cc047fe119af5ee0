"""Where a model comes from: from an endpoint or a version back to commit, data, parameters, metrics and approvals.

Everything is read by AWS's own operations: Describe*, tags, the lineage that SageMaker keeps (QueryLineage), and the
manual approvals of the project's delivery pipeline. What cannot be read is said and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from delivery import comparison, versions
from delivery.clients import Clients, is_absent
from delivery.errors import NotFoundError
from delivery.versions import DeliveredVersion
from pipelines import progress


@dataclass(frozen=True)
class ApprovalDecision:
    """An approval or rejection: of a version in the registry, or of a stage in the delivery pipeline."""

    what: str
    status: str
    time: datetime | None
    comment: str = ""
    by: str = ""


@dataclass(frozen=True)
class Training:
    """The job that made the model: its image, data by channel, hyperparameters and final metrics."""

    job: str
    image: str
    data: Mapping[str, str]
    hyperparameters: Mapping[str, str]
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class VersionLineage:
    """A version and what is known of its origin. `remarks` say what could not be read."""

    version: str
    arn: str
    approval: str
    stage: str
    commit: str
    repository: str
    execution: str
    parameters: Mapping[str, str]
    training: Training | None
    data: Sequence[str]
    metrics: Mapping[str, float]
    decisions: Sequence[ApprovalDecision]
    remarks: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True)
class EndpointLineage:
    """An endpoint, and the versions that it serves by variant."""

    endpoint: str
    arn: str
    status: str
    updated: datetime
    variants: Mapping[str, Sequence[VersionLineage]]
    remarks: Sequence[str] = field(default_factory=tuple)


def read_endpoint(clients: Clients, name: str) -> EndpointLineage:
    """:raises NotFoundError: if there is no such endpoint."""
    name = name.rpartition(":endpoint/")[2]
    try:
        described: Any = clients.sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if not is_absent(error):
            raise
        raise NotFoundError(f"there is no endpoint {name}") from error
    config: Any = clients.sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    remarks: list[str] = []
    by_variant: dict[str, list[VersionLineage]] = {}
    for variant in config["ProductionVariants"]:
        by_variant[variant["VariantName"]] = []
        for reference in _served(clients, variant, remarks):
            try:
                version = versions.find(clients, reference)
            except NotFoundError as error:
                remarks.append(f"{variant['VariantName']} serves a version that was deleted: {error}")
                continue
            decisions = list(_stage_decisions(clients, described["EndpointArn"], reference, remarks))
            by_variant[variant["VariantName"]].append(read_version(clients, version, decisions))
    return EndpointLineage(
        name, described["EndpointArn"], described["EndpointStatus"], described["LastModifiedTime"], by_variant, remarks
    )


def _served(clients: Clients, variant: Mapping[str, Any], remarks: list[str]) -> Iterator[str]:
    """The versions of a variant's model; one of the model's own is a remark."""
    if "ModelName" not in variant:
        remarks.append(f"{variant['VariantName']} has no model of its own: its inference components have")
        return
    try:
        model: Any = clients.sagemaker.describe_model(ModelName=variant["ModelName"])
    except ClientError as error:
        if not is_absent(error):
            raise
        remarks.append(f"{variant['VariantName']} serves {variant['ModelName']}, a model that was deleted")
        return
    for container in model.get("Containers") or [model.get("PrimaryContainer") or {}]:
        if "ModelPackageName" in container:
            yield str(container["ModelPackageName"])
        else:
            data = container.get("ModelDataUrl", "no model data")
            remarks.append(f"{variant['VariantName']} serves {variant['ModelName']} ({data}), no registered version")


def read_version(clients: Clients, version: DeliveredVersion, more: Sequence[ApprovalDecision] = ()) -> VersionLineage:
    """Of a version, with decisions that are known beside those of the registry."""
    described = versions.describe(clients, version)
    made_by: Mapping[str, str] = described.get("MetadataProperties") or {}
    remarks: list[str] = []
    execution = made_by.get("GeneratedBy", "")
    if ":pipeline/" not in execution:
        execution = ""
    commit = made_by.get("CommitId", "")
    if not commit:
        remarks.append("no commit: run-pipeline records it in builds of CodeBuild and GitHub Actions")
    graph = _attempt(lambda: _Graph.read(clients, version.arn), remarks, "the lineage") or _Graph()
    measured = comparison.measure(clients, [version])[0]
    if measured.remark:
        remarks.append(f"no metrics: {measured.remark}")
    job = _attempt(lambda: _training_job(clients, execution, graph), remarks, "the training job") or ""
    training = _attempt(lambda: _read_training(clients, job), remarks, "the training job") if job else None
    parameters = _attempt(lambda: _parameters(clients, execution), remarks, "the parameters") if execution else None
    origins = _attempt(lambda: list(graph.origins(clients)), remarks, "the data") or []
    decisions = _attempt(lambda: list(graph.decisions(clients)), remarks, "the approvals")
    ordered = sorted([*(decisions or []), *more], key=lambda item: item.time.timestamp() if item.time else 0.0)
    return VersionLineage(
        version=version.name,
        arn=version.arn,
        approval=version.approval,
        stage=" ".join(
            (described.get("ModelLifeCycle") or {}).get(key, "") for key in ("Stage", "StageStatus")
        ).strip(),
        commit=commit,
        repository=made_by.get("Repository", ""),
        execution=execution,
        parameters=parameters or {},
        training=training,
        data=sorted({*origins, *(value for value in (parameters or {}).values() if value.startswith("s3://"))}),
        metrics=measured.metrics,
        decisions=ordered,
        remarks=remarks,
    )


def _attempt(read: Callable[[], Any], remarks: list[str], what: str) -> Any:
    """What `read` returns; None with a remark where AWS refuses it."""
    try:
        return read()
    except (BotoCoreError, ClientError) as error:
        remarks.append(f"{what} cannot be read: {error}")
        return None


@dataclass(frozen=True)
class _Graph:
    """What a version was made from, as SageMaker's lineage has it."""

    vertices: Sequence[Mapping[str, str]] = ()
    edges: Sequence[Mapping[str, str]] = ()

    @classmethod
    def read(cls, clients: Clients, arn: str) -> _Graph:
        """Empty where SageMaker keeps nothing of the version."""
        pages = clients.sagemaker.get_paginator("list_artifacts").paginate(SourceUri=arn)
        starts = [item["ArtifactArn"] for page in pages for item in page["ArtifactSummaries"]]
        if not starts:
            return cls()
        vertices: list[Mapping[str, str]] = []
        edges: list[Mapping[str, str]] = []
        token: dict[str, Any] = {}
        while True:
            response: Any = clients.sagemaker.query_lineage(
                StartArns=starts[:1], Direction="Ascendants", IncludeEdges=True, MaxDepth=10, **token
            )
            vertices += response.get("Vertices", [])
            edges += response.get("Edges", [])
            if not response.get("NextToken"):
                return cls(vertices, edges)
            token = {"NextToken": response["NextToken"]}

    def origins(self, clients: Clients) -> Iterator[str]:
        """Data sets that no job of the lineage has made."""
        made = {edge["DestinationArn"] for edge in self.edges if edge["AssociationType"] == "Produced"}
        uris = {
            clients.sagemaker.describe_artifact(ArtifactArn=vertex["Arn"])["Source"]["SourceUri"]
            for vertex in self.vertices
            if vertex.get("Type") == "DataSet" and vertex["Arn"] not in made
        }
        yield from sorted(uris)

    def decisions(self, clients: Clients) -> Iterator[ApprovalDecision]:
        """Each status of approval that the version had."""
        for vertex in self.vertices:
            if vertex.get("Type") != "Approval":
                continue
            action: Any = clients.sagemaker.describe_action(ActionName=vertex["Arn"].rpartition("/")[2])
            properties = action.get("Properties", {})
            creator = action.get("CreatedBy", {})
            by = creator.get("UserProfileName") or creator.get("IamIdentity", {}).get("Arn", "")
            yield ApprovalDecision(
                "version",
                properties.get("ModelApprovalStatus", action.get("Status", "")),
                action.get("CreationTime"),
                properties.get("ApprovalDescription", ""),
                by,
            )

    def jobs(self) -> Iterator[str]:
        """Names of the training jobs, nearest first: of their trial components without the service's ending."""
        for vertex in self.vertices:
            if vertex.get("Type") == "TrainingJob":
                yield vertex["Arn"].rpartition("/")[2].removesuffix("-aws-training-job")


def _training_job(clients: Clients, execution: str, graph: _Graph) -> str:
    """The job's name as its execution has it, or else as the lineage has it, which writes names in small letters."""
    if execution:
        for step in progress.list_steps(clients.sagemaker, execution).values():
            arn = step.get("Metadata", {}).get("TrainingJob", {}).get("Arn")
            if arn:
                return str(arn).rpartition("/")[2]
    return next(graph.jobs(), "")


def _read_training(clients: Clients, job: str) -> Training:
    described: Any = clients.sagemaker.describe_training_job(TrainingJobName=job)
    data = {
        channel["ChannelName"]: channel["DataSource"].get("S3DataSource", {}).get("S3Uri", "")
        for channel in described.get("InputDataConfig", [])
    }
    algorithm = described["AlgorithmSpecification"]
    return Training(
        job=described["TrainingJobName"],
        image=algorithm.get("TrainingImage") or algorithm.get("AlgorithmName", ""),
        data=data,
        hyperparameters=dict(described.get("HyperParameters", {})),
        metrics={item["MetricName"]: item["Value"] for item in described.get("FinalMetricDataList", [])},
    )


def _parameters(clients: Clients, execution: str) -> dict[str, str]:
    pages = clients.sagemaker.get_paginator("list_pipeline_parameters_for_execution")
    listed = [item for page in pages.paginate(PipelineExecutionArn=execution) for item in page["PipelineParameters"]]
    return {item["Name"]: item["Value"] for item in listed}


def _stage_decisions(clients: Clients, endpoint: str, version: str, remarks: list[str]) -> Iterator[ApprovalDecision]:
    """The manual approvals of the deployments of this version, where the endpoint is a project's."""
    pages = clients.sagemaker.get_paginator("list_tags").paginate(ResourceArn=endpoint)
    tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    name, project = tags.get("sagemaker:project-name"), tags.get("sagemaker:project-id")
    if not name or not project:
        return
    pipeline = f"sagemaker-{name}-{project}-modeldeploy"
    actions = _attempt(lambda: _list_actions(clients, pipeline), remarks, f"the approvals of {pipeline}") or []
    versions_of: dict[str, str] = {}
    for action in actions:
        built = action.get("output", {}).get("outputVariables", {}).get("MODEL_PACKAGE_ARN")
        if built:
            versions_of[action["pipelineExecutionId"]] = built
    for action in actions:
        if action.get("input", {}).get("actionTypeId", {}).get("category") != "Approval":
            continue
        if versions_of.get(action["pipelineExecutionId"], "").lower() != version.lower():
            continue
        status = {"Succeeded": "Approved", "Failed": "Rejected"}.get(action["status"], action["status"])
        result = action.get("output", {}).get("executionResult", {})
        yield ApprovalDecision(
            f"{action['actionName']} in {pipeline}",
            status,
            action.get("lastUpdateTime"),
            result.get("externalExecutionSummary", ""),
            action.get("updatedBy", ""),
        )


def _list_actions(clients: Clients, pipeline: str) -> list[Mapping[str, Any]]:
    pages = clients.pipelines.get_paginator("list_action_executions").paginate(pipelineName=pipeline)
    return [action for page in pages for action in page["actionExecutionDetails"]]
