"""Stacks: created, updated, deleted, rolled back (contracts: delivery 2.3)."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.records.delivery_members import StackRecord, own_stack
from local_sagemaker.records.delivery_status import StackStatus
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.cloudformation.requests import Requests
from local_sagemaker.services.cloudformation.stack_operations import StackOperations
from local_sagemaker.services.cloudformation.stack_policies import policies_of_update, read_from
from local_sagemaker.services.cloudformation.stack_runs import StackRuns
from local_sagemaker.services.cloudformation.stack_store import StackStore

_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
UPDATABLE = (
    StackStatus.CREATE_COMPLETE, StackStatus.UPDATE_COMPLETE, StackStatus.UPDATE_ROLLBACK_COMPLETE,
    StackStatus.UPDATE_FAILED, StackStatus.CREATE_FAILED,
)  # fmt: skip
NOTHING = "No updates are to be performed."
NOT_DONE = {"ResourceTypes", "DeploymentConfig"}
"""Members that would change what happens, and are not executed here."""


def refuse_unsupported(request: Request) -> None:
    """Refuses members that would be accepted and not done."""
    for name in sorted(NOT_DONE & request.keys()):
        raise TemplateError(f"LocalUnsupported: {name} is not executed by the local service")


class Stacks(Resource):
    """CreateStack, UpdateStack, DeleteStack, RollbackStack, ContinueUpdateRollback, CancelUpdateStack, DescribeStacks,
    ListStacks, UpdateTerminationProtection."""

    def __init__(self, *, store: StackStore, requests: Requests, runs: StackRuns, operations: StackOperations) -> None:
        self._store, self._requests, self._runs, self._operations = store, requests, runs, operations

    def resume(self) -> None:
        """Continues with the stacks that were being worked on."""
        self._runs.resume()

    def reset(self) -> None:
        """Ends the work on all stacks."""
        self._runs.reset()

    def close(self) -> None:
        """Ends the work on all stacks; it is resumed at the next start."""
        self._runs.close()

    @operation("CreateStack")
    def create(self, request: Request) -> Response:
        """Makes a stack and begins to make its resources."""
        refuse_unsupported(request)
        name = request["StackName"]
        if not _NAME.fullmatch(name):
            raise TemplateError(
                f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must "
                "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            )
        if "OnFailure" in request and "DisableRollback" in request:
            raise TemplateError("You can specify either DisableRollback or OnFailure, but not both")
        if earlier := self._operations.earlier("CreateStack", request, name):
            return earlier
        stack = {"StackId": self._store.new_id(name), "StackName": name}
        wanted, _ = self._requests.members_from(request, stack)
        keep = request.get("DisableRollback", False) or request.get("OnFailure") == "DO_NOTHING"
        body = {
            **stack, **wanted, "CreationTime": now(), "StackStatus": StackStatus.CREATE_IN_PROGRESS,
            "DisableRollback": keep,
            "EnableTerminationProtection": request.get("EnableTerminationProtection", False),
            **StackRecord(
                _on_failure="DO_NOTHING" if keep else request.get("OnFailure", "ROLLBACK"),
                _token=request.get("ClientRequestToken"),
            ),
        }  # fmt: skip
        if (policy := read_from(self._requests, request)) is not None:
            own_stack(body)["_policy"] = policy

        def act() -> None:
            self._store.insert(body)
            self._store.enter(body["StackId"], StackStatus.CREATE_IN_PROGRESS, "User Initiated")

        return self._operations.begin("CreateStack", request, body, act)

    @operation("UpdateStack")
    def update(self, request: Request) -> Response:
        """Begins to make the stack what the request says."""
        refuse_unsupported(request)
        stack = self._store.require(request["StackName"], "Stack [{}] does not exist")
        if earlier := self._operations.earlier("UpdateStack", request, stack["StackName"]):
            return earlier
        wanted, _ = self._requests.members_from(request, stack)
        policies = policies_of_update(self._requests, request)

        def act() -> None:
            self.enter_update(stack, wanted, request)
            self._store.update(stack["StackId"], lambda body: body.update({**policies}))

        return self._operations.begin("UpdateStack", request, stack, act)

    def enter_update(self, stack: Body, wanted: Body, request: Request) -> None:
        """Records an update to the wanted members. Raises when nothing would change, or the stack is not in a state for
        it."""
        stack = self._store.require(stack["StackId"])  # as it is now: another update may have begun
        if stack["StackStatus"] not in UPDATABLE:
            status = stack["StackStatus"]
            raise TemplateError(f"Stack:{stack['StackId']} is in {status} state and can not be updated.")
        if same(stack, wanted):
            raise TemplateError(NOTHING)
        before = {name: stack.get(name) for name in wanted}
        self._store.enter(
            stack["StackId"], StackStatus.UPDATE_IN_PROGRESS, "User Initiated", _next=wanted, _before_body=before,
            _before=self._store.resources(stack["StackId"]), LastUpdatedTime=now(),
            DisableRollback=request.get("DisableRollback", False), _token=request.get("ClientRequestToken"),
            _policy_during=None, _policy_next=None, _cancelling=None,
        )  # fmt: skip

    @operation("DeleteStack")
    def delete(self, request: Request) -> Response:
        """Begins to delete a stack. An unknown or deleted one is no error."""
        stack = self._store.find(request["StackName"])
        if stack is None or stack["StackStatus"] == StackStatus.DELETE_COMPLETE:
            return {}
        if self._operations.earlier("DeleteStack", request, stack["StackName"]):
            return {}
        self._requests.check_role(request)
        self._operations.begin("DeleteStack", request, stack, partial(self._enter_deletion, stack, request))
        self._runs.break_off(stack["StackId"])  # its creation, if that is under way
        return {}

    def _enter_deletion(self, stack: Body, request: Request) -> None:
        """Records that the stack is to be deleted; nothing where it is being deleted already."""
        stack = self._store.require(stack["StackId"])  # as it is now
        status, retained = StackStatus(stack["StackStatus"]), request.get("RetainResources", [])
        if stack.get("EnableTerminationProtection"):
            raise TemplateError(
                f"Stack [{stack['StackName']}] cannot be deleted while TerminationProtection is enabled"
            )
        if retained and status is not StackStatus.DELETE_FAILED:
            raise TemplateError(
                "Invalid operation on stack: specify which resources to retain only when the stack is in the "
                "DELETE_FAILED state."
            )
        if status in (StackStatus.DELETE_IN_PROGRESS, StackStatus.DELETE_COMPLETE):
            return
        if not (status.is_final or status is StackStatus.CREATE_IN_PROGRESS):
            raise TemplateError(f"Stack [{stack['StackId']}] cannot be deleted while in status {status}")
        self._enter(stack, StackStatus.DELETE_IN_PROGRESS, request, _retained=retained)

    def _enter(self, stack: Body, status: StackStatus, request: Request, **members: Any) -> None:
        token = request.get("ClientRequestToken")
        self._store.enter(stack["StackId"], status, "User Initiated", _token=token, **members)

    @operation("CancelUpdateStack")
    def cancel_update(self, request: Request) -> Response:
        """Takes an update back that is under way."""
        stack = self._store.require(request["StackName"], "Stack [{}] does not exist")
        if self._operations.earlier("CancelUpdateStack", request, stack["StackName"]):
            return {}
        identity, token = stack["StackId"], request.get("ClientRequestToken")
        self._operations.begin("CancelUpdateStack", request, stack, lambda: self._runs.cancel_update(identity, token))
        return {}

    @operation("ContinueUpdateRollback")
    def continue_rollback(self, request: Request) -> Response:
        """Tries a failed rollback of an update again; `ResourcesToSkip` are taken as they are."""
        stack = self._store.require(request["StackName"], "Stack [{}] does not exist")

        def act() -> None:
            if (status := self._status(stack)) is not StackStatus.UPDATE_ROLLBACK_FAILED:
                raise TemplateError(f"Stack:{stack['StackId']} is in {status} state and can not continue rollback.")
            skip = request.get("ResourcesToSkip", [])
            self._enter(stack, StackStatus.UPDATE_ROLLBACK_IN_PROGRESS, request, _skip=skip)

        self._operations.begin("ContinueUpdateRollback", request, stack, act)
        return {}

    def _status(self, stack: Body) -> StackStatus:
        """A stack's status as it is now: another request may have come in the meantime."""
        return StackStatus(self._store.require(stack["StackId"])["StackStatus"])

    @operation("RollbackStack")
    def roll_back(self, request: Request) -> Response:
        """Rolls a failed stack back to the last state that worked."""
        stack = self._store.require(request["StackName"], "Stack [{}] does not exist")
        states = {
            StackStatus.CREATE_FAILED: StackStatus.ROLLBACK_IN_PROGRESS,
            StackStatus.UPDATE_FAILED: StackStatus.UPDATE_ROLLBACK_IN_PROGRESS,
        }

        def act() -> None:
            if (status := self._status(stack)) not in states:
                raise TemplateError(f"Stack:{stack['StackId']} is in {status} state and can not be rolled back.")
            self._enter(stack, states[status], request)

        return self._operations.begin("RollbackStack", request, stack, act)

    @operation("UpdateTerminationProtection", atomic=True)
    def protect(self, request: Request) -> Response:
        """Switches the protection against deletion."""
        stack = self._store.require(request["StackName"], "Stack [{}] does not exist")
        value = request["EnableTerminationProtection"]
        self._store.update(stack["StackId"], lambda body: body.update({"EnableTerminationProtection": value}))
        return {"StackId": stack["StackId"]}

    @operation("DescribeStacks")
    def describe(self, request: Request) -> Response:
        """One stack by name or id, or all live ones."""
        if "StackName" in request:
            return {"Stacks": [describe_stack(self._store.require(request["StackName"]))]}
        return {
            "Stacks": [
                describe_stack(body)
                for body in self._store.stacks()
                if body["StackStatus"] != StackStatus.DELETE_COMPLETE
            ]
        }

    @operation("ListStacks")
    def list(self, request: Request) -> Response:
        """Summaries of all stacks, those deleted included."""
        wanted = request.get("StackStatusFilter")
        bodies = [body for body in self._store.stacks() if not wanted or body["StackStatus"] in wanted]
        return {"StackSummaries": [_summary(body) for body in bodies]}


def same(stack: Body, wanted: Body) -> bool:
    """Whether an update would change nothing: template, values and tags are the same."""
    return all(stack.get(name) == wanted[name] for name in ("_template", "_values", "Tags") if name in wanted)


_ABSENT = ("Outputs", "Parameters")
"""Members that a stack without any does not have, as seen on AWS."""


def describe_stack(body: Body) -> dict[str, Any]:
    """A stack as DescribeStacks has it."""
    described = {name: value for name, value in public(body).items() if value not in (None, "")}
    described = {name: value for name, value in described.items() if name not in _ABSENT or value}
    described.setdefault("Tags", [])
    described["DriftInformation"] = {"StackDriftStatus": "NOT_CHECKED"}
    return described


def _summary(body: Body) -> dict[str, Any]:
    members = (
        "StackId",
        "StackName",
        "CreationTime",
        "LastUpdatedTime",
        "DeletionTime",
        "StackStatus",
        "StackStatusReason",
    )
    summary = {name: body[name] for name in members if body.get(name)}
    if body.get("Description"):
        summary["TemplateDescription"] = body["Description"]
    return {**summary, "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"}}
