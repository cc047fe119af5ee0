"""CloudFormation actions: stacks made, changed, replaced, deleted, and change sets."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from local_sagemaker.api.operations import Call, Request
from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import load
from local_sagemaker.records.delivery_status import ChangeSetStatus, StackStatus
from local_sagemaker.services.codepipeline.actions.action import ActionArtifacts, ActionResult, ActionWork
from local_sagemaker.services.codepipeline.errors import ActionFailure
from local_sagemaker.services.stack_errors import NO_CHANGE, changes_nothing, is_missing

REPLACED = (
    StackStatus.ROLLBACK_COMPLETE,
    StackStatus.ROLLBACK_FAILED,
    StackStatus.CREATE_FAILED,
    StackStatus.DELETE_FAILED,
    StackStatus.UPDATE_ROLLBACK_FAILED,
)
"""The states in which REPLACE_ON_FAILURE deletes a stack and makes it anew."""
_LARGEST_BODY = 51_200
Stack = dict[str, Any]


class StackAction:
    """One action on a stack. It can be repeated: what is done already makes no difference."""

    def __init__(self, call: Call, artifacts: ActionArtifacts) -> None:
        self._call, self._artifacts = call, artifacts

    def __call__(self, work: ActionWork) -> ActionResult:
        """Does what ActionMode says."""
        mode, name = work.configuration["ActionMode"], work.configuration["StackName"]
        self._settle(work, name)
        match mode:
            case "DELETE_ONLY":
                self._delete(work, name)
                return ActionResult(summary="Stack is deleted.")
            case "CHANGE_SET_REPLACE":
                return self._replace_change_set(work, name)
            case "CHANGE_SET_EXECUTE":
                return self._execute_change_set(work, name)
        stack = self._find(name)
        if stack and mode == "REPLACE_ON_FAILURE" and stack["StackStatus"] in REPLACED:
            self._delete(work, name)
            stack = None
        return self._deploy(work, name, stack)

    def _deploy(self, work: ActionWork, name: str, stack: Stack | None) -> ActionResult:
        request = self._request(work)
        if policy := self._file(work).get("StackPolicy"):
            request["StackPolicyBody"] = json.dumps(policy)
        new = stack is None or stack["StackStatus"] == StackStatus.REVIEW_IN_PROGRESS
        try:
            self._call("cloudformation:CreateStack" if new else "cloudformation:UpdateStack", request)
        except ServiceError as error:
            if not changes_nothing(error):
                raise ActionFailure(error.message, "ConfigurationError") from error
        work.note(_external(self._find(name)))
        return self._outcome(work, self._settle(work, name), (StackStatus.CREATE_COMPLETE, StackStatus.UPDATE_COMPLETE))

    def _outcome(self, work: ActionWork, stack: Stack | None, good: tuple[str, ...]) -> ActionResult:
        status = stack["StackStatus"] if stack else StackStatus.DELETE_COMPLETE
        if status not in good:
            reason = self._reason(stack)
            raise ActionFailure(f"Stack {work.configuration['StackName']} is in status {status}. {reason}", "JobFailed")
        outputs = {row["OutputKey"]: row["OutputValue"] for row in (stack or {}).get("Outputs", [])}
        artifacts = {}
        if work.outputs:
            place = work.place(work.outputs[0])
            data = io.BytesIO()
            with zipfile.ZipFile(data, "w") as archive:
                archive.writestr(
                    work.configuration.get("OutputFileName", "CreateStackOutput.json"), json.dumps(outputs)
                )
            self._artifacts.put(place, data.getvalue())
            artifacts[work.outputs[0]] = place
        return ActionResult(external=_external(stack), artifacts=artifacts, variables=outputs)

    def _reason(self, stack: Stack | None) -> str:
        if stack is None:
            return ""
        rows = self._call("cloudformation:DescribeStackEvents", {"StackName": stack["StackId"]})["StackEvents"]
        texts = []
        for row in rows:
            if row.get("ResourceStatusReason") == "User Initiated":
                break
            if row["ResourceStatus"].endswith("_FAILED") and row.get("ResourceStatusReason"):
                texts.append(f"{row['LogicalResourceId']}: {row['ResourceStatusReason']}")
        return " ".join(reversed(texts))

    def _find(self, name: str) -> Stack | None:
        try:
            return dict(self._call("cloudformation:DescribeStacks", {"StackName": name})["Stacks"][0])
        except ServiceError as error:
            if is_missing(error):
                return None
            raise

    def _settle(self, work: ActionWork, name: str) -> Stack | None:
        """The stack when nothing is being done with it."""
        while True:
            stack = self._find(name)
            if stack is None or StackStatus(stack["StackStatus"]).is_final:
                return stack
            work.pause()

    def _delete(self, work: ActionWork, name: str) -> None:
        stack = self._find(name)
        if stack is None:
            return
        identity = stack["StackId"]
        request: Request = {"StackName": name}
        if work.configuration.get("RoleArn"):
            request["RoleARN"] = work.configuration["RoleArn"]
        self._call("cloudformation:DeleteStack", request)
        stack = self._settle(work, identity)
        if stack and stack["StackStatus"] != StackStatus.DELETE_COMPLETE:
            status = stack["StackStatus"]
            raise ActionFailure(f"Stack {name} is in status {status}. {self._reason(stack)}", "JobFailed")

    def _request(self, work: ActionWork) -> Request:
        """What CreateStack, UpdateStack and CreateChangeSet have in common."""
        settings = work.configuration
        template = self._artifacts.file(work, settings["TemplatePath"])
        file = self._file(work)
        values = {**file.get("Parameters", {}), **self._overrides(work)}
        request: Request = {
            "StackName": settings["StackName"],
            "Parameters": [{"ParameterKey": key, "ParameterValue": _text(value)} for key, value in values.items()],
            "Capabilities": [word.strip() for word in settings.get("Capabilities", "").split(",") if word.strip()],
            "Tags": [{"Key": key, "Value": _text(value)} for key, value in file.get("Tags", {}).items()],
        }  # fmt: skip
        if len(template) > _LARGEST_BODY:
            place = work.place("template")
            self._artifacts.put(place, template)
            request["TemplateURL"] = f"https://s3.amazonaws.com/{place['bucket']}/{place['key']}"
        else:
            request["TemplateBody"] = template.decode("utf-8", "replace")
        if settings.get("RoleArn"):
            request["RoleARN"] = settings["RoleArn"]
        return request

    def _file(self, work: ActionWork) -> dict[str, Any]:
        path = work.configuration.get("TemplateConfiguration")
        if not path:
            return {}
        try:
            document = load(self._artifacts.file(work, path))
        except ValueError as error:
            raise ActionFailure(f"{path} is not JSON: {error}", "ConfigurationError") from error
        if not isinstance(document, dict) or not all(isinstance(part, dict) for part in document.values()):
            raise ActionFailure(f"{path} must hold a JSON object of objects.", "ConfigurationError")
        unknown = set(document) - {"Parameters", "Tags", "StackPolicy"}
        if unknown:
            raise ActionFailure(f"{path} has unknown members: {', '.join(sorted(unknown))}", "ConfigurationError")
        return dict(document)

    def _overrides(self, work: ActionWork) -> dict[str, Any]:
        text = work.configuration.get("ParameterOverrides", "{}")
        try:
            values = load(text)
            return {name: self._value(work, value) for name, value in values.items()}
        except (ValueError, AttributeError, TypeError, LookupError) as error:
            raise ActionFailure(f"ParameterOverrides is no JSON object: {text}", "ConfigurationError") from error

    def _value(self, work: ActionWork, value: Any) -> Any:
        """A parameter's value: ``Fn::GetParam`` reads an artifact's file, ``Fn::GetArtifactAtt`` its place."""
        if not isinstance(value, dict):
            return value
        (function, arguments), *_ = value.items()
        if function == "Fn::GetParam" and len(arguments) == 3:
            artifact, file, key = arguments
            if artifact not in work.inputs:
                raise ActionFailure(f"{artifact} is no input artifact of the action.", "ConfigurationError")
            document = load(self._artifacts.member(work, artifact, file))
            if not isinstance(document, dict) or key not in document:
                raise ActionFailure(f"The key {key} is not in {file} of {artifact}.", "ConfigurationError")
            return document[key]
        if function == "Fn::GetArtifactAtt" and arguments[0] in work.inputs:
            bucket, key = work.inputs[arguments[0]]
            url = f"https://s3.amazonaws.com/{bucket}/{key}"
            return {"BucketName": bucket, "ObjectKey": key, "URL": url}.get(arguments[1], "")
        raise ActionFailure(f"ParameterOverrides can't have {function}.", "ConfigurationError")

    def _replace_change_set(self, work: ActionWork, name: str) -> ActionResult:
        change_set = work.configuration["ChangeSetName"]
        stack = self._find(name)
        new = stack is None or stack["StackStatus"] == StackStatus.REVIEW_IN_PROGRESS
        if stack is not None:
            self._call("cloudformation:DeleteChangeSet", {"StackName": name, "ChangeSetName": change_set})
        kind = "CREATE" if new else "UPDATE"
        request = {**self._request(work), "ChangeSetName": change_set, "ChangeSetType": kind}
        if self._file(work).get("StackPolicy"):  # CreateChangeSet has none
            text = "LocalUnsupported: StackPolicy in the configuration of a change set is not executed."
            raise ActionFailure(text, "ConfigurationError")
        self._call("cloudformation:CreateChangeSet", request)
        description = self._change_set(work, name, change_set)
        reason = description.get("StatusReason", "")
        if description["Status"] != ChangeSetStatus.CREATE_COMPLETE and not any(text in reason for text in NO_CHANGE):
            raise ActionFailure(f"Change set {change_set} is in status {description['Status']}. {reason}", "JobFailed")
        summary = (
            "Change set created."
            if description["Status"] == ChangeSetStatus.CREATE_COMPLETE
            else "There are no changes."
        )
        work.note(_external(self._find(name)))
        return ActionResult(external={"externalExecutionId": description["ChangeSetId"]}, summary=summary)

    def _change_set(self, work: ActionWork, name: str, change_set: str) -> dict[str, Any]:
        while True:
            request = {"StackName": name, "ChangeSetName": change_set}
            description = dict(self._call("cloudformation:DescribeChangeSet", request))
            if not description["Status"].endswith(("_PENDING", "_IN_PROGRESS")):
                return description
            work.pause()

    def _execute_change_set(self, work: ActionWork, name: str) -> ActionResult:
        change_set = work.configuration["ChangeSetName"]
        good = (StackStatus.CREATE_COMPLETE, StackStatus.UPDATE_COMPLETE)
        if work.external.get("externalExecutionSummary") == "executing":  # a restart came between
            return self._outcome(work, self._settle(work, name), good)
        description = self._change_set(work, name, change_set)
        if any(text in description.get("StatusReason", "") for text in NO_CHANGE):
            return self._outcome(work, self._find(name), good)
        self._call("cloudformation:ExecuteChangeSet", {"StackName": name, "ChangeSetName": change_set})
        work.note({**_external(self._find(name)), "externalExecutionSummary": "executing"})
        return self._outcome(work, self._settle(work, name), good)


def _external(stack: Stack | None) -> dict[str, str]:
    return {"externalExecutionId": stack["StackId"]} if stack else {}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
