"""Types of the code services: repositories, connections, build projects, delivery pipelines."""

from __future__ import annotations

import json
import tempfile
import uuid
from pathlib import Path
from typing import Any

from local_sagemaker.api import models
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.files.archives import ArchiveError, unpack_files
from local_sagemaker.services.cloudformation.handlers.handler import (
    DeploymentContext,
    Handler,
    Identity,
    Properties,
    UnnamedHandler,
    coerce,
    is_absent,
    retag,
)

LARGEST_SEED = 20 << 20  # bytes; whether AWS's 20 MB are binary is not known
LARGEST_UNPACKED = 128 << 20  # bytes; AWS's bound is not published
_SECONDS = 60.0
NO_ARCHIVE = "Code supplied is not a valid .zip archive"
TOO_LARGE = "LocalUnsupported: Code archive supplied cannot have more than 128 MB unpacked"


def members(shape: Any, value: Any, place: str = "") -> Any:
    """A template's value as the request of a service that begins its members in lower case has it.

    Raises for a property that the request has no member for: nothing of a template is left out in silence.
    """
    if shape.type_name == "structure" and isinstance(value, dict):
        names = {name.lower(): name for name in shape.members}
        unknown = [name for name in value if name.lower() not in names]
        if unknown:
            text = f"LocalUnsupported: the property {place}{unknown[0]} is not executed by the local service."
            raise ServiceError(text, code="ValidationError", status=400)
        return {
            names[name.lower()]: members(shape.members[names[name.lower()]], part, f"{place}{name}.")
            for name, part in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [members(shape.member, part, place) for part in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {name: json.dumps(part) if isinstance(part, dict | list) else coerce(shape.value, part)
                for name, part in value.items()}  # fmt: skip
    return coerce(shape, value)


def _request(service: str, operation: str, properties: Properties) -> Properties:
    shape: Any = models.operation(service, operation).input_shape
    return dict(members(shape, properties))


class BuildProject:
    """AWS::CodeBuild::Project."""

    name_property = "Name"

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """A project's name has 255 characters at most."""
        return properties if "Name" in properties else {**properties, "Name": context.name(255)}

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it."""
        context.call("codebuild:CreateProject", _request("codebuild", "CreateProject", properties))
        return self.find(context, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its name."""
        name = properties["Name"]
        rows = context.call("codebuild:BatchGetProjects", {"names": [name]})["projects"]
        if not rows:
            raise ServiceError(f"Project {name} does not exist", code="ResourceNotFoundException", status=404)
        return Identity(name, name, {"Arn": rows[0]["arn"]})

    def update(
        self, context: DeploymentContext, _identity: Identity, _before: Properties, after: Properties
    ) -> Identity:
        """Changes it."""
        context.call("codebuild:UpdateProject", _request("codebuild", "UpdateProject", after))
        return self.find(context, after)

    def delete(self, context: DeploymentContext, identity: Identity, _properties: Properties) -> None:
        """Deletes it."""
        if identity.physical:
            context.call("codebuild:DeleteProject", {"name": identity.physical})


class DeliveryPipeline:
    """AWS::CodePipeline::Pipeline."""

    name_property = "Name"
    _outside = ("Tags", "DisableInboundStageTransitions", "RestartExecutionOnUpdate")

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """A pipeline's name has 100 characters at most."""
        return properties if "Name" in properties else {**properties, "Name": context.name(100)}

    def _structure(self, properties: Properties) -> Properties:
        shape: Any = models.operation("codepipeline", "CreatePipeline").input_shape
        declared = {name: value for name, value in properties.items() if name not in self._outside}
        structure = dict(members(shape.members["pipeline"], declared))
        for stage in structure["stages"]:
            for action in stage["actions"]:
                action.setdefault("configuration", {})
        return structure

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it, with its transitions."""
        tags = [{"key": tag["Key"], "value": tag["Value"]} for tag in properties.get("Tags", [])]
        context.call("codepipeline:CreatePipeline", {"pipeline": self._structure(properties), "tags": tags})
        context.keep(Identity(properties["Name"]))
        self._set_transitions(context, {}, properties)
        return self.find(context, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its name."""
        name = properties["Name"]
        response = context.call("codepipeline:GetPipeline", {"name": name})
        version = str(response["pipeline"]["version"])
        return Identity(name, name, {"Version": version, "Arn": response["metadata"]["pipelineArn"]})

    def update(
        self, context: DeploymentContext, _identity: Identity, before: Properties, after: Properties
    ) -> Identity:
        """Changes it: another version."""
        context.call("codepipeline:UpdatePipeline", {"pipeline": self._structure(after)})
        self._set_transitions(context, before, after)
        identity = self.find(context, after)
        arn = identity.attributes["Arn"]
        wanted = {tag["Key"]: tag["Value"] for tag in after.get("Tags", [])}
        removed = [tag["Key"] for tag in before.get("Tags", []) if tag["Key"] not in wanted]
        if removed:
            context.call("codepipeline:UntagResource", {"resourceArn": arn, "tagKeys": removed})
        if wanted:
            tags = [{"key": key, "value": value} for key, value in wanted.items()]
            context.call("codepipeline:TagResource", {"resourceArn": arn, "tags": tags})
        if str(after.get("RestartExecutionOnUpdate", "false")).lower() == "true":
            context.call("codepipeline:StartPipelineExecution", {"name": after["Name"]})
        return identity

    def _set_transitions(self, context: DeploymentContext, before: Properties, after: Properties) -> None:
        closed = {row["StageName"]: row["Reason"] for row in after.get("DisableInboundStageTransitions", [])}
        for row in before.get("DisableInboundStageTransitions", []):
            if row["StageName"] not in closed:
                request = {"pipelineName": after["Name"], "stageName": row["StageName"], "transitionType": "Inbound"}
                context.call("codepipeline:EnableStageTransition", request)
        for stage, reason in closed.items():
            request = {"pipelineName": after["Name"], "stageName": stage, "transitionType": "Inbound", "reason": reason}
            context.call("codepipeline:DisableStageTransition", request)

    def delete(self, context: DeploymentContext, identity: Identity, _properties: Properties) -> None:
        """Deletes it."""
        if identity.physical:
            context.call("codepipeline:DeletePipeline", {"name": identity.physical})


class CodeRepository:
    """AWS::CodeCommit::Repository. Its name may change in place; ``Code`` is put into it when it is made."""

    name_property = "RepositoryName"

    def with_name(self, _context: DeploymentContext, properties: Properties) -> Properties:
        """The name is required."""
        return properties

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it."""
        code: Properties | None = properties.get("Code")
        files = self._read_seed(context, code["S3"]) if code is not None else []
        request = {"repositoryName": properties["RepositoryName"]}
        if "RepositoryDescription" in properties:
            request["repositoryDescription"] = properties["RepositoryDescription"]
        if "KmsKeyId" in properties:
            request["kmsKeyId"] = properties["KmsKeyId"]
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        context.call("codecommit:CreateRepository", {**request, **({"tags": tags} if tags else {})})
        if code is not None:
            commit = {"repositoryName": properties["RepositoryName"], "branchName": code.get("BranchName", "main"),
                      "putFiles": files, "commitMessage": "Initial commit by AWS CloudFormation"}  # fmt: skip
            context.call("codecommit:CreateCommit", commit)
        return self.find(context, properties)

    @staticmethod
    def _read_seed(context: DeploymentContext, place: Properties) -> list[Properties]:
        """The files of an archive in S3, for the first commit.

        :raises ValidationError: as seen on AWS: for more than 20 MB (aws-samples/amazon-rekognition-face-liveness-demo
            #5). Archives of CDK that hold empty files are no archives to AWS (aws/aws-cdk#19012), others of the
            same files are. That the sizes, which stand behind the data of stored files there, are why is inferred.
        """
        from local_sagemaker.services.object_reader import read_object

        data = read_object(context.call, place["Bucket"], place["Key"], place.get("ObjectVersion"), LARGEST_SEED)
        if data is None:
            raise ValidationError("Code archive supplied cannot be more than 20 MB compressed")
        with tempfile.TemporaryDirectory() as folder:
            archive, unpacked = Path(folder, "seed.zip"), Path(folder, "files")
            archive.write_bytes(data)
            unpacked.mkdir()
            try:
                files = unpack_files(archive, unpacked, LARGEST_UNPACKED, seconds=_SECONDS)
            except ArchiveError as error:
                raise ValidationError(TOO_LARGE if error.too_large else NO_ARCHIVE) from error
            if not all(file.streamable for file in files):
                raise ValidationError(NO_ARCHIVE)
            return [{"filePath": file.name, "fileContent": file.path.read_bytes(),
                     "fileMode": "EXECUTABLE" if file.path.stat().st_mode & 0o100 else "NORMAL"}
                    for file in files]  # fmt: skip

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its name."""
        name = properties["RepositoryName"]
        body = context.call("codecommit:GetRepository", {"repositoryName": name})["repositoryMetadata"]
        attributes = {"Arn": body["Arn"], "Name": name, "CloneUrlHttp": body["cloneUrlHttp"],
                      "CloneUrlSsh": body["cloneUrlSsh"]}  # fmt: skip
        return Identity(body["repositoryId"], body["repositoryId"], attributes)

    def update(
        self, context: DeploymentContext, _identity: Identity, before: Properties, after: Properties
    ) -> Identity:
        """Changes name and description."""
        old, new = before["RepositoryName"], after["RepositoryName"]
        if old != new:
            context.call("codecommit:UpdateRepositoryName", {"oldName": old, "newName": new})
        description = after.get("RepositoryDescription", "")
        request = {"repositoryName": new, "repositoryDescription": description}
        context.call("codecommit:UpdateRepositoryDescription", request)
        identity = self.find(context, after)
        calls, target = ("codecommit:TagResource", "codecommit:UntagResource"), identity.attributes["Arn"]
        retag(context, calls, {"resourceArn": target}, before, after, keys="tagKeys", tags="tags", form="")
        return identity

    def delete(self, context: DeploymentContext, _identity: Identity, properties: Properties) -> None:
        """Deletes it with all that was pushed."""
        context.call("codecommit:DeleteRepository", {"repositoryName": properties["RepositoryName"]})


class CdkMetadata(UnnamedHandler):
    """AWS::CDK::Metadata, with which templates of the CDK count themselves for AWS: nothing is made."""

    def create(self, _context: DeploymentContext, _properties: Properties) -> Identity:
        """An id."""
        return Identity(str(uuid.uuid4()))

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """There is nothing to be found."""
        return self.create(context, properties)

    def update(
        self, _context: DeploymentContext, identity: Identity, _before: Properties, _after: Properties
    ) -> Identity:
        """Nothing changes."""
        return identity

    def delete(self, _context: DeploymentContext, _identity: Identity, _properties: Properties) -> None:
        """There is nothing to delete."""


class CodeConnection:
    """AWS::CodeConnections::Connection, and by its earlier name: PENDING until somebody completes it."""

    name_property = "ConnectionName"

    def __init__(self, service: str) -> None:
        self._service = service

    def with_name(self, _context: DeploymentContext, properties: Properties) -> Properties:
        """The name is required."""
        return properties

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it."""
        context.call(f"{self._service}:CreateConnection", dict(properties))
        return self.find(context, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its name."""
        name = properties["ConnectionName"]
        rows = context.call(f"{self._service}:ListConnections", {})["Connections"]
        matches = [row for row in rows if row["ConnectionName"] == name]
        if not matches:
            raise ServiceError(f"Connection {name} does not exist", code="ResourceNotFoundException", status=404)
        arn = matches[-1]["ConnectionArn"]
        attributes = {name: matches[-1][name] for name in ("ConnectionArn", "ConnectionStatus", "OwnerAccountId")}
        return Identity(arn, arn, attributes)

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Only tags change in place."""
        wanted = {tag["Key"] for tag in after.get("Tags", [])}
        removed = [tag["Key"] for tag in before.get("Tags", []) if tag["Key"] not in wanted]
        if removed:
            context.call(f"{self._service}:UntagResource", {"ResourceArn": identity.physical, "TagKeys": removed})
        if wanted:
            context.call(f"{self._service}:TagResource", {"ResourceArn": identity.physical, "Tags": after["Tags"]})
        return identity

    def delete(self, context: DeploymentContext, identity: Identity, _properties: Properties) -> None:
        """Deletes it."""
        try:
            if identity.physical:
                context.call(f"{self._service}:DeleteConnection", {"ConnectionArn": identity.physical})
        except ServiceError as error:
            if not is_absent(error):
                raise


HANDLERS: dict[str, Handler] = {
    "AWS::CDK::Metadata": CdkMetadata(),
    "AWS::CodeBuild::Project": BuildProject(),
    "AWS::CodePipeline::Pipeline": DeliveryPipeline(),
    "AWS::CodeCommit::Repository": CodeRepository(),
    "AWS::CodeConnections::Connection": CodeConnection("codeconnections"),
    "AWS::CodeStarConnections::Connection": CodeConnection("codestar-connections"),
}
