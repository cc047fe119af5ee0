"""Pipelines and their versions: create, update, describe, list, delete.

A definition is checked as a whole before anything is written; it comes in the request or from S3, and is kept as sent.
Pipelines are looked up without regard to case, by name or ARN.
"""

from __future__ import annotations

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.arns import is_arn, last
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.engine.callback_tokens import forget_deliveries
from local_sagemaker.engine.journal import EXECUTION, UNFINISHED, forget_pipeline
from local_sagemaker.engine.validation import read
from local_sagemaker.errors import Conflict, NameTaken, ResourceNotFound, ServiceError, ValidationError
from local_sagemaker.records import Records
from local_sagemaker.records.own_members import own_pipeline, own_pipeline_version
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.object_reader import read_object
from local_sagemaker.services.request_tokens import RequestTokens
from local_sagemaker.services.sagemaker.listing import order, page, pick, select
from local_sagemaker.services.sagemaker.pipeline_versions import PIPELINE, PipelineVersions
from local_sagemaker.services.sagemaker.resource_records import page_of
from local_sagemaker.services.sagemaker.tags import Tags

LIMIT = 1024 * 1024
"""Bytes of the longest definition."""
LONGEST_NAME = 82
"""AWS refused longer ones in 2022 (aws/sagemaker-python-sdk issue 2933), though the API reference says 256. Nothing
newer was found, and a name that is short enough here is so on AWS, too."""
_KEPT = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")


def find(records: Records, settings: Settings, name_or_arn: str) -> Body:
    """The pipeline's record. Raises ResourceNotFound."""
    name = last(name_or_arn)
    body = records.get(PIPELINE, name.lower())
    arn = settings.arns.sagemaker(PIPELINE, name)
    if body is None or (is_arn(name_or_arn) and name_or_arn.lower() != body["PipelineArn"].lower()):
        raise ResourceNotFound(f"Pipeline '{name_or_arn if is_arn(name_or_arn) else arn}' does not exist.")
    return body


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise ValidationError(f'[string "{name}" is too long (length: {len(name)}, maximum allowed: {LONGEST_NAME})]')


class Pipelines(Resource):
    """The operations on pipelines and on their versions."""

    def __init__(self, *, settings: Settings, records: Records, tags: Tags, call: Call) -> None:
        self._settings = settings
        self._records = records
        self._call = call
        self._tags = tags
        self._tokens = RequestTokens(records)
        self._versions = PipelineVersions(records)

    @operation("CreatePipeline")
    def create(self, request: Request) -> Response:
        """Makes version 1. An existing name is a ValidationException, which the SDKs' upsert looks for."""
        _check_name(request["PipelineName"])
        definition = self._definition(request, required=True)
        read(definition)
        response, _ = self._tokens.once(
            "CreatePipeline", request, lambda: self._create(request, definition),
            exists=lambda response: self._records.get(PIPELINE, last(response["PipelineArn"]).lower()),
        )  # fmt: skip
        return response

    def _create(self, request: Request, definition: str) -> Response:
        name, created = request["PipelineName"], now()
        if self._records.get(PIPELINE, name.lower()) is not None:
            raise NameTaken(
                "Pipeline names must be unique within an AWS account and region. "
                f"Pipeline with name ({name}) already exists."
            )
        body: Body = {
            "PipelineArn": self._settings.arns.sagemaker(PIPELINE, name),
            "PipelineName": name,
            "PipelineDisplayName": name,
            "PipelineStatus": "Active",
            "CreationTime": created,
            "LastModifiedTime": created,
            "CreatedBy": {},
            "LastModifiedBy": {},
            **pick(request, *_KEPT),
        }
        self._versions.add(body, definition, request.get("PipelineVersionAliases", []))
        self._records.put(PIPELINE, name.lower(), body)
        self._tags.put(body["PipelineArn"], request.get("Tags"))
        return {"PipelineArn": body["PipelineArn"]}

    @operation("UpdatePipeline")
    def update(self, request: Request) -> Response:
        """Changes what the request holds; a definition in it becomes the next version."""
        definition = self._definition(request, required=False)
        if definition:
            read(definition)
        elif request.get("PipelineVersionAliases"):
            raise ValidationError("PipelineVersionAliases can be specified only when the pipeline definition changes.")
        with self._records.transaction():
            body = find(self._records, self._settings, request["PipelineName"])
            body.update(pick(request, *_KEPT))
            if definition:
                self._versions.add(body, definition, request.get("PipelineVersionAliases", []))
            body["LastModifiedTime"] = now()
            self._records.put(PIPELINE, body["PipelineName"].lower(), body)
        return {"PipelineArn": body["PipelineArn"], "PipelineVersionId": own_pipeline(body)["_version"]}

    @operation("DescribePipeline")
    def describe(self, request: Request) -> Response:
        """The pipeline with the definition of the version requested, exactly as it was sent."""
        body = find(self._records, self._settings, request["PipelineName"])
        version = self._versions.find(body, request)
        details = pick(version, "PipelineVersionDisplayName", "PipelineVersionDescription", "PipelineVersionAliases")
        return {**public(body), **details, "PipelineDefinition": own_pipeline_version(version)["_definition"]}

    @operation("DeletePipeline", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes the pipeline with its versions and executions; refused while one of them runs."""
        response, _ = self._tokens.once("DeletePipeline", request, lambda: self._delete(request))
        return response

    def _delete(self, request: Request) -> Response:
        body = find(self._records, self._settings, request["PipelineName"])
        name, arn = body["PipelineName"], body["PipelineArn"]
        for execution in self._records.list(EXECUTION, f"{name.lower()}/"):
            if execution["PipelineExecutionStatus"] in UNFINISHED:
                raise Conflict(
                    f"Pipeline '{arn}' can't be deleted while its execution "
                    f"'{execution['PipelineExecutionArn']}' is {execution['PipelineExecutionStatus']}."
                )
        forget_pipeline(self._records, name)
        forget_deliveries(self._records, arn)
        self._versions.drop(name)
        self._records.delete(PIPELINE, name.lower())
        self._tags.drop(arn)
        return {"PipelineArn": arn}

    @operation("ListPipelines")
    def list_pipelines(self, request: Request) -> Response:
        """Summaries, newest first unless requested otherwise."""
        if request.get("ManagedBy") == "AWS":
            return {"PipelineSummaries": []}
        chosen, token = page_of(self._records, PIPELINE, request, default=100)
        return {"PipelineSummaries": [_summary(body) for body in chosen], **token}

    @operation("ListPipelineVersions")
    def list_versions(self, request: Request) -> Response:
        """The versions of a pipeline, newest first."""
        body = find(self._records, self._settings, request["PipelineName"])
        versions = select(self._versions.of(body["PipelineName"]), request, name="PipelineVersionDisplayName")
        versions = order(versions, request, members={})
        chosen, token = page(versions, request, default=100)
        return {"PipelineVersionSummaries": [_version_summary(version) for version in chosen], **token}

    @operation("UpdatePipelineVersion", atomic=True)
    def update_version(self, request: Request) -> Response:
        """Display name, description and aliases of a version."""
        with self._records.transaction():
            body = find(self._records, self._settings, request["PipelineArn"])
            self._versions.update(body, request)
        return {"PipelineArn": body["PipelineArn"], "PipelineVersionId": request["PipelineVersionId"]}

    def _definition(self, request: Request, *, required: bool) -> str:
        text, location = request.get("PipelineDefinition"), request.get("PipelineDefinitionS3Location")
        if text and location:
            raise ValidationError("Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present")
        if not text and not location:
            if required:
                raise ValidationError(
                    "Either Pipeline Definition or Pipeline Definition S3 location should be provided"
                )
            return ""
        if text:
            return str(text)
        return self._from_s3(location or {})

    def _from_s3(self, location: Body) -> str:
        bucket, key = location["Bucket"], location["ObjectKey"]
        try:
            data = read_object(self._call, bucket, key, location.get("VersionId"), LIMIT)
        except ServiceError as error:
            raise ValidationError(
                f"Could not find the pipeline definition at s3://{bucket}/{key}. {error.message}"
            ) from error
        if data is None:
            raise ValidationError(f"The pipeline definition at s3://{bucket}/{key} is longer than {LIMIT} bytes.")
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise ValidationError("Unable to parse pipeline definition. Expecting start of Json Object.") from error


def _summary(body: Body) -> Body:
    members = ("PipelineArn", "PipelineName", "PipelineDisplayName", "PipelineDescription", "RoleArn")
    summary = pick(body, *members, "CreationTime", "LastModifiedTime")
    if "LastRunTime" in body:
        summary["LastExecutionTime"] = body["LastRunTime"]
    return summary


def _version_summary(body: Body) -> Body:
    summary = pick(
        body,
        "PipelineArn",
        "PipelineVersionId",
        "CreationTime",
        "PipelineVersionDescription",
        "PipelineVersionDisplayName",
        "PipelineVersionAliases",
    )
    if "LastExecutedPipelineExecutionArn" in body:
        summary["LastExecutionPipelineExecutionArn"] = body["LastExecutedPipelineExecutionArn"]
    return summary
