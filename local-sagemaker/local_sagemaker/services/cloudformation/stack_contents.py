"""What is inside of stacks and templates: resources, events, exports, the template itself."""

from __future__ import annotations

from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.cloudformation import parameters, template
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.template import Template
from local_sagemaker.records.delivery_members import own_stack
from local_sagemaker.records.store import Body
from local_sagemaker.services.cloudformation import supported_properties
from local_sagemaker.services.cloudformation.requests import Requests, capabilities_for
from local_sagemaker.services.cloudformation.stack_store import StackStore

_LIKE = {"DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"}}


class StackContents(Resource):
    """DescribeStackResource(s), ListStackResources, DescribeStackEvents, ListExports, ListImports, GetTemplate,
    GetTemplateSummary, ValidateTemplate."""

    def __init__(self, *, store: StackStore, requests: Requests) -> None:
        self._store, self._requests = store, requests

    @operation("DescribeStackResource")
    def resource(self, request: Request) -> Response:
        """One resource with its metadata."""
        stack = self._store.require(request["StackName"], "Stack '{}' does not exist")
        body = self._store.resource(stack["StackId"], request["LogicalResourceId"])
        if body is None:
            raise TemplateError(
                f"Resource {request['LogicalResourceId']} does not exist for stack {stack['StackName']}"
            )
        return {"StackResourceDetail": {**_stack_of(stack), **_resource(body, "LastUpdatedTimestamp"), **_LIKE}}

    @operation("DescribeStackResources")
    def resources(self, request: Request) -> Response:
        """Up to 100 resources, by stack or by a physical id."""
        stack = self._stack_of(request)
        wanted = request.get("LogicalResourceId")
        bodies = self._store.resources(stack["StackId"]).values()
        resources = [body for body in bodies if wanted in (None, body["LogicalResourceId"])]
        return {"StackResources": [{**_stack_of(stack), **_resource(body, "Timestamp"), **_LIKE} for body in resources]}

    def _stack_of(self, request: Request) -> Body:
        if request.get("StackName"):
            return self._store.require(request["StackName"])
        physical = request.get("PhysicalResourceId")
        for stack in self._store.stacks():
            resources = self._store.resources(stack["StackId"]).values()
            if physical and any(body.get("PhysicalResourceId") == physical for body in resources):
                return stack
        raise TemplateError(f"Stack for {physical} does not exist")

    @operation("ListStackResources")
    def list_resources(self, request: Request) -> Response:
        """Summaries of a stack's resources."""
        stack = self._store.require(request["StackName"])
        bodies = self._store.resources(stack["StackId"]).values()
        return {"StackResourceSummaries": [{**_resource(body, "LastUpdatedTimestamp"), **_LIKE} for body in bodies]}

    @operation("DescribeStackEvents")
    def events(self, request: Request) -> Response:
        """What happened, newest first."""
        if not request.get("StackName"):
            raise TemplateError("1 validation error detected: Value null at 'stackName' failed to satisfy constraint: "
                                "Member must not be null")  # fmt: skip
        stack = self._store.require(request["StackName"], "Stack [{}] does not exist")
        return {"StackEvents": self._store.events(stack["StackId"])}

    @operation("ListExports")
    def list_exports(self, _request: Request) -> Response:
        """All exports of the region."""
        return {"Exports": self._store.exports()}

    @operation("ListImports")
    def list_imports(self, request: Request) -> Response:
        """The stacks that import an export."""
        names = self._store.importers(request["ExportName"])
        if not names:
            raise TemplateError(f"Export '{request['ExportName']}' is not imported by any stack.")
        return {"Imports": names}

    @operation("GetTemplate")
    def get_template(self, request: Request) -> Response:
        """The text of a stack's template, as it was given."""
        if not request.get("StackName"):
            raise TemplateError("Either StackName or ChangeSetName must be specified")
        stack = self._store.require(request["StackName"])
        return {"TemplateBody": own_stack(stack).get("_template", ""), "StagesAvailable": ["Original", "Processed"]}

    @operation("GetTemplateSummary")
    def summary(self, request: Request) -> Response:
        """Parameters, types and capabilities of a template or of a stack's."""
        read = self._read(request)
        kinds = sorted({resource.type.name for resource in read.resources.values()})
        summaries = [
            {"ResourceType": kind, "LogicalResourceIds": [resource.logical for resource in resources],
             "ResourceIdentifiers": list(resources[0].type.identifier)}
            for kind in kinds
            if (resources := [one for one in read.resources.values() if one.type.name == kind])[0].type.identifier
        ]  # fmt: skip
        return {
            **_describe(read), "ResourceTypes": kinds, "Version": "2010-09-09",
            "ResourceIdentifierSummaries": summaries,
        }  # fmt: skip

    @operation("ValidateTemplate")
    def validate(self, request: Request) -> Response:
        """Whether a text is a template, and what it declares."""
        described = _describe(self._read(request))
        members = ("ParameterKey", "DefaultValue", "NoEcho", "Description")
        declared = [{name: row[name] for name in members if name in row} for row in described["Parameters"]]
        return {**described, "Parameters": declared}

    def _read(self, request: Request) -> Template:
        if request.get("StackName"):
            return template.load(own_stack(self._store.require(request["StackName"]))["_template"])
        read = template.load(self._requests.template(request))
        supported_properties.check(read)
        return read


def _stack_of(stack: Body) -> dict[str, Any]:
    return {"StackName": stack["StackName"], "StackId": stack["StackId"]}


def _resource(body: Body, time: str) -> dict[str, Any]:
    members = ("LogicalResourceId", "PhysicalResourceId", "ResourceType", "ResourceStatus", "ResourceStatusReason")
    return {**{name: body[name] for name in members if body.get(name)}, time: body["LastUpdatedTimestamp"]}


def _describe(read: Template) -> dict[str, Any]:
    needed = capabilities_for(read)
    reason = {"CapabilitiesReason": f"The following resource(s) require capabilities: {_iam(read)}"} if needed else {}
    return {
        "Parameters": [_describe_parameter(name, rule) for name, rule in read.parameters.items()],
        "Capabilities": needed,
        **reason,
        **({"Description": read.description} if read.description else {}),
    }


def _iam(read: Template) -> str:
    kinds = {resource.type.name for resource in read.resources.values() if "::IAM::" in resource.type.name}
    return f"[{', '.join(sorted(kinds))}]"


def _describe_parameter(name: str, rule: dict[str, Any]) -> dict[str, Any]:
    row = {
        "ParameterKey": name,
        "ParameterType": rule.get("Type", "String"),
        "NoEcho": str(rule.get("NoEcho", "")).lower() == "true",
        "Description": rule.get("Description"),
        "DefaultValue": parameters.as_text(rule["Default"]) if "Default" in rule else None,
        "ParameterConstraints": {"AllowedValues": [parameters.as_text(v) for v in rule.get("AllowedValues", [])]},
    }
    return {key: value for key, value in row.items() if value is not None}
