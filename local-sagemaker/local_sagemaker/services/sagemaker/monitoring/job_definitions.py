"""Job definitions of the four kinds of monitoring: what a schedule's job reads, compares with, and writes."""

from __future__ import annotations

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import ResourceInUse, ResourceNotFound, ValidationError
from local_sagemaker.monitoring.definition import MODEL_QUALITY, MonitoringDefinition, from_job_definition
from local_sagemaker.monitoring.schedule_times import duration
from local_sagemaker.objects import uris
from local_sagemaker.records import Records, kinds
from local_sagemaker.records.kinds import JobDefinitionKind
from local_sagemaker.services.sagemaker.resource_records import ResourceRecords
from local_sagemaker.services.sagemaker.tags import Tags


class JobDefinitions(Resource):
    """Create, Describe, List and Delete of one kind."""

    kind: JobDefinitionKind

    def __init__(self, *, settings: Settings, records: Records, tags: Tags, call: Call) -> None:
        self._call = call
        self._definitions = ResourceRecords(
            self.kind, settings=settings, records=records, tags=tags,
            missing=lambda _, arn: ResourceNotFound(f'Could not find job definition "{arn}".'),
            taken=lambda _, arn: ResourceInUse(f'Cannot create already existing job definition "{arn}".'),
        )  # fmt: skip

    @property
    def type(self) -> str:
        """The MonitoringType of the kind."""
        return self.kind.noun.removesuffix("JobDefinition")

    @operation("Create{noun}")
    def create(self, request: Request) -> Response:
        """Adds a definition; the endpoint that it names must exist."""
        name = request["JobDefinitionName"]
        self._definitions.refuse_taken(name)
        check_source(request[f"{self.type}JobInput"])
        check_definition(from_job_definition(self.type, request), self._call)
        body = {**request, "JobDefinitionArn": self._definitions.arn(name), "CreationTime": now()}
        body.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": from_job_definition(self.type, request).seconds})
        tags = body.pop("Tags", None)
        self._definitions.insert(body, tags)
        return {"JobDefinitionArn": body["JobDefinitionArn"]}

    @operation("Describe{noun}")
    def describe(self, request: Request) -> Response:
        """The definition as it was created."""
        return self._definitions.require(request["JobDefinitionName"])

    @operation("List{noun}s")
    def list_definitions(self, request: Request) -> Response:
        """Newest first unless the request says otherwise; those of one endpoint where it names one."""
        endpoint = request.get("EndpointName")
        equals = {f'{self.type}JobInput"."EndpointInput"."EndpointName': endpoint} if endpoint else None
        chosen, token = self._definitions.page(request, equals=equals)
        return {"JobDefinitionSummaries": [self._summary(body) for body in chosen], **token}

    @operation("Delete{noun}", atomic=True)
    def delete(self, request: Request) -> Response:
        """Forgets a definition; executions that have begun continue."""
        if self._definitions.delete(request["JobDefinitionName"]) is None:
            self._definitions.require(request["JobDefinitionName"])
        return {}

    def _summary(self, body: Request) -> Response:
        return {
            "MonitoringJobDefinitionName": body["JobDefinitionName"],
            "MonitoringJobDefinitionArn": body["JobDefinitionArn"],
            "CreationTime": body["CreationTime"],
            "EndpointName": from_job_definition(self.type, body).endpoint or "",
        }


class DataQualityJobDefinitions(JobDefinitions):
    """CreateDataQualityJobDefinition and its like."""

    kind = kinds.DATA_QUALITY_JOB


class ModelQualityJobDefinitions(JobDefinitions):
    """CreateModelQualityJobDefinition and its like."""

    kind = kinds.MODEL_QUALITY_JOB


class ModelBiasJobDefinitions(JobDefinitions):
    """CreateModelBiasJobDefinition and its like."""

    kind = kinds.MODEL_BIAS_JOB


class ModelExplainabilityJobDefinitions(JobDefinitions):
    """CreateModelExplainabilityJobDefinition and its like."""

    kind = kinds.MODEL_EXPLAINABILITY_JOB


DEFINITIONS = (
    DataQualityJobDefinitions, ModelQualityJobDefinitions, ModelBiasJobDefinitions, ModelExplainabilityJobDefinitions,
)  # fmt: skip
KIND_OF_TYPE = {one.kind.noun.removesuffix("JobDefinition"): one.kind for one in DEFINITIONS}


def check_source(data: Request) -> None:
    """Exactly one of EndpointInput and BatchTransformInput, as the API reference says of a job's input."""
    if ("EndpointInput" in data) == ("BatchTransformInput" in data):
        raise ValidationError("Exactly one of EndpointInput and BatchTransformInput must be specified.")


def check_definition(definition: MonitoringDefinition, call: Call) -> None:
    """Refuses what could never run: an endpoint that does not exist, offsets and places that are none."""
    if definition.endpoint:
        call("sagemaker:DescribeEndpoint", {"EndpointName": definition.endpoint})
    for name in ("StartTimeOffset", "EndTimeOffset"):
        if name in definition.source:
            duration(definition.source[name])
    uris.split(definition.output["S3Uri"])
    own = "ModelQualityAppSpecification" in definition.request
    if definition.type == MODEL_QUALITY and own and not definition.application.get("ProblemType"):
        raise ValidationError("ProblemType is required for model quality monitoring.")
