"""Projects: a template of CloudFormation in S3, deployed as a stack with the project's name and id as parameters.

A project's status is that of its stack, which is looked up when somebody wants to know it: a restart changes nothing.
The stack says nothing of a verb until CloudFormation has accepted it (`_sent`); what a stop kept from that is repeated.
Products of Service Catalog, the other kind of project, are refused.
"""

from __future__ import annotations

import logging
import secrets
import string
from collections.abc import Mapping
from typing import Any

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.background import log_failure
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.records import Records
from local_sagemaker.records.delivery_status import StackStatus
from local_sagemaker.records.kinds import PROJECT
from local_sagemaker.records.own_members import ProjectRecord, own_project
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.caller_identity import user_context
from local_sagemaker.services.sagemaker.listing import pick
from local_sagemaker.services.sagemaker.resource_records import ResourceRecords
from local_sagemaker.services.sagemaker.tags import Tags
from local_sagemaker.services.stack_errors import changes_nothing, is_missing

log = logging.getLogger(__name__)
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_GOOD = {
    "Create": StackStatus.CREATE_COMPLETE,
    "Update": StackStatus.UPDATE_COMPLETE,
    "Delete": StackStatus.DELETE_COMPLETE,
}
_DELETED = "DeleteCompleted"


class SageMakerProjects(Resource):
    """CreateProject, DescribeProject, UpdateProject, DeleteProject, ListProjects."""

    def __init__(self, *, settings: Settings, records: Records, tags: Tags, call: Call) -> None:
        self._settings, self._records, self._call, self._tags = settings, records, call, tags
        self._projects = ResourceRecords(
            PROJECT, settings=settings, records=records, tags=tags,
            missing=lambda name, _: ValidationError(f"Project {name} does not exist."),
            taken=lambda name, _: ValidationError(f"Project with name {name} already exists."),
        )  # fmt: skip
        # Looked up now, since requests may begin others before `resume` is called.
        self._unsent = [body for body in records.list(PROJECT.kind) if not own_project(body).get("_sent", True)]

    def resume(self) -> None:
        """Sends to CloudFormation what a stop kept from it."""
        for body in self._unsent:
            with log_failure(log, "project %s", body["ProjectName"]):
                stack = self._stack(body)
                if stack and not StackStatus(stack["StackStatus"]).is_final:  # the stop came right behind the call
                    self._write(body, _sent=True, _id=stack["StackId"])
                else:
                    self._send(body)
        self._unsent = []

    def reset(self) -> None:
        """Forgets what a stop kept from CloudFormation."""
        self._unsent = []

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
            "LastModifiedTime": now(), "CreatedBy": user_context(self._settings),
            **ProjectRecord(_stack=f"SP-{identity}", _verb="Create", _sent=False, _id=""),
            **pick(request, "ProjectDescription"),
        }  # fmt: skip
        if (old := self._projects.find(name)) is not None:
            self._refresh(old)
        with self._records.transaction():
            old = self._projects.find(name)
            if old is not None and old["ProjectStatus"] == _DELETED:
                self._projects.delete(name)
            self._projects.insert(body, tags)
        self._send(body)
        return {"ProjectArn": arn, "ProjectId": identity}

    @operation("UpdateProject")
    def update(self, request: Request) -> Response:
        """Changes the description, adds tags, and deploys another template or other parameters."""
        if request.get("ServiceCatalogProvisioningUpdateDetails"):
            raise _catalog_refusal()
        body = self._refresh(self._projects.require(request["ProjectName"]))
        self._refuse_state(body, "Update")
        self._tags.put(body["ProjectArn"], request.get("Tags"))
        body = self._write(body, **pick(request, "ProjectDescription"))
        for row in request.get("TemplateProvidersToUpdate", []):
            self._begin(body, "Update", row["CfnTemplateProvider"])
        return {"ProjectArn": body["ProjectArn"]}

    @operation("DescribeProject")
    def describe(self, request: Request) -> Response:
        """A project with the state of its stack."""
        return public(self._refresh(self._projects.require(request["ProjectName"])))

    @operation("DeleteProject")
    def delete(self, request: Request) -> Response:
        """Begins to delete the project's stack; the project is described until its name is used again."""
        body = self._refresh(self._projects.require(request["ProjectName"]))
        self._begin(body, "Delete")
        return {}

    @operation("ListProjects")
    def list_projects(self, request: Request) -> Response:
        """Oldest first unless requested otherwise; not those that were deleted."""
        chosen, token = self._projects.page(request, direction="Ascending")
        members = ("ProjectName", "ProjectDescription", "ProjectArn", "ProjectId", "CreationTime", "ProjectStatus")
        rows = [pick(self._refresh(body), *members) for body in chosen]
        return {"ProjectSummaryList": [row for row in rows if row["ProjectStatus"] != _DELETED], **token}

    def _begin(self, body: Body, verb: str, provider: Mapping[str, Any] | None = None) -> None:
        """Writes down what is to be done, with these changes of the template's provider, and does it."""

        def change(current: Body) -> Body:
            self._refuse_state(current, verb)
            before = current["TemplateProviderDetails"][0]["CfnTemplateProviderDetail"]
            details = [{"CfnTemplateProviderDetail": {**before, **(provider or {})}}]
            return {**current, "TemplateProviderDetails": details, "ProjectStatus": f"{verb}InProgress",
                    "LastModifiedTime": now(), **ProjectRecord(_verb=verb, _sent=False, _message="")}  # fmt: skip

        begun = self._projects.update(body["ProjectName"], change)
        if begun is not None:
            self._send(begun)

    def _send(self, body: Body) -> None:
        """Makes the call that a project's record says; a failure of it is the project's, as on AWS, where it is made
        later."""
        operation_name, request = self._stack_request(body)
        try:
            response = self._call(operation_name, request)
        except ServiceError as error:
            if changes_nothing(error):
                self._write(body, ProjectStatus="UpdateCompleted", _sent=True)
            else:
                self._write(
                    body, ProjectStatus=f"{own_project(body)['_verb']}Failed", _message=error.message, _sent=True
                )
            return
        self._write(body, _sent=True, _id=response.get("StackId") or own_project(body)["_id"])

    def _stack_request(self, body: Body) -> tuple[str, Request]:
        """The operation of CloudFormation that a project waits for, and its request."""
        provider = body["TemplateProviderDetails"][0]["CfnTemplateProviderDetail"]
        role: Request = {"RoleARN": provider["RoleARN"]} if provider.get("RoleARN") else {}
        if own_project(body)["_verb"] == "Delete":
            return "cloudformation:DeleteStack", {
                "StackName": own_project(body)["_id"] or own_project(body)["_stack"],
                **role,
            }
        own = {"SageMakerProjectName": body["ProjectName"], "SageMakerProjectId": body["ProjectId"]}
        values = {row["Key"]: row.get("Value", "") for row in provider.get("Parameters", [])} | own
        marks = {"sagemaker:project-name": body["ProjectName"], "sagemaker:project-id": body["ProjectId"]}
        labels = {row["Key"]: row["Value"] for row in self._tags.of(body["ProjectArn"])} | marks
        request: Request = {
            "StackName": own_project(body)["_stack"], "TemplateURL": provider["TemplateURL"],
            "Capabilities": _CAPABILITIES,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
            "Tags": [{"Key": key, "Value": value} for key, value in labels.items()],
            "ClientRequestToken": _token(body), **role,
        }  # fmt: skip
        return f"cloudformation:{own_project(body)['_verb']}Stack", request

    def _refresh(self, body: Body) -> Body:
        """The project as its stack is now; as it is recorded while its stack does not know yet, or when it changes."""
        if not own_project(body).get("_sent", True):
            return body
        stack = self._stack(body)
        provider = body["TemplateProviderDetails"][0]["CfnTemplateProviderDetail"]
        message = (
            own_project(body).get("_message")
            or (stack or {}).get("StackStatusReason")
            or (stack or {}).get("StackStatus")
        )
        detail = {"Name": own_project(body)["_stack"], "StatusMessage": message or "No stack"}
        if stack:
            detail["Id"] = stack["StackId"]
        changed: dict[str, Any] = {
            "TemplateProviderDetails": [{"CfnTemplateProviderDetail": {**provider, "StackDetail": detail}}]
        }
        if body["ProjectStatus"].endswith("InProgress"):
            state = stack["StackStatus"] if stack else StackStatus.DELETE_COMPLETE
            if StackStatus(state).is_final:
                good = state == _GOOD[own_project(body)["_verb"]]
                changed["ProjectStatus"] = own_project(body)["_verb"] + ("Completed" if good else "Failed")
        if all(body.get(name) == value for name, value in changed.items()):
            return body
        changed["LastModifiedTime"] = now()
        name = body["ProjectName"]
        return self._projects.update(name, lambda current: {**current, **changed} if current == body else None) or body

    def _stack(self, body: Body) -> dict[str, Any] | None:
        try:
            request = {"StackName": own_project(body).get("_id") or own_project(body)["_stack"]}
            return dict(self._call("cloudformation:DescribeStacks", request)["Stacks"][0])
        except ServiceError as error:
            if is_missing(error):
                return None
            raise

    def _write(self, body: Body, **members: Any) -> Body:
        changed = {**members, "LastModifiedTime": now()}
        return self._projects.update(body["ProjectName"], lambda current: {**current, **changed}) or {**body, **changed}

    @staticmethod
    def _refuse_state(body: Body, verb: str) -> None:
        """Raises ValidationError where a project is busy, or deleted."""
        status = body["ProjectStatus"]
        if status.endswith("InProgress") or status == _DELETED:
            raise ValidationError(f"Cannot {verb.lower()} Project in {status} status")


def _provider(request: Request) -> dict[str, Any]:
    """The template of a new project. Raises ValidationError where there is none."""
    if request.get("ServiceCatalogProvisioningDetails"):
        raise _catalog_refusal()
    providers = request.get("TemplateProviders") or []
    provider = providers[0].get("CfnTemplateProvider") if providers else None
    if not provider:
        raise ValidationError("Either TemplateProviders or ServiceCatalogProvisioningDetails must be specified.")
    return dict(provider)


def _catalog_refusal() -> ValidationError:
    text = "LocalUnsupported: Service Catalog's products are not supported; give a template in S3 by TemplateProviders."
    return ValidationError(text)


def _token(body: Body) -> str:
    """That of a project's call, which is another for each update and the same after a restart."""
    moment = f"-{int(body['LastModifiedTime'] * 1000)}" if own_project(body)["_verb"] == "Update" else ""
    return f"{body['ProjectId']}-{own_project(body)['_verb']}{moment}"
