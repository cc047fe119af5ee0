"""Stacks whose operations fail or are interrupted, against a real service."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.integration.stack_operations import (
    ENDPOINT_CONFIG,
    GROUP,
    TRUST,
    create,
    events,
    physical,
    refused,
    settled,
    stack,
    topic,
    topics,
    update,
)
from tests.support import Service, until


@pytest.fixture(scope="module")
def stacks(service: Service) -> Any:
    return service.client("cloudformation")


def test_a_failed_creation_is_rolled_back(service: Service, stacks: Any) -> None:
    """DEL-11, DEL-12: rolled back with AWS's reasons, or kept where the request says so."""
    kept = {**topic("bad-kept"), "DeletionPolicy": "Retain"}
    gone = {**topic("bad-gone"), "DeletionPolicy": "RetainExceptOnCreate"}
    never = {**ENDPOINT_CONFIG, "DependsOn": ["T0", "Kept", "Gone"]}
    made = create(stacks, "bad", topics("bad-topic", Kept=kept, Gone=gone, Never=never))
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    assert made.get("StackStatusReason", "") == ""
    reasons = {(logical, status): reason for logical, status, reason in events(stacks, "bad")}
    assert reasons["bad", "ROLLBACK_IN_PROGRESS"] == (
        "The following resource(s) failed to create: [Never]. Rollback requested by user."
    )
    assert reasons["Never", "CREATE_FAILED"].startswith('Resource handler returned message: "')
    assert "no-such-model" in reasons["Never", "CREATE_FAILED"]
    for event in stacks.describe_stack_events(StackName="bad")["StackEvents"]:
        if event["LogicalResourceId"] != "bad":
            time = event["Timestamp"].isoformat(timespec="milliseconds").replace("+00:00", "Z")
            assert event["EventId"] == f"{event['LogicalResourceId']}-{event['ResourceStatus']}-{time}"
    left = str(service.client("sns").list_topics())
    assert [name in left for name in ("bad-topic", "bad-kept", "bad-gone")] == [False, True, False]
    assert "is in ROLLBACK_COMPLETE state and can not be updated." in refused(
        stacks.update_stack, StackName="bad", TemplateBody=json.dumps(topics("x"))
    )
    create(stacks, "kept", topics("kept-topic", Never=ENDPOINT_CONFIG), OnFailure="DO_NOTHING")
    assert stack(stacks, "kept")["StackStatus"] == "CREATE_FAILED"
    assert "kept-topic" in str(service.client("sns").list_topics())


def test_what_others_made_stays_theirs(service: Service, stacks: Any) -> None:
    """DEL-12: a creation that fails because a name is taken does not delete what has the name in its rollback."""
    sagemaker, sns = service.client("sagemaker"), service.client("sns")
    alarms, iam, rules = service.client("cloudwatch"), service.client("iam"), service.client("events")
    rules.put_rule(Name="theirs", ScheduleExpression="rate(7 days)")
    sagemaker.create_model_package_group(ModelPackageGroupName="theirs")
    arn = sns.create_topic(Name="theirs")["TopicArn"]
    alarms.put_metric_alarm(
        AlarmName="theirs", Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=7,
        ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=json.dumps(TRUST))
    alarm = {"AlarmName": "theirs", "Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60,
             "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}  # fmt: skip
    taken = {
        "Group": {**GROUP, "Properties": {"ModelPackageGroupName": "theirs"}},
        "Topic": topic("theirs"),
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {"Name": "theirs", "ScheduleExpression": "rate(1 day)"}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "theirs", "AssumeRolePolicyDocument": TRUST}},
    }
    for logical, resource in taken.items():
        made = create(
            stacks, f"takes-{logical}", {"Resources": {logical: resource}}, Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        assert made["StackStatus"] == "ROLLBACK_COMPLETE", logical
        reasons = [reason for name, status, reason in events(stacks, made["StackName"]) if status == "CREATE_FAILED"]
        assert "exist" in reasons[0], reasons
        stacks.delete_stack(StackName=made["StackName"])
        assert settled(stacks, made["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    sagemaker.describe_model_package_group(ModelPackageGroupName="theirs")
    sns.get_topic_attributes(TopicArn=arn)
    assert alarms.describe_alarms(AlarmNames=["theirs"])["MetricAlarms"][0]["Threshold"] == 7
    iam.get_role(RoleName="theirs")
    assert rules.describe_rule(Name="theirs")["ScheduleExpression"] == "rate(7 days)"


def test_a_resource_that_was_never_made_leaves_nothing_to_delete(stacks: Any) -> None:
    """DEL-12: a name that its service refuses fails the creation, not the rollback too."""
    name = "no/such name" * 20
    template = {"Resources": {"Group": {**GROUP, "Properties": {"ModelPackageGroupName": name}}}}
    assert create(stacks, "refused-name", template)["StackStatus"] == "ROLLBACK_COMPLETE"


def test_what_was_half_made_goes_with_the_rollback(service: Service, stacks: Any) -> None:
    """DEL-12: a resource that takes several calls, of which a later one is refused, can be made once it is mended."""
    half = {
        "AWS::SNS::Topic": {"TopicName": "half", "Subscription": [{"Protocol": "sqs", "Endpoint": "no ARN"}]},
        "AWS::Logs::LogGroup": {"LogGroupName": "/half", "RetentionInDays": 2},
        "AWS::IAM::Role": {"RoleName": "half", "AssumeRolePolicyDocument": TRUST,
                           "ManagedPolicyArns": ["arn:aws:iam::aws:policy/NameInUse-already"]},
    }  # fmt: skip
    whole = {
        "AWS::SNS::Topic": {"TopicName": "half"},
        "AWS::Logs::LogGroup": {"LogGroupName": "/half", "RetentionInDays": 3},
        "AWS::IAM::Role": {"RoleName": "half", "AssumeRolePolicyDocument": TRUST},
    }
    named = {"Capabilities": ["CAPABILITY_NAMED_IAM"]}
    for number, kind in enumerate(half):
        template = {"Resources": {"Half": {"Type": kind, "Properties": half[kind]}}}
        assert create(stacks, f"half-{number}", template, **named)["StackStatus"] == "ROLLBACK_COMPLETE"
        template["Resources"]["Half"]["Properties"] = whole[kind]
        assert create(stacks, f"whole-{number}", template, **named)["StackStatus"] == "CREATE_COMPLETE", kind


def test_a_provider_of_identities_outlives_an_update_that_is_refused(service: Service, stacks: Any) -> None:
    """DEL-12: IAM here has no operation for one client id: the provider is made anew, and the old one comes back."""
    iam = service.client("iam")
    provider = {"Type": "AWS::IAM::OIDCProvider",
                "Properties": {"Url": "https://half.example.com", "ClientIdList": ["one"]}}  # fmt: skip
    create(stacks, "provider", {"Resources": {"P": provider}})
    changed = {**provider, "Properties": {**provider["Properties"], "ClientIdList": ["one", "x" * 256]}}
    assert update(stacks, "provider", {"Resources": {"P": changed}})["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    arn = physical(stacks, "provider")["P"]
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"] == ["one"]


def test_a_failed_update_sets_everything_back(service: Service, stacks: Any) -> None:
    """DEL-12: what was updated, replaced and added is as it was before."""
    first = topics("back-a", "back-b")
    create(stacks, "back", first)
    before = physical(stacks, "back")
    changed = topics("back-a", "back-c", New={"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "back-new"}})
    changed["Resources"]["T0"]["Properties"]["DisplayName"] = "changed"
    changed["Resources"]["Never"] = {**ENDPOINT_CONFIG, "DependsOn": ["T0", "T1", "New"]}
    done = update(stacks, "back", changed)
    assert done["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert physical(stacks, "back") == before
    sns = service.client("sns")
    assert not sns.get_topic_attributes(TopicArn=before["T0"])["Attributes"].get("DisplayName")
    assert update(stacks, "back", changed)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE", "once more"
    assert physical(stacks, "back") == before
    arns = [row["TopicArn"] for row in sns.list_topics()["Topics"]]
    assert before["T1"] in arns
    assert not any(name in str(arns) for name in ("back-c", "back-new"))
    assert stacks.get_template(StackName="back")["TemplateBody"] == first


def test_a_failing_clean_up_does_not_fail_the_update(service: Service, stacks: Any) -> None:
    """DEL-13: what was replaced and can't be deleted leaves the stack, with its event."""
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "full-when-replaced"}}
    create(stacks, "clean", {"Resources": {"B": bucket}})
    service.client("s3").put_object(Bucket="full-when-replaced", Key="x", Body=b"x")
    changed = {"Resources": {"B": {**bucket, "Properties": {"BucketName": "its-successor"}}}}
    assert update(stacks, "clean", changed)["StackStatus"] == "UPDATE_COMPLETE"
    assert physical(stacks, "clean") == {"B": "its-successor"}
    assert ("B", "DELETE_FAILED") in [row[:2] for row in events(stacks, "clean")]
    service.client("s3").head_bucket(Bucket="full-when-replaced")


def test_a_failing_rollback_goes_on_without_the_resources_to_skip(service: Service, stacks: Any) -> None:
    """DEL-12: a repository was renamed and its name is taken, so that it can't get it back."""

    def repository(name: str, *after: str) -> dict[str, Any]:
        properties = {"RepositoryName": name}
        return {"Type": "AWS::CodeCommit::Repository", "Properties": properties, "DependsOn": list(after)}

    create(stacks, "stuck", {"Resources": {"R": repository("first-name")}})
    changed = {"R": repository("second-name"), "New": repository("first-name", "R")}
    template = {"Resources": {**changed, "Never": {**ENDPOINT_CONFIG, "DependsOn": "New"}}}
    assert update(stacks, "stuck", template)["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    assert "can not be updated" in refused(stacks.update_stack, StackName="stuck", TemplateBody=json.dumps(template))
    stacks.continue_update_rollback(StackName="stuck")
    assert settled(stacks, "stuck")["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    stacks.continue_update_rollback(StackName="stuck", ResourcesToSkip=["R"])
    assert settled(stacks, "stuck")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert list(physical(stacks, "stuck")) == ["R"]
    names = [row["repositoryName"] for row in service.client("codecommit").list_repositories()["repositories"]]
    assert "first-name" not in names


def test_a_repository_begins_with_the_files_of_an_archive(service: Service, stacks: Any) -> None:
    """With those that AWS takes. What it refuses leaves no repository; its texts are those of public reports."""
    s3, code = service.client("s3"), service.client("codecommit")
    s3.create_bucket(Bucket="seeds")

    def begin(name: str, archive: bytes) -> dict[str, Any]:
        s3.put_object(Bucket="seeds", Key=f"{name}.zip", Body=archive)
        seed = {"BranchName": "trunk", "S3": {"Bucket": "seeds", "Key": f"{name}.zip"}}
        properties = {"RepositoryName": name, "Code": seed}
        return create(
            stacks, name, {"Resources": {"R": {"Type": "AWS::CodeCommit::Repository", "Properties": properties}}}
        )

    files = {"a/b.txt": "text", "c.py": "#", "__init__.py": ""}
    more_than_a_client_s = {f"more/{number}": str(number) for number in range(101)}
    assert begin("seeded", archive_of({**files, **more_than_a_client_s}))["StackStatus"] == "CREATE_COMPLETE"
    last = code.get_file(repositoryName="seeded", filePath="more/100", commitSpecifier="trunk")
    assert last["fileContent"] == b"100"
    empty = code.get_file(repositoryName="seeded", filePath="__init__.py", commitSpecifier="trunk")
    assert empty["fileContent"] == b""
    found = code.get_file(repositoryName="seeded", filePath="a/b.txt", commitSpecifier="trunk")
    assert (found["fileContent"], found["fileMode"]) == (b"text", "NORMAL")
    for name, archive, text in (
        ("stream", archive_of(files, Unseekable()), "Code supplied is not a valid .zip archive"),
        ("no-archive", b"text", "Code supplied is not a valid .zip archive"),
        ("large", bytes((20 << 20) + 1), "Code archive supplied cannot be more than 20 MB compressed"),
    ):
        assert begin(name, archive)["StackStatus"] == "ROLLBACK_COMPLETE"
        (reason,) = [row[2] for row in events(stacks, name) if row[:2] == ("R", "CREATE_FAILED")]
        assert text in reason
    names = {row["repositoryName"] for row in code.list_repositories()["repositories"]}
    assert "seeded" in names and not {"stream", "no-archive", "large"} & names


class Unseekable(io.BytesIO):
    """What an archive is written to as a stream: the sizes of its files stand behind their data."""

    def tell(self) -> int:
        """Is none known."""
        raise io.UnsupportedOperation


def archive_of(files: Mapping[str, str], made: io.BytesIO | None = None) -> bytes:
    made = made or io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


def test_a_crash_in_the_middle_is_survived(own_service: Service) -> None:
    """DEL-20, DEL-32: kill -9 in a creation, an update and a deletion: each goes on at the next start, none twice."""
    stacks = own_service.client("cloudformation")
    resources = {f"T{i}": topic(f"many-{i}") for i in range(60)}
    for i in range(1, 60):
        resources[f"T{i}"]["DependsOn"] = f"T{i - 1}"
    stacks.create_stack(StackName="many", TemplateBody=json.dumps({"Resources": resources}))
    until(lambda: len(physical_or_none(stacks, "many")) > 10, "some of it is made")
    own_service.kill()
    own_service.up()
    stacks = own_service.client("cloudformation")
    assert settled(stacks, "many")["StackStatus"] == "CREATE_COMPLETE"
    assert len(physical(stacks, "many")) == 60
    assert len(own_service.client("sns").list_topics()["Topics"]) == 60
    for resource in resources.values():
        resource["Properties"]["DisplayName"] = "changed"
    identity = stack(stacks, "many")["StackId"]
    _interrupt(own_service, lambda one: one.update_stack(
        StackName="many", TemplateBody=json.dumps({"Resources": resources})), "UPDATE_COMPLETE")  # fmt: skip
    stacks = own_service.client("cloudformation")
    assert settled(stacks, identity)["StackStatus"] == "UPDATE_COMPLETE"
    names = [own_service.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"]
             for arn in physical(stacks, "many").values()]  # fmt: skip
    assert names == ["changed"] * 60
    _interrupt(own_service, lambda one: one.delete_stack(StackName="many"), "DELETE_COMPLETE")
    stacks = own_service.client("cloudformation")
    assert settled(stacks, identity)["StackStatus"] == "DELETE_COMPLETE"
    assert own_service.client("sns").list_topics()["Topics"] == []


def _interrupt(service: Service, begin: Callable[[Any], Any], status: str) -> None:
    """Kills the service when some of the resources have a status of the operation that `begin` begins."""
    stacks = service.client("cloudformation")
    identity = stack(stacks, "many")["StackId"]
    begin(stacks)

    def some() -> bool:
        rows = stacks.describe_stack_events(StackName=identity)["StackEvents"]
        return sum(row["ResourceStatus"] == status for row in rows) > 10

    until(some, "some of it is done")
    service.kill()
    service.up()


def physical_or_none(stacks: Any, name: str) -> list[str]:
    rows = stacks.list_stack_resources(StackName=name)["StackResourceSummaries"]
    return [row["LogicalResourceId"] for row in rows if row["ResourceStatus"] == "CREATE_COMPLETE"]
