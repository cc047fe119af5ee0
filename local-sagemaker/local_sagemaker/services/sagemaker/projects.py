"""Projects: a template of CloudFormation in S3, deployed as a stack with the project's name and id as parameters.

A project's status is that of its stack, which is looked up when somebody wants to know it: a restart changes nothing.
Products of Service Catalog, the other kind of project, are refused.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from typing import Any

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import PROJECT
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.caller_identity import user_context
from local_sagemaker.services.sagemaker.listing import pick
from local_sagemaker.services.sagemaker.resource_records import ResourceRecords
from local_sagemaker.services.sagemaker.tags import Tags
from local_sagemaker.services.stack_errors import changes_nothing, is_missing

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_GOOD = {"Create": "CREATE_COMPLETE", "Update": "UPDATE_COMPLETE", "Delete": "DELETE_COMPLETE"}
_DELETED = "DeleteCompleted"


class SageMakerProjects(Resource):
    """CreateProject, DescribeProject, UpdateProject, DeleteProject, ListProjects."""

    def __init__(self, *, settings: Settings, records: Records, tags: Tags, call: Call) -> None:
        self._settings, self._call, self._tags = settings, call, tags
        self._projects = ResourceRecords(
            PROJECT, settings=settings, records=records, tags=tags,
            missing=lambda name, _: ValidationError(f"Project {name} does not exist."),
            taken=lambda name, _: ValidationError(f"Project with name {name} already exists."),
        )  # fmt: skip

    @operation("CreateProject")
    def create(self, request: Request) -> Response:
        """Begins to deploy the project's template."""
        name, tags = request["ProjectName"], request.get("Tags", [])
        provider = _provider(request)
        identity = "p-" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(12))
        arn = self._projects.arn(name)
        body = {
            "ProjectName": name, "ProjectArn": arn, "ProjectId": identity, "ProjectStatus": "CreateInProgress",
            "TemplateProviderDetails": [{"CfnTemplateProviderDetail": provider}], "CreationTime": now(),
            "LastModifiedTime": now(), "CreatedBy": user_context(self._settings), "_stack": f"SP-{identity}",
            "_verb": "Create", "_id": "", **pick(request, "ProjectDescription"),
        }  # fmt: skip
        old = self._projects.find(name)
        if old is not None and self._refresh(old)["ProjectStatus"] == _DELETED:
            self._projects.delete(name)
        self._projects.insert(body, tags)
        self._deploy(body, "cloudformation:CreateStack", tags)
        return {"ProjectArn": arn, "ProjectId": identity}

    @operation("UpdateProject")
    def update(self, request: Request) -> Response:
        """Changes the description, adds tags, and deploys another template or other parameters."""
        if request.get("ServiceCatalogProvisioningUpdateDetails"):
            raise _catalog_refusal()
        body = self._refresh(self._projects.require(request["ProjectName"]))
        self._refuse_busy(body, "update")
        self._tags.put(body["ProjectArn"], request.get("Tags"))
        changed = pick(request, "ProjectDescription")
        for row in request.get("TemplateProvidersToUpdate", []):
            new = row["CfnTemplateProvider"]
            before = body["TemplateProviderDetails"][0]["CfnTemplateProviderDetail"]
            changed |= {"TemplateProviderDetails": [{"CfnTemplateProviderDetail": {**before, **new}}],
                        "ProjectStatus": "UpdateInProgress", "_verb": "Update"}  # fmt: skip
        body = self._write(body, **changed)
        if body["ProjectStatus"] == "UpdateInProgress":
            self._deploy(body, "cloudformation:UpdateStack", self._tags.of(body["ProjectArn"]))
        return {"ProjectArn": body["ProjectArn"]}

    @operation("DescribeProject")
    def describe(self, request: Request) -> Response:
        """A project with the state of its stack."""
        return public(self._refresh(self._projects.require(request["ProjectName"])))

    @operation("DeleteProject")
    def delete(self, request: Request) -> Response:
        """Begins to delete the project's stack; the project is described until its name is used again."""
        body = self._refresh(self._projects.require(request["ProjectName"]))
        self._refuse_busy(body, "delete")
        if body["ProjectStatus"] == _DELETED:
            raise ValidationError(f"Cannot delete Project in {_DELETED} status")
        body = self._write(body, ProjectStatus="DeleteInProgress", _verb="Delete")
        provider = body["TemplateProviderDetails"][0]["CfnTemplateProviderDetail"]
        stack: Request = {"StackName": body.get("_id") or body["_stack"]}
        if provider.get("RoleARN"):
            stack["RoleARN"] = provider["RoleARN"]
        self._try(body, lambda: self._call("cloudformation:DeleteStack", stack))
        return {}

    @operation("ListProjects")
    def list_projects(self, request: Request) -> Response:
        """Oldest first unless requested otherwise; not those that were deleted."""
        chosen, token = self._projects.page(request, direction="Ascending")
        members = ("ProjectName", "ProjectDescription", "ProjectArn", "ProjectId", "CreationTime", "ProjectStatus")
        rows = [pick(self._refresh(body), *members) for body in chosen]
        return {"ProjectSummaryList": [row for row in rows if row["ProjectStatus"] != _DELETED], **token}

    def _deploy(self, body: Body, operation_name: str, tags: list[dict[str, str]]) -> None:
        provider = body["TemplateProviderDetails"][0]["CfnTemplateProviderDetail"]
        own = {"SageMakerProjectName": body["ProjectName"], "SageMakerProjectId": body["ProjectId"]}
        values = {row["Key"]: row.get("Value", "") for row in provider.get("Parameters", [])} | own
        marks = {"sagemaker:project-name": body["ProjectName"], "sagemaker:project-id": body["ProjectId"]}
        labels = {row["Key"]: row["Value"] for row in tags} | marks
        request: Request = {
            "StackName": body["_stack"], "TemplateURL": provider["TemplateURL"], "Capabilities": _CAPABILITIES,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
            "Tags": [{"Key": key, "Value": value} for key, value in labels.items()],
        }  # fmt: skip
        if provider.get("RoleARN"):
            request["RoleARN"] = provider["RoleARN"]
        answer = self._try(body, lambda: self._call(operation_name, request))
        if answer.get("StackId"):
            self._write(body, _id=answer["StackId"])

    def _try(self, body: Body, call: Callable[[], Response]) -> Response:
        """A call whose failure is the project's, as on AWS, where it is made later."""
        try:
            return call()
        except ServiceError as error:
            if changes_nothing(error):
                self._write(body, ProjectStatus="UpdateCompleted")
            else:
                self._write(body, ProjectStatus=f"{body['_verb']}Failed", _message=error.message)
            return {}

    def _refresh(self, body: Body) -> Body:
        """The project as its stack is now."""
        stack = self._stack(body)
        provider = body["TemplateProviderDetails"][0]["CfnTemplateProviderDetail"]
        message = body.get("_message") or (stack or {}).get("StackStatusReason") or (stack or {}).get("StackStatus")
        detail = {"Name": body["_stack"], "StatusMessage": message or "No stack"}
        if stack:
            detail["Id"] = stack["StackId"]
        changed: dict[str, Any] = {
            "TemplateProviderDetails": [{"CfnTemplateProviderDetail": {**provider, "StackDetail": detail}}]
        }
        if body["ProjectStatus"].endswith("InProgress"):
            state = stack["StackStatus"] if stack else "DELETE_COMPLETE"
            if not state.endswith("_IN_PROGRESS"):
                good = state == _GOOD[body["_verb"]]
                changed["ProjectStatus"] = body["_verb"] + ("Completed" if good else "Failed")
        if all(body.get(name) == value for name, value in changed.items()):
            return body
        return self._write(body, **changed)

    def _stack(self, body: Body) -> dict[str, Any] | None:
        try:
            request = {"StackName": body.get("_id") or body["_stack"]}
            return dict(self._call("cloudformation:DescribeStacks", request)["Stacks"][0])
        except ServiceError as error:
            if is_missing(error):
                return None
            raise

    def _write(self, body: Body, **members: Any) -> Body:
        changed = {**members, "LastModifiedTime": now()}
        return self._projects.update(body["ProjectName"], lambda current: {**current, **changed}) or {**body, **changed}

    @staticmethod
    def _refuse_busy(body: Body, verb: str) -> None:
        if body["ProjectStatus"].endswith("InProgress"):
            raise ValidationError(f"Cannot {verb} Project in {body['ProjectStatus']} status")


def _provider(request: Request) -> dict[str, Any]:
    """The template of a new project. Raises ValidationError where there is none."""
    if request.get("ServiceCatalogProvisioningDetails"):
        raise _catalog_refusal()
    providers = request.get("TemplateProviders") or []
    found = providers[0].get("CfnTemplateProvider") if providers else None
    if not found:
        raise ValidationError("Either TemplateProviders or ServiceCatalogProvisioningDetails must be specified.")
    return dict(found)


def _catalog_refusal() -> ValidationError:
    text = "LocalUnsupported: products of Service Catalog are not here; give a template in S3 by TemplateProviders."
    return ValidationError(text)
