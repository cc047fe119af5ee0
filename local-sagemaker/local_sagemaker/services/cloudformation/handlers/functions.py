"""Types of Lambda: functions, who may call them, and the queues that invoke them."""

from __future__ import annotations

import io
import uuid
import zipfile
from pathlib import Path

from local_sagemaker.errors import ServiceError
from local_sagemaker.services.cloudformation.handlers.handler import (
    ApiResource,
    DeploymentContext,
    Handler,
    Identity,
    Properties,
    UnnamedHandler,
    fit_to_operation,
    ignore_absent,
    retag,
)


class FunctionHandler(ApiResource):
    """AWS::Lambda::Function: its code is in the template or in S3."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it."""
        context.call("lambda:CreateFunction", fit_to_operation("lambda", "CreateFunction", _function(properties)))
        return self.find(context, properties)

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Changes its code and its configuration."""
        name = {"FunctionName": identity.physical}
        if after["Code"] != before["Code"]:
            context.call("lambda:UpdateFunctionCode", {**name, **_code(after)})
        request = fit_to_operation("lambda", "UpdateFunctionConfiguration", {**after, **name})
        request.pop("Code", None)
        context.call("lambda:UpdateFunctionConfiguration", request)
        identity = self.find(context, {**after, **name})
        target = {"Resource": identity.attributes["Arn"]}
        retag(context, ("lambda:TagResource", "lambda:UntagResource"), target, before, after, form="")
        return identity


def _function(properties: Properties) -> Properties:
    tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    return {**properties, "Code": _code(properties), **({"Tags": tags} if tags else {})}


def _code(properties: Properties) -> Properties:
    code = properties["Code"]
    if "ZipFile" not in code:
        return dict(code)
    archive = io.BytesIO()
    module = str(properties.get("Handler", "index.handler")).partition(".")[0]
    is_python = "python" in str(properties.get("Runtime", "python"))
    with zipfile.ZipFile(archive, "w") as out:
        if is_python:
            out.write(Path(__file__).with_name("cfnresponse.py"), "cfnresponse.py")
        out.writestr(f"{module}.py" if is_python else "index.js", code["ZipFile"])
    return {"ZipFile": archive.getvalue()}


def _function_identity(context: DeploymentContext, properties: Properties) -> Identity:
    name = properties["FunctionName"]
    arn = context.call("lambda:GetFunctionConfiguration", {"FunctionName": name})["FunctionArn"]
    return Identity(name, name, {"Arn": arn})


class Permission(UnnamedHandler):
    """AWS::Lambda::Permission: who may call a function."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Adds a statement."""
        statement = f"{context.stack}-{context.logical}-{uuid.uuid4().hex[:12]}"
        request = fit_to_operation("lambda", "AddPermission", {**properties, "StatementId": statement})
        context.call("lambda:AddPermission", request)
        return Identity(statement, statement, {"Id": statement})

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """It has nothing of its own to be found by."""
        return self.create(context, properties)

    def update(
        self, _context: DeploymentContext, identity: Identity, _before: Properties, _after: Properties
    ) -> Identity:
        """Every change replaces it."""
        return identity

    def delete(self, context: DeploymentContext, identity: Identity, properties: Properties) -> None:
        """Removes the statement."""
        with ignore_absent():
            request = {"FunctionName": properties["FunctionName"], "StatementId": identity.physical}
            context.call("lambda:RemovePermission", request)


class EventSourceMappingHandler(UnnamedHandler):
    """AWS::Lambda::EventSourceMapping: a queue whose messages invoke a function."""

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it."""
        request = fit_to_operation("lambda", "CreateEventSourceMapping", _mapping(properties))
        return _mapping_identity(context.call("lambda:CreateEventSourceMapping", request))

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """That of the function and the queue: there is never another."""
        request: Properties = {name: properties[name] for name in _OF_A_MAPPING if name in properties}
        mappings = context.call("lambda:ListEventSourceMappings", request)["EventSourceMappings"]
        if not mappings:
            raise ServiceError("There is no such mapping.", code="ResourceNotFoundException", status=404)
        return _mapping_identity(mappings[0])

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Changes it; what the template no longer says is as if it had never been said."""
        forgotten = {name: value for name, value in _MAPPING_DEFAULTS.items() if name in before}
        request = fit_to_operation("lambda", "UpdateEventSourceMapping", {**forgotten, **_mapping(after)})
        context.call("lambda:UpdateEventSourceMapping", {**request, "UUID": identity.physical})
        target = {"Resource": identity.attributes["EventSourceMappingArn"]}
        retag(context, ("lambda:TagResource", "lambda:UntagResource"), target, before, after, form="")
        return identity

    def delete(self, context: DeploymentContext, identity: Identity, _properties: Properties) -> None:
        """Deletes it."""
        if identity.physical:
            with ignore_absent():
                context.call("lambda:DeleteEventSourceMapping", {"UUID": identity.physical})


_OF_A_MAPPING = ("EventSourceArn", "FunctionName")
_MAPPING_DEFAULTS: Properties = {
    "BatchSize": 10, "Enabled": True, "FilterCriteria": {}, "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0, "ScalingConfig": {},
}  # fmt: skip


def _mapping(properties: Properties) -> Properties:
    """The properties as requests name them."""
    return {"KMSKeyArn" if name == "KmsKeyArn" else name: value for name, value in properties.items()}


def _mapping_identity(mapping: Properties) -> Identity:
    identity = mapping["UUID"]
    return Identity(identity, identity, {"Id": identity, "EventSourceMappingArn": mapping["EventSourceMappingArn"]})


HANDLERS: dict[str, Handler] = {
    "AWS::Lambda::EventSourceMapping": EventSourceMappingHandler(),
    "AWS::Lambda::Function": FunctionHandler(
        "lambda", create="CreateFunction", delete="DeleteFunction", name_property="FunctionName", longest=64,
        find=_function_identity,
    ),
    "AWS::Lambda::Permission": Permission(),
}  # fmt: skip
