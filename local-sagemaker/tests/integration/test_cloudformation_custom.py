"""Custom resources of functions: requests, answers, ids and replacement, failures (user guide, "crpg-ref")."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.stack_operations import events, settled
from tests.support import ROLE, Service

STACK = "custom"
CODE = """\
import json, boto3, cfnresponse

def handler(event, context):
    boto3.client("ssm").put_parameter(
        Name=f"/custom/{event['LogicalResourceId']}/{event['RequestId']}", Value=json.dumps(event), Type="String")
    wish = event["ResourceProperties"]
    if event["RequestType"] == wish.get("Silent"):
        return
    data = {"Word": wish.get("Word", ""), "Number": 3, "Flag": True, "List": ["a", "b"]}
    if event["RequestType"] == wish.get("Fails"):
        return cfnresponse.send(event, context, cfnresponse.FAILED, {}, "id-of-failure", reason=f"no {wish['Word']}")
    cfnresponse.send(event, context, cfnresponse.SUCCESS, data, f"id-{wish['Word']}", noEcho=True)
"""


def template(extra: dict[str, Any] | None = None, **wish: Any) -> str:
    """A function, a custom resource of each name, and outputs with what the function answered."""
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Handler": "index.handler",
            "Runtime": "python3.12",
            "Role": ROLE,
            "Timeout": 60,
            "Code": {"ZipFile": CODE},
        },
    }
    made = {"Type": "Custom::Word-1", "Properties": {"ServiceToken": {"Fn::GetAtt": "Function.Arn"}, **wish}}
    outputs = {"Id": {"Value": {"Ref": "Made"}}} | {
        name: {"Value": {"Fn::GetAtt": f"Made.{name}"}} for name in ("Word", "Number", "Flag")
    }
    outputs["Second"] = {"Value": {"Fn::Select": [1, {"Fn::GetAtt": "Made.List"}]}}
    return json.dumps({"Resources": {"Function": function, "Made": made, **(extra or {})}, "Outputs": outputs})


def asked(service: Service, logical: str = "Made") -> list[dict[str, Any]]:
    """The requests to the function, the oldest first."""
    pages = service.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=f"/custom/{logical}")
    rows = [row for page in pages for row in page["Parameters"]]
    return [json.loads(row["Value"]) for row in sorted(rows, key=lambda row: row["LastModifiedDate"])]


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {row["OutputKey"]: row["OutputValue"] for row in stack["Outputs"]}


def reasons(stacks: Any, status: str, name: str = STACK, logical: str = "Made") -> list[str]:
    return [reason for one, state, reason in events(stacks, name) if (one, state) == (logical, status)]


def test_a_custom_resource_is_made_changed_replaced_and_deleted(service: Service) -> None:
    stacks = service.client("cloudformation")
    wish: dict[str, Any] = {"Word": "one", "Count": 7, "Deep": {"On": True, "Row": [1, "x"]}}
    stacks.create_stack(StackName=STACK, TemplateBody=template(**wish))
    made = settled(stacks, STACK)
    assert made["StackStatus"] == "CREATE_COMPLETE", events(stacks, STACK)
    assert outputs(made) == {"Id": "id-one", "Word": "one", "Number": "3", "Flag": "true", "Second": "b"}
    (first,) = asked(service)
    assert first["RequestType"] == "Create" and "PhysicalResourceId" not in first
    assert (first["ResourceType"], first["LogicalResourceId"], first["StackId"]) == (
        "Custom::Word-1",
        "Made",
        made["StackId"],
    )
    properties = first["ResourceProperties"]
    assert properties.pop("ServiceToken") == first["ServiceToken"]
    assert properties == {"Word": "one", "Count": "7", "Deep": {"On": "true", "Row": ["1", "x"]}}

    stacks.update_stack(StackName=STACK, TemplateBody=template(Word="one", Count=8))
    assert outputs(settled(stacks, STACK))["Id"] == "id-one"
    second = asked(service)[1]
    assert (second["RequestType"], second["PhysicalResourceId"]) == ("Update", "id-one")
    assert second["OldResourceProperties"]["Count"] == "7" and second["ResourceProperties"]["Count"] == "8"

    stacks.update_stack(StackName=STACK, TemplateBody=template(Word="two"))  # another id in the answer
    assert outputs(settled(stacks, STACK))["Id"] == "id-two"
    assert [row["RequestType"] for row in asked(service)] == ["Create", "Update", "Update", "Delete"]
    assert asked(service)[3]["PhysicalResourceId"] == "id-one"
    assert "Requested update required the provider to create a new physical resource" in reasons(
        stacks, "UPDATE_IN_PROGRESS"
    )

    stacks.update_stack(StackName=STACK, TemplateBody=template(Word="three", Fails="Update"))
    assert settled(stacks, STACK)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    (reason,) = reasons(stacks, "UPDATE_FAILED")
    failed = asked(service)[4]["RequestId"]
    text = "Received response status [FAILED] from custom resource. Message returned: no three"
    assert reason == f"{text} (RequestId: {failed})"
    stacks.delete_stack(StackName=STACK)
    settled(stacks, made["StackId"])
    last = asked(service)[-1]
    assert (last["RequestType"], last["PhysicalResourceId"]) == ("Delete", "id-two")


def test_a_creation_that_fails_is_rolled_back_by_the_id_in_the_answer(service: Service) -> None:
    stacks, name = service.client("cloudformation"), "custom-failed"
    body = json.loads(template(Word="w", Fails="Create"))
    body["Resources"]["Failed"] = body["Resources"].pop("Made")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": body["Resources"]}))
    assert settled(stacks, name)["StackStatus"] == "ROLLBACK_COMPLETE", events(stacks, name)
    (said,) = reasons(stacks, "CREATE_FAILED", name, "Failed")
    assert "Received response status [FAILED] from custom resource. Message returned: no w" in said
    rows = asked(service, "Failed")
    assert [row["RequestType"] for row in rows] == ["Create", "Delete"]
    assert rows[1]["PhysicalResourceId"] == "id-of-failure"


def test_what_is_wrong_is_said(service: Service) -> None:
    stacks = service.client("cloudformation")
    with pytest.raises(stacks.exceptions.ClientError, match=r"The property \{/ServiceToken\} is required"):
        stacks.create_stack(StackName="no-token", TemplateBody='{"Resources": {"A": {"Type": "Custom::A"}}}')
    with pytest.raises(stacks.exceptions.ClientError, match="Custom::A:B"):
        stacks.create_stack(StackName="no-type", TemplateBody='{"Resources": {"A": {"Type": "Custom::A:B"}}}')
    body = json.loads(template(Word="w"))
    body["Outputs"] = {"None": {"Value": {"Fn::GetAtt": "Made.Nothing"}}}
    stacks.create_stack(StackName="no-data", TemplateBody=json.dumps(body))
    assert settled(stacks, "no-data")["StackStatus"] == "ROLLBACK_COMPLETE"
    said = json.dumps(events(stacks, "no-data"), default=str)
    assert "Vendor response doesn't contain Nothing key in object arn:aws:cloudformation:" in said
