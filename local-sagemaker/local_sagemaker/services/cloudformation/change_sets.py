"""Change sets: what an update would do, described before it is done."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.arns import Arns
from local_sagemaker.clock import now
from local_sagemaker.cloudformation import dependencies, intrinsics
from local_sagemaker.cloudformation.comparison import Change, change, changes
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.template import ResourceDeclaration, references
from local_sagemaker.records import Records
from local_sagemaker.records.delivery_members import (
    ChangeSetRecord,
    StackRecord,
    StackResourceRecord,
    own_change_set,
    own_resource,
    own_stack,
)
from local_sagemaker.records.delivery_status import ChangeSetExecutionStatus, ChangeSetStatus, StackStatus
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.cloudformation.requests import Requests
from local_sagemaker.services.cloudformation.scopes import Scopes
from local_sagemaker.services.cloudformation.stack_operations import StackOperations
from local_sagemaker.services.cloudformation.stack_store import StackStore, key_of
from local_sagemaker.services.cloudformation.stacks import Stacks, refuse_unsupported, same
from local_sagemaker.services.request_tokens import RequestTokens, TokenRules

KIND = "change-set"
LATER = "{{changeSet:KNOWN_AFTER_APPLY}}"
EMPTY = "The submitted information didn't contain changes. Submit different information to create a change set."


def _already_exists(_member: str, _operation: str, request: Request) -> TemplateError:
    name, stack = request["ChangeSetName"], key_of(request["StackName"]).partition("/")[0]
    text = f"ChangeSet {name} already exists for stack {stack}"
    return TemplateError(text, code="AlreadyExistsException", status=400)


def _no_stack(name: str) -> TemplateError:
    return TemplateError(f"Stack [{name}] does not exist")


class ChangeSets(Resource):
    """CreateChangeSet, DescribeChangeSet, ExecuteChangeSet, DeleteChangeSet, ListChangeSets."""

    def __init__(
        self, *, records: Records, arns: Arns, store: StackStore, scopes: Scopes, requests: Requests, stacks: Stacks,
        operations: StackOperations,
    ) -> None:  # fmt: skip
        self._records, self._arns, self._store, self._scopes = records, arns, store, scopes
        self._requests, self._stacks, self._operations = requests, stacks, operations
        self._tokens = RequestTokens(records, TokenRules("ClientToken", mismatch=_already_exists))

    @operation("CreateChangeSet")
    def create(self, request: Request) -> Response:
        """Compares the request with the stack. A set of type CREATE makes a stack that waits to be reviewed."""
        refuse_unsupported(request)
        name, kind = request["ChangeSetName"], request.get("ChangeSetType", "UPDATE")
        if kind == "IMPORT" or request.get("ResourcesToImport"):
            raise TemplateError("LocalUnsupported: import of resources is not executed by the local service")
        stack = self._stack(request, kind)
        key = f"{key_of(stack['StackId'])}/{name}"
        if self._records.get(KIND, key) is not None:
            if earlier := self._tokens.earlier("CreateChangeSet", request, scope=key):
                return earlier
            raise _already_exists("ClientToken", "CreateChangeSet", request)
        wanted, _ = self._requests.members_from(request, stack)
        if not own_stack(stack).get("_stored"):
            stack = self._insert(stack)
        changes = self._changes(stack, wanted)
        failed = kind == "UPDATE" and same(stack, wanted)
        body = {
            "ChangeSetName": name,
            "ChangeSetId": self._arns.of("cloudformation", f"changeSet/{name}/{uuid.uuid4()}"),
            "StackId": stack["StackId"], "StackName": stack["StackName"], "Description": request.get("Description"),
            "Parameters": wanted["Parameters"], "CreationTime": now(), "Tags": request.get("Tags", []),
            "Capabilities": request.get("Capabilities", []), "NotificationARNs": request.get("NotificationARNs", []),
            "Changes": changes, "Status": ChangeSetStatus.FAILED if failed else ChangeSetStatus.CREATE_COMPLETE,
            "ExecutionStatus": ChangeSetExecutionStatus.UNAVAILABLE if failed else ChangeSetExecutionStatus.AVAILABLE,
            "StatusReason": EMPTY if failed else None,
            "IncludeNestedStacks": False, **ChangeSetRecord(_wanted=wanted, _kind=kind),
            "OnStackFailure": request.get("OnStackFailure"),
        }  # fmt: skip

        def act() -> Response:
            self._look_again(key, stack, request, kind)
            self._records.put(KIND, key, body)
            return {"Id": body["ChangeSetId"], "StackId": stack["StackId"]}

        def exists(response: Response) -> bool:
            return (self._records.get(KIND, key) or {}).get("ChangeSetId") == response["Id"]

        return self._tokens.once("CreateChangeSet", request, act, scope=key, exists=exists)[0]

    def _look_again(self, key: str, stack: Body, request: Request, kind: str) -> None:
        """Raises when there is such a set by now, or the stack was deleted."""
        if self._records.get(KIND, key) is not None:
            raise _already_exists("ClientToken", "CreateChangeSet", request)
        if self._stack(request, kind)["StackId"] != stack["StackId"]:
            raise _no_stack(request["StackName"])

    def _stack(self, request: Request, kind: str) -> Body:
        name = request["StackName"]
        stack = self._store.find(name)
        if kind == "CREATE":
            if stack is not None and stack["StackStatus"] != StackStatus.REVIEW_IN_PROGRESS:
                raise TemplateError(f"Stack [{name}] already exists and cannot be created again with the changeSet "
                                    f"[{request['ChangeSetName']}].")  # fmt: skip
            stored = {**stack, **StackRecord(_stored=True)} if stack else None
            return stored or {"StackId": self._store.new_id(name), "StackName": name}
        if stack is None or stack["StackStatus"] in (StackStatus.REVIEW_IN_PROGRESS, StackStatus.DELETE_COMPLETE):
            raise _no_stack(name)
        return {**stack, **StackRecord(_stored=True)}

    def _insert(self, stack: Body) -> Body:
        body = {**stack, "CreationTime": now(), "StackStatus": StackStatus.REVIEW_IN_PROGRESS, "DisableRollback": False}
        self._store.insert(body)
        self._store.enter(body["StackId"], StackStatus.REVIEW_IN_PROGRESS, "User Initiated")
        return body

    def _changes(self, stack: Body, wanted: Body) -> list[dict[str, Any]]:
        scope = self._scopes.scope({**stack, **wanted})
        existing = self._store.resources(stack["StackId"])
        settled: dict[str, bool] = {}

        def reference(logical: str) -> str:
            return str(own_resource(existing[logical])["_reference"]) if settled.get(logical) else LATER

        def attribute(logical: str, name: str) -> Any:
            return own_resource(existing[logical])["_attributes"].get(name, LATER) if settled.get(logical) else LATER

        scope = replace(scope, reference=reference, attribute=attribute)
        graph = dependencies.graph(scope)
        rows, left = [], dict(graph)
        while left:
            for logical in [name for name, needs in left.items() if not needs & left.keys()]:
                del left[logical]
                declared = scope.template.resources[logical]
                evaluated = intrinsics.evaluate(declared.properties, scope)
                after = self._scopes.with_tags(declared.type, evaluated, {**stack, **wanted}, logical)
                before = existing.get(logical)
                if before and "_properties" in before:
                    written = self._scopes.dynamic.as_written(own_resource(before)["_properties"], after)
                    before = {**before, **StackResourceRecord(_properties=written)}
                row = _row(declared, before, after)
                settled[logical] = row is None or row.get("Replacement") == "False"
                rows += [row] if row else []
        removed = [body for logical, body in reversed(existing.items()) if logical not in graph]
        rows += [_removal(body) for body in removed]
        return [{"Type": "Resource", "ResourceChange": row} for row in rows]

    @operation("DescribeChangeSet")
    def describe(self, request: Request) -> Response:
        """A change set with its changes."""
        body = self._require(request)
        described = {name: value for name, value in public(body).items() if value not in (None, "")}
        if not request.get("IncludePropertyValues"):
            for row in described["Changes"]:
                for member in ("BeforeContext", "AfterContext"):
                    row["ResourceChange"].pop(member, None)
        return described

    def _require(self, request: Request) -> Body:
        name = request["ChangeSetName"]
        if name.startswith("arn:"):
            for body in self._records.list(KIND):
                if body["ChangeSetId"] == name:
                    return body
        elif request.get("StackName"):
            stack = self._store.require(request["StackName"], "Stack [{}] does not exist")
            change_set = self._records.get(KIND, f"{key_of(stack['StackId'])}/{name}")
            if change_set is not None:
                return change_set
        else:
            raise TemplateError("StackName must be specified if ChangeSetName is not specified as an ARN.")
        raise TemplateError(f"ChangeSet [{name}] does not exist", code="ChangeSetNotFound", status=404)

    @operation("ExecuteChangeSet")
    def execute(self, request: Request) -> Response:
        """Does what the change set describes. All other sets of the stack are obsolete from then on."""
        stack = self._store.require(self._require(request)["StackId"])
        self._operations.begin("ExecuteChangeSet", request, stack, lambda: self._enter(stack, request))
        return {}

    def _enter(self, stack: Body, request: Request) -> None:
        body = self._require(request)  # as it is now, and as the stack is now
        if body["ExecutionStatus"] != ChangeSetExecutionStatus.AVAILABLE:
            raise TemplateError(
                f"ChangeSet [{body['ChangeSetId']}] cannot be executed in its current execution status of "
                f"[{body['ExecutionStatus']}]", code="InvalidChangeSetStatus", status=400,
            )  # fmt: skip
        wanted = {**own_change_set(body)["_wanted"], "ChangeSetId": body["ChangeSetId"]}
        if own_change_set(body)["_kind"] == "CREATE":
            status = self._store.require(stack["StackId"])["StackStatus"]
            if status != StackStatus.REVIEW_IN_PROGRESS:
                raise TemplateError(f"Stack:{stack['StackId']} is in {status} state and can not be updated.")
            keep = request.get("DisableRollback", False) or body.get("OnStackFailure") == "DO_NOTHING"
            on_failure = "DO_NOTHING" if keep else body.get("OnStackFailure") or "ROLLBACK"
            self._store.enter(
                stack["StackId"], StackStatus.CREATE_IN_PROGRESS, "User Initiated", **wanted, _on_failure=on_failure,
                DisableRollback=keep, _token=request.get("ClientRequestToken"),
            )  # fmt: skip
        else:
            self._stacks.enter_update(stack, wanted, request)
        self._settle(stack, body)

    def _settle(self, stack: Body, executed: Body) -> None:
        for key, body in self._records.items(KIND, f"{key_of(stack['StackId'])}/"):
            status = (
                ChangeSetExecutionStatus.EXECUTE_COMPLETE
                if body["ChangeSetId"] == executed["ChangeSetId"]
                else ChangeSetExecutionStatus.OBSOLETE
            )
            self._records.put(KIND, key, {**body, "ExecutionStatus": status})

    @operation("DeleteChangeSet", atomic=True)
    def delete(self, request: Request) -> Response:
        """Deletes a change set; one that is not known is deleted already."""
        try:
            body = self._require(request)
        except TemplateError as error:
            if error.code == "ChangeSetNotFound":
                return {}
            raise
        self._records.delete(KIND, f"{key_of(body['StackId'])}/{body['ChangeSetName']}")
        return {}

    @operation("ListChangeSets")
    def list(self, request: Request) -> Response:
        """The change sets of a stack."""
        stack = self._store.require(request["StackName"], "Stack [{}] does not exist")
        members = ("StackId", "StackName", "ChangeSetId", "ChangeSetName", "ExecutionStatus", "Status", "StatusReason",
                   "CreationTime", "Description")  # fmt: skip
        bodies = self._records.list(KIND, f"{key_of(stack['StackId'])}/")
        return {"Summaries": [{name: body[name] for name in members if body.get(name)} for body in bodies]}


def _row(declared: ResourceDeclaration, before: Body | None, after: Body) -> dict[str, Any] | None:
    """A ResourceChange, or None where nothing changes."""
    row = {"LogicalResourceId": declared.logical, "ResourceType": declared.type.name}
    context = {"AfterContext": _context(after)}
    if before is None:
        return {"Action": "Add", **row, "Scope": [], "Details": [], **context}
    kind = change(declared.type, own_resource(before)["_properties"], after)
    if kind is Change.NONE:
        return None
    names = changes(own_resource(before)["_properties"], after)
    certain = any(name in declared.type.replaces and LATER not in str(after.get(name)) for name in names)
    replacement = "False" if kind is Change.UPDATE else "True" if certain else "Conditional"
    scopes = sorted({"Tags" if name == declared.type.tags else "Properties" for name in names})
    policy = {"PolicyAction": "ReplaceAndRetain" if declared.replace_policy == "Retain" else "ReplaceAndDelete"}
    return {
        "Action": "Modify", **row, "PhysicalResourceId": before.get("PhysicalResourceId"), "Replacement": replacement,
        "Scope": scopes, "Details": [_detail(declared, name, after) for name in names],
        **(policy if replacement != "False" else {}),
        "BeforeContext": _context(own_resource(before)["_properties"]), **context,
    }  # fmt: skip


def _detail(declared: ResourceDeclaration, name: str, after: Body) -> dict[str, Any]:
    whole = declared.type.tags == name
    target: dict[str, Any] = {"Attribute": "Tags" if whole else "Properties", "RequiresRecreation": "Never"}
    if not whole:
        target["Name"] = name
        perhaps = "Conditionally" if name in declared.type.may_replace else "Never"
        target["RequiresRecreation"] = "Always" if name in declared.type.replaces else perhaps
    names = list(references(declared.properties.get(name)))
    dynamic = LATER in str(after.get(name))
    source = "ResourceReference" if dynamic else "ParameterReference" if names else "DirectModification"
    detail = {"Target": target, "Evaluation": "Dynamic" if dynamic else "Static", "ChangeSource": source}
    return {**detail, "CausingEntity": names[0]} if names else detail


def _removal(body: Body) -> dict[str, Any]:
    keeps = own_resource(body)["_policies"][0] != "Delete"
    return {
        "Action": "Remove", "LogicalResourceId": body["LogicalResourceId"], "ResourceType": body["ResourceType"],
        "PhysicalResourceId": body.get("PhysicalResourceId"), "Scope": [], "Details": [],
        "PolicyAction": "Retain" if keeps else "Delete", "BeforeContext": _context(own_resource(body)["_properties"]),
    }  # fmt: skip


def _context(properties: Body) -> str:
    return json.dumps({"Properties": properties}, separators=(",", ":"))
