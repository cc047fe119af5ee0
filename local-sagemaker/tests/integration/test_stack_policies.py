"""What may be done to a stack's resources, and updates that are taken back (contracts: delivery 2.3)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.integration.stack_operations import TRUST, create, events, physical, refused, settled, stack, topics, update
from tests.support import Service, until

ALLOW = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
KEEP = {"Effect": "Deny", "Action": ["Update:Replace", "Update:Delete"], "Principal": "*",
        "Resource": "LogicalResourceId/T0"}  # fmt: skip
DENIED = (
    "Action denied by stack policy: Statement [#2] does not allow [Update:Replace, Update:Delete] for resource "
    "[LogicalResourceId/T0];"
)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Statement": list(statements)})


@pytest.fixture(scope="module")
def stacks(service: Service) -> Any:
    return service.client("cloudformation")


def of(stacks: Any, name: str) -> str | None:
    found = stacks.get_stack_policy(StackName=name).get("StackPolicyBody")
    return str(found) if found else None


def test_a_policy_keeps_resources_from_updates(service: Service, stacks: Any) -> None:
    """It may be changed in place, neither replaced nor removed; a policy of one update is in force during that one."""
    name = "policed"
    create(stacks, name, topics("policed-a", "policed-b"), StackPolicyBody=policy(ALLOW, KEEP))
    before = physical(stacks, name)
    changed = topics("policed-a", "policed-b")
    changed["Resources"]["T0"]["Properties"]["DisplayName"] = "A"
    assert update(stacks, name, changed)["StackStatus"] == "UPDATE_COMPLETE"
    for template in (topics("policed-z", "policed-y"), {"Resources": {"T1": changed["Resources"]["T1"]}}):
        done = update(stacks, name, template)
        assert done["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        rows = [row for row in events(stacks, name) if row[0] == "T0"][-2:]
        assert rows == [("T0", "UPDATE_FAILED", DENIED), ("T0", "UPDATE_COMPLETE", "")]
        assert (name, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [T0]. ") in events(
            stacks, name
        )
        assert physical(stacks, name) == before
    done = update(stacks, name, topics("policed-z"), StackPolicyDuringUpdateBody=policy(ALLOW))
    assert done["StackStatus"] == "UPDATE_COMPLETE", events(stacks, name)
    assert of(stacks, name) == policy(ALLOW, KEEP)
    kept = policy({**ALLOW, "Resource": "LogicalResourceId/T1"})
    assert update(stacks, name, topics("policed-z", "new"), StackPolicyBody=kept)["StackStatus"] == "UPDATE_COMPLETE"
    assert of(stacks, name) == kept


def test_policies_that_are_none(service: Service, stacks: Any) -> None:
    create(stacks, "unpoliced", topics("unpoliced"))
    assert of(stacks, "unpoliced") is None
    for wrong in ("x", policy({**ALLOW, "Principal": "me"}), policy({**ALLOW, "Action": "Delete:*"}), "[]"):
        said = refused(stacks.set_stack_policy, StackName="unpoliced", StackPolicyBody=wrong)
        assert said == "Error validating stack policy: Invalid stack policy"
    s3 = service.client("s3")
    s3.create_bucket(Bucket="policies-of-stacks")
    s3.put_object(Bucket="policies-of-stacks", Key="p.json", Body=policy(ALLOW).encode())
    url = {"StackPolicyURL": "https://policies-of-stacks.s3.us-east-1.amazonaws.com/p.json"}
    said = refused(stacks.set_stack_policy, StackName="unpoliced", StackPolicyBody="{}", **url)
    assert said == "You cannot specify both StackPolicyURL and StackPolicyBody"
    stacks.set_stack_policy(StackName="unpoliced", **url)
    assert of(stacks, "unpoliced") == policy(ALLOW)


def test_an_update_is_taken_back(stacks: Any) -> None:
    """What it had made goes, what it had changed is set back; a stack that is at rest has nothing to take back."""
    name = "taken-back"
    create(stacks, name, topics("back-0"))
    text = "CancelUpdateStack cannot be called from current stack status"
    assert refused(stacks.cancel_update_stack, StackName=name) == text
    long = topics(*(f"back-{number}" for number in range(150)))
    long["Resources"]["T0"]["Properties"]["DisplayName"] = "changed"
    for number in range(1, 150):
        long["Resources"][f"T{number}"]["DependsOn"] = f"T{number - 1}"
    stacks.update_stack(StackName=name, TemplateBody=json.dumps(long))
    until(lambda: ("T3", "CREATE_COMPLETE", "") in events(stacks, name), "some of the update is made")
    stacks.cancel_update_stack(StackName=name, ClientRequestToken="enough")
    assert settled(stacks, name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert list(physical(stacks, name)) == ["T0"]
    assert (name, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated") in events(stacks, name)
    assert not [row for row in events(stacks, name) if row[0] == "T149"]
    assert update(stacks, name, topics("back-0", "back-1"))["StackStatus"] == "UPDATE_COMPLETE"


def test_a_stack_is_deleted_while_it_is_made(stacks: Any) -> None:
    """Nothing new is begun, and what was made goes; a stack whose update is under way is not deleted."""
    name, long = "unwanted", topics(*(f"unwanted-{number}" for number in range(150)))
    for number in range(1, 150):
        long["Resources"][f"T{number}"]["DependsOn"] = f"T{number - 1}"
    identity = stacks.create_stack(StackName=name, TemplateBody=json.dumps(long))["StackId"]
    until(lambda: ("T3", "CREATE_COMPLETE", "") in events(stacks, name), "some of the stack is made")
    stacks.delete_stack(StackName=name)
    assert settled(stacks, identity)["StackStatus"] == "DELETE_COMPLETE"
    rows = events(stacks, identity)
    assert (name, "DELETE_IN_PROGRESS", "User Initiated") in rows and ("T3", "DELETE_COMPLETE", "") in rows
    assert not [row for row in rows if row[0] == "T149" or "ROLLBACK" in row[1]]
    create(stacks, name, topics("unwanted-0"))
    stacks.update_stack(StackName=name, TemplateBody=json.dumps(long))
    text = refused(stacks.delete_stack, StackName=name)
    assert re.fullmatch(
        r"Stack \[arn:.*:stack/unwanted/.*\] cannot be deleted while in status UPDATE_IN_PROGRESS", text
    )
    stacks.cancel_update_stack(StackName=name)
    assert settled(stacks, name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


def test_a_resource_that_failed_half_way_is_set_back(service: Service, stacks: Any) -> None:
    """DEL-12: of its changes some were made before one was refused."""
    iam, name = service.client("iam"), "half-way"

    def template(description: str, policy: str) -> dict[str, Any]:
        role = {"AssumeRolePolicyDocument": TRUST, "Description": description, "ManagedPolicyArns": [policy]}
        return {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}}}

    there = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    create(stacks, name, template("first", there))
    role = physical(stacks, name)["Role"]
    done = update(stacks, name, template("second", "arn:aws:iam::123456789012:policy/absent"))
    assert done["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", events(stacks, name)
    assert iam.get_role(RoleName=role)["Role"]["Description"] == "first"
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == [there]
    rows = stacks.list_stack_resources(StackName=name)["StackResourceSummaries"]
    assert [row["ResourceStatus"] for row in rows] == ["UPDATE_COMPLETE"]
    assert stack(stacks, name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
