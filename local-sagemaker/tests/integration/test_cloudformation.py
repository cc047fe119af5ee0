"""CloudFormation through unmodified boto3 and the AWS CLI: stacks of real resources, against a real service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.stack_operations import (
    GROUP,
    TRUST,
    create,
    events,
    parameters,
    physical,
    refused,
    settled,
    stack,
    topic,
    topics,
    update,
)
from tests.support import Service, until

TEMPLATE: dict[str, Any] = {
    "Parameters": {"Name": {"Type": "String"}, "Keep": {"Type": "Number", "Default": 3}},
    "Resources": {
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": {"Fn::Sub": "${Name}-${AWS::AccountId}"},
                "VersioningConfiguration": {"Status": "Enabled"},
            },
        },
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Name"}}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": {"Ref": "Keep"}}},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": TRUST,
                "Policies": [
                    {
                        "PolicyName": "publish",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": {"Ref": "Topic"}}],
                        },
                    }
                ],
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {"source": ["aws.sagemaker"]},
                "Targets": [{"Id": "topic", "Arn": {"Ref": "Topic"}}],
            },
        },
        "Group": {
            **GROUP,
            "Properties": {
                "ModelPackageGroupName": {"Ref": "Name"},
                "ModelPackageGroupDescription": {"Fn::Join": [" ", ["versions in", {"Ref": "Bucket"}]]},
            },
        },
    },
    "Outputs": {"Topic": {"Value": {"Ref": "Topic"}, "Export": {"Name": {"Fn::Sub": "${Name}-topic"}}}},
}


@pytest.fixture(scope="module")
def stacks(service: Service) -> Any:
    return service.client("cloudformation")


def test_a_stack_from_its_creation_to_its_deletion(service: Service, stacks: Any) -> None:
    """DEL-9, DEL-11: resources as their own services show them, and the events in AWS's order."""
    made = create(stacks, "whole", TEMPLATE, Parameters=parameters(Name="whole"), Tags=[{"Key": "team", "Value": "a"}])
    assert made["StackStatus"] == "CREATE_COMPLETE", events(stacks, "whole")
    assert (made["StackStatus"], made["Tags"]) == ("CREATE_COMPLETE", [{"Key": "team", "Value": "a"}])
    ids = physical(stacks, "whole")
    assert made["Outputs"] == [{"OutputKey": "Topic", "OutputValue": ids["Topic"], "ExportName": "whole-topic"}]
    s3, iam, sagemaker = service.client("s3"), service.client("iam"), service.client("sagemaker")
    assert s3.get_bucket_versioning(Bucket="whole-123456789012")["Status"] == "Enabled"
    policy = iam.get_role_policy(RoleName=ids["Role"], PolicyName="publish")["PolicyDocument"]
    assert policy["Statement"][0]["Resource"] == ids["Topic"]
    assert ids["Role"].startswith("whole-Role-")
    group = sagemaker.describe_model_package_group(ModelPackageGroupName="whole")
    assert group["ModelPackageGroupDescription"] == "versions in whole-123456789012"
    tags = sagemaker.list_tags(ResourceArn=group["ModelPackageGroupArn"])["Tags"]
    assert {"Key": "team", "Value": "a"} in tags
    assert {"Key": "aws:cloudformation:stack-name", "Value": "whole"} in tags
    targets = service.client("events").list_targets_by_rule(Rule=ids["Rule"])["Targets"]
    assert targets == [{"Id": "topic", "Arn": ids["Topic"]}]
    found = events(stacks, "whole")
    assert found[0] == ("whole", "CREATE_IN_PROGRESS", "User Initiated")
    assert found[-1] == ("whole", "CREATE_COMPLETE", "")
    of_topic = [status for logical, status, _ in found if logical == "Topic"]
    assert of_topic == ["CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert found.index(("Role", "CREATE_IN_PROGRESS", "")) > found.index(("Topic", "CREATE_COMPLETE", ""))

    stacks.delete_stack(StackName="whole")
    identity = made["StackId"]
    assert settled(stacks, identity)["StackStatus"] == "DELETE_COMPLETE"
    assert refused(stacks.describe_stacks, StackName="whole") == "Stack with id whole does not exist"
    assert "whole" in refused(sagemaker.describe_model_package_group, ModelPackageGroupName="whole")
    assert refused(s3.head_bucket, Bucket="whole-123456789012") == "Not Found"
    assert stacks.list_exports()["Exports"] == []


def test_an_update_changes_replaces_adds_and_removes(service: Service, stacks: Any) -> None:
    """DEL-9, DEL-11, DEL-14: in place, replaced (the old one goes in the clean-up), added, removed; then nothing."""
    create(stacks, "up", topics("up-a", "up-b"))
    before = physical(stacks, "up")
    changed = topics("up-a", "up-c", G={**GROUP, "Properties": {"ModelPackageGroupName": "up-g"}})
    changed["Resources"]["T0"]["Properties"]["DisplayName"] = "A"
    assert update(stacks, "up", changed)["StackStatus"] == "UPDATE_COMPLETE"
    after = physical(stacks, "up")
    assert after["T0"] == before["T0"]
    assert after["T1"] != before["T1"]
    sns = service.client("sns")
    assert sns.get_topic_attributes(TopicArn=after["T0"])["Attributes"]["DisplayName"] == "A"
    assert before["T1"] not in [row["TopicArn"] for row in sns.list_topics()["Topics"]]
    rows = [row for row in events(stacks, "up") if row[0] == "T1"][3:]
    assert [status for _, status, _ in rows] == [
        "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_COMPLETE",
    ]  # fmt: skip
    assert rows[0][2] == ("Requested update requires the creation of a new physical resource; hence creating one.")
    assert update(stacks, "up", topics("up-a"))["StackStatus"] == "UPDATE_COMPLETE"
    assert list(physical(stacks, "up")) == ["T0"]
    same = {"StackName": "up", "TemplateBody": json.dumps(topics("up-a"))}
    assert refused(stacks.update_stack, **same) == "No updates are to be performed."


def test_what_is_retained_and_what_cannot_be_deleted(service: Service, stacks: Any) -> None:
    s3 = service.client("s3")
    template = topics(
        "stay-topic",
        Stays={"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "stays-here"}},
        Full={"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "full-here"}},
    )
    create(stacks, "stay", template)
    s3.put_object(Bucket="full-here", Key="x", Body=b"x")
    stacks.delete_stack(StackName="stay")
    failed = settled(stacks, "stay")
    assert failed["StackStatus"] == "DELETE_FAILED"
    assert failed["StackStatusReason"] == "The following resource(s) failed to delete: [Full]. "
    assert list(physical(stacks, "stay")) == ["Full"]
    assert ("Stays", "DELETE_SKIPPED", "") in events(stacks, "stay")
    stacks.delete_stack(StackName="stay", RetainResources=["Full"])
    assert settled(stacks, failed["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    for bucket in ("stays-here", "full-here"):
        s3.head_bucket(Bucket=bucket)


def test_a_stack_uses_what_another_exports(stacks: Any) -> None:
    """DEL-17: an export in use can't be deleted or changed; one that is not there can't be imported."""
    exporter = topics("exported")
    exporter["Outputs"] = {"O": {"Value": {"Ref": "T0"}, "Export": {"Name": "the-topic"}}}
    create(stacks, "exporter", exporter)
    importer = topics("imports")
    importer["Resources"]["T0"]["Properties"]["DisplayName"] = {"Fn::ImportValue": "the-topic"}
    assert create(stacks, "importer", importer)["StackStatus"] == "CREATE_COMPLETE"
    assert stacks.list_imports(ExportName="the-topic")["Imports"] == ["importer"]
    for outputs, verb in (({"O": {**exporter["Outputs"]["O"], "Value": "other"}}, "updated"), ({}, "deleted")):
        assert update(stacks, "exporter", {**exporter, "Outputs": outputs})["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        reason = f"Export the-topic cannot be {verb} as it is in use by importer"
        assert ("exporter", "UPDATE_ROLLBACK_IN_PROGRESS", reason) in events(stacks, "exporter")
    arn = physical(stacks, "exporter")["T0"]
    assert [(row["Name"], row["Value"]) for row in stacks.list_exports()["Exports"]] == [("the-topic", arn)]
    stacks.delete_stack(StackName="exporter")
    text = "Export the-topic cannot be deleted as it is in use by importer"
    assert settled(stacks, "exporter")["StackStatusReason"] == text
    importer["Resources"]["T0"]["Properties"]["DisplayName"] = {"Fn::ImportValue": "nothing"}
    failed = create(stacks, "importer-2", importer)
    assert failed["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any("No export named nothing found" in reason for _, _, reason in events(stacks, "importer-2"))


def test_change_sets(stacks: Any) -> None:
    """DEL-14, DEL-15: what a change set says of replacement is what its execution does; no change, no set."""
    request = {"StackName": "reviewed", "ChangeSetName": "one", "TemplateBody": json.dumps(topics("rev-a", "rev-b"))}
    stacks.create_change_set(**request, ChangeSetType="CREATE")
    assert stack(stacks, "reviewed")["StackStatus"] == "REVIEW_IN_PROGRESS"
    stacks.get_waiter("change_set_create_complete").wait(StackName="reviewed", ChangeSetName="one")
    described = stacks.describe_change_set(StackName="reviewed", ChangeSetName="one")
    assert [change["ResourceChange"]["Action"] for change in described["Changes"]] == ["Add", "Add"]
    stacks.execute_change_set(StackName="reviewed", ChangeSetName="one")
    assert settled(stacks, "reviewed")["StackStatus"] == "CREATE_COMPLETE"
    changed = topics("rev-a", G=GROUP)
    changed["Resources"]["T0"]["Properties"] = {"TopicName": "rev-z"}
    changed["Resources"]["G"] = {**GROUP, "Properties": {"ModelPackageGroupName": "rev-g"}}
    body = json.dumps(changed)
    stacks.create_change_set(StackName="reviewed", ChangeSetName="two", TemplateBody=body)
    described = stacks.describe_change_set(StackName="reviewed", ChangeSetName="two")
    rows = {row["ResourceChange"]["LogicalResourceId"]: row["ResourceChange"] for row in described["Changes"]}
    actions = {logical: (row["Action"], row.get("Replacement")) for logical, row in rows.items()}
    assert actions == {"T0": ("Modify", "True"), "G": ("Add", None), "T1": ("Remove", None)}
    assert rows["T0"]["Details"][0]["Target"] == {
        "Attribute": "Properties", "Name": "TopicName", "RequiresRecreation": "Always",
    }  # fmt: skip
    stacks.execute_change_set(StackName="reviewed", ChangeSetName="two")
    assert settled(stacks, "reviewed")["StackStatus"] == "UPDATE_COMPLETE"
    stacks.create_change_set(StackName="reviewed", ChangeSetName="three", TemplateBody=body)
    described = stacks.describe_change_set(StackName="reviewed", ChangeSetName="three")
    assert (described["Status"], described["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert described["StatusReason"] == (
        "The submitted information didn't contain changes. Submit different information to create a change set."
    )


def test_requests_that_are_refused(service: Service, stacks: Any) -> None:
    """DEL-10, DEL-18: in AWS's words, or by type and property where AWS would go on; nothing was made before."""
    body = json.dumps(TEMPLATE)
    given = parameters(Name="refused")
    create_stack = stacks.create_stack
    assert refused(create_stack, StackName="refused") == "Either Template URL or Template Body must be specified."
    assert refused(create_stack, StackName="refused", TemplateBody=body, Capabilities=["CAPABILITY_IAM"]) == (
        "Parameters: [Name] must have values"
    )
    assert refused(create_stack, StackName="refused", TemplateBody=body, Parameters=given) == (
        "Requires capabilities : [CAPABILITY_IAM]"
    )
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"ReplicationConfiguration": {"Role": "r", "Rules": []}}}
    unexecuted = json.dumps({"Resources": {"T": topic("never-made"), "B": bucket}})
    request = {"StackName": "refused", "TemplateBody": unexecuted}
    text = "LocalUnsupported: AWS::S3::Bucket.ReplicationConfiguration is not executed by the local service"
    assert refused(create_stack, **request) == f"{text} (Resources/B)"
    change = {"ChangeSetName": "c", "ChangeSetType": "CREATE"}
    assert refused(stacks.create_change_set, **request, **change) == f"{text} (Resources/B)"
    assert refused(stacks.describe_stacks, StackName="refused") == "Stack with id refused does not exist"
    taken = create(stacks, "taken", topics("taken-topic"))
    assert not {"Outputs", "Parameters"} & taken.keys()
    for call, more in ((stacks.update_stack, {}), (stacks.create_change_set, {"ChangeSetName": "c"})):
        assert refused(call, StackName="taken", TemplateBody=body, UsePreviousTemplate=True, **more) == (
            "You cannot specify both usePreviousTemplate and Template Body/Template URL."
        )
    both = [{**given[0], "UsePreviousValue": True}]
    assert refused(stacks.update_stack, StackName="taken", TemplateBody=body, Parameters=both) == (
        "Invalid input for parameter key Name. Cannot specify usePreviousValue as true and non empty value for a "
        "parameter"
    )
    text = refused(create_stack, StackName="taken", TemplateBody=json.dumps(topics("y")))
    assert text == "Stack [taken] already exists"
    stacks.update_termination_protection(StackName="taken", EnableTerminationProtection=True)
    assert refused(stacks.delete_stack, StackName="taken") == (
        "Stack [taken] cannot be deleted while TerminationProtection is enabled"
    )
    trust = {**TRUST, "Statement": [{**TRUST["Statement"][0], "Principal": {"Service": "lambda.amazonaws.com"}}]}
    role = service.client("iam").create_role(RoleName="of-no-stack", AssumeRolePolicyDocument=json.dumps(trust))
    arn = role["Role"]["Arn"]
    request = {"StackName": "refused", "TemplateBody": json.dumps(topics("y"))}
    assert refused(create_stack, **request, RoleARN=arn) == f"Role {arn} is invalid or cannot be assumed"
    stacks.delete_stack(StackName="never-was")
    assert refused(stacks.validate_template, TemplateBody="Resources: [").startswith("Template format error: YAML")
    assert refused(stacks.update_stack, StackName="gone", TemplateBody=json.dumps(topics("y"))) == (
        "Stack [gone] does not exist"
    )
    assert refused(stacks.describe_change_set, StackName="taken", ChangeSetName="c") == "ChangeSet [c] does not exist"
    assert refused(stacks.describe_stack_resource, StackName="taken", LogicalResourceId="X") == (
        "Resource X does not exist for stack taken"
    )
    assert refused(stacks.describe_stack_events, StackName="gone") == "Stack [gone] does not exist"


def test_the_aws_cli_deploys(service: Service, stacks: Any, tmp_path: Path) -> None:
    """DEL-14: the unmodified CLI makes, leaves and changes a stack."""
    file = tmp_path / "template.json"
    file.write_text(json.dumps(TEMPLATE))
    command = ["aws", "cloudformation", "deploy", "--stack-name", "by-cli", "--template-file", str(file),
               "--capabilities", "CAPABILITY_IAM", "--parameter-overrides"]  # fmt: skip
    done = service.run(*command, "Name=by-cli")
    assert "Successfully created/updated stack - by-cli" in done.stdout
    again = service.run(*command, "Name=by-cli", "--no-fail-on-empty-changeset")
    assert "No changes to deploy. Stack by-cli is up to date" in again.stdout
    failed = service.run(*command, "Name=by-cli", check=False)
    assert failed.returncode and "No changes to deploy. Stack by-cli is up to date" in failed.stderr  # version 1's way
    service.run(*command, "Keep=7")
    shown = {row["ParameterKey"]: row["ParameterValue"] for row in stack(stacks, "by-cli")["Parameters"]}
    assert shown == {"Name": "by-cli", "Keep": "7"}


def test_events_are_published_to_the_stacks_topics(service: Service) -> None:
    stacks, sqs, topics = (service.client(name) for name in ("cloudformation", "sqs", "sns"))
    url = sqs.create_queue(QueueName="events-of-stacks")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = topics.create_topic(Name="events-of-stacks")["TopicArn"]
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    request = {"StackName": "notifies", "TemplateBody": json.dumps(template)}
    triggers = {"RollbackTriggers": [{"Arn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a", "Type": "Alarm"}]}
    with pytest.raises(ClientError, match="RollbackTriggers"):
        stacks.create_stack(**request, RollbackConfiguration=triggers)
    stacks.create_stack(**request, NotificationARNs=[topic, f"{topic}-absent"])
    texts: list[str] = []

    def received() -> bool:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            texts.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return any("LogicalResourceId='notifies'\n" in text and "'CREATE_COMPLETE'" in text for text in texts)

    until(received, "the stack's last event", seconds=120)
    events = stacks.describe_stack_events(StackName="notifies")["StackEvents"]
    assert len(texts) == len(events)
    assert {event["EventId"] for event in events} == {text.split("EventId='")[1].split("'")[0] for text in texts}
    stacks.delete_stack(StackName="notifies")
