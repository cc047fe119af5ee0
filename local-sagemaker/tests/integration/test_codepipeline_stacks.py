"""Actions on stacks: modes, configurations, overrides, variables; sources in S3, polled and by events."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from tests.integration.code_pipelines import ROLE, Pipelines, action, ask, soon
from tests.support import Service

BUCKET = "sources-of-pipelines"
PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Value"}}}
GOOD = {
    "Parameters": {"Value": {"Type": "String"}, "Place": {"Type": "String", "Default": "none"}},
    "Resources": {"Word": PARAMETER},
    "Outputs": {"Word": {"Value": {"Fn::GetAtt": ["Word", "Value"]}}, "Place": {"Value": {"Ref": "Place"}}},
}
TAKEN = {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": {"ModelPackageGroupName": "taken-by-a-test"}}
BAD = {**GOOD, "Resources": {"Word": PARAMETER, "Group": TAKEN}}
STAGE = {"Parameters": {"Value": "from the configuration"}, "Tags": {"stage": "test"}}
KEEP = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
FILES = {
    "good.json": GOOD, "bad.json": BAD, "values.json": {"deep": "from a file"},
    "stage.json": STAGE, "policed.json": {**STAGE, "StackPolicy": {"Statement": [KEEP]}},
}  # fmt: skip


def archive(**more: Any) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, content in {**FILES, **more}.items():
            file.writestr(name, json.dumps(content))
    return data.getvalue()


@pytest.fixture(scope="module")
def pipelines(service: Service) -> Pipelines:
    s3 = service.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    service.client("sagemaker").create_model_package_group(ModelPackageGroupName="taken-by-a-test")
    return Pipelines(service)


def source(key: str, polls: bool = False) -> dict[str, Any]:
    settings = {"S3Bucket": BUCKET, "S3ObjectKey": key, "PollForSourceChanges": str(polls).lower()}
    return action(
        "Source", "S3", "Code", configuration=settings, outputArtifacts=[{"name": "Code"}], namespace="Source"
    )


def stack(mode: str, name: str, template: str = "good.json", **more: str) -> dict[str, Any]:
    """A stage with one action on a stack, named as the mode."""
    settings = {"ActionMode": mode, "StackName": name, **more}
    if mode not in ("DELETE_ONLY", "CHANGE_SET_EXECUTE"):
        settings["TemplatePath"] = f"Code::{template}"
    own = action("Deploy", "CloudFormation", "Stack", configuration=settings, inputArtifacts=[{"name": "Code"}],
                 namespace=mode.replace("_", "") + "Space")  # fmt: skip
    return {"name": mode, "actions": [own]}


def described(service: Service, name: str) -> dict[str, Any]:
    return dict(service.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0])


def test_modes_on_absent_and_healthy_stacks(service: Service, pipelines: Pipelines) -> None:
    service.client("s3").put_object(Bucket=BUCKET, Key="modes.zip", Body=archive())
    overrides = json.dumps(
        {
            "Value": {"Fn::GetParam": ["Code", "values.json", "deep"]},
            "Place": {"Fn::GetArtifactAtt": ["Code", "ObjectKey"]},
        }
    )
    configured = {"TemplateConfiguration": "Code::stage.json"}
    first = pipelines.create(
        "modes",
        stack("DELETE_ONLY", "modes-stack"),
        stack("CREATE_UPDATE", "modes-stack", TemplateConfiguration="Code::policed.json"),
        stack("REPLACE_ON_FAILURE", "modes-stack", **configured),
        stack("CHANGE_SET_REPLACE", "modes-stack", ChangeSetName="next", ParameterOverrides=overrides, **configured),
        {"name": "Look", "actions": [ask(configuration={"CustomData": "#{CREATEUPDATESpace.Word}"})]},
        stack("CHANGE_SET_EXECUTE", "modes-stack", ChangeSetName="next"),
        {"name": "Last", "actions": [ask(configuration={"CustomData": "#{CHANGESETEXECUTESpace.Word}"})]},
        source=source("modes.zip"),
    )
    token = pipelines.token("modes", "Look")
    before = described(service, "modes-stack")
    assert {row["OutputKey"]: row["OutputValue"] for row in before["Outputs"]}["Word"] == "from the configuration"
    assert before["StackStatus"] == "CREATE_COMPLETE", "the same again is no change"
    assert {"Key": "stage", "Value": "test"} in before["Tags"]
    policy = service.client("cloudformation").get_stack_policy(StackName="modes-stack")["StackPolicyBody"]
    assert json.loads(policy) == {"Statement": [KEEP]}
    assert pipelines.actions("modes", first)[0]["input"]["resolvedConfiguration"] == {
        "CustomData": "from the configuration"
    }
    pipelines.decide("modes", token, wanted="Look")
    pipelines.decide("modes", pipelines.token("modes", "Last"), wanted="Last")
    pipelines.ends("modes", first, "Succeeded")
    outputs = {row["OutputKey"]: row["OutputValue"] for row in described(service, "modes-stack")["Outputs"]}
    assert outputs["Word"] == "from a file"
    key = pipelines.actions("modes", first)[-1]["output"]["outputArtifacts"][0]["s3location"]["key"]
    assert outputs["Place"] == key
    pipelines.client.delete_pipeline(name="modes")


def test_modes_on_failed_stacks(service: Service, pipelines: Pipelines) -> None:
    service.client("s3").put_object(Bucket=BUCKET, Key="failed.zip", Body=archive())
    configured = {"TemplateConfiguration": "Code::stage.json"}
    first = pipelines.create(
        "failing", stack("CREATE_UPDATE", "failed-stack", "bad.json", **configured), source=source("failed.zip")
    )
    pipelines.ends("failing", first, "Failed")
    assert described(service, "failed-stack")["StackStatus"] == "ROLLBACK_COMPLETE"
    details = pipelines.latest("failing", "CREATE_UPDATE", "Stack")["errorDetails"]
    assert "ROLLBACK_COMPLETE" in details["message"]
    assert "taken-by-a-test" in details["message"], "why it failed is said"
    second = pipelines.create(
        "not-replacing", stack("CREATE_UPDATE", "failed-stack", **configured), source=source("failed.zip")
    )
    pipelines.ends("not-replacing", second, "Failed")
    third = pipelines.create(
        "replacing", stack("REPLACE_ON_FAILURE", "failed-stack", **configured), stack("DELETE_ONLY", "failed-stack"),
        source=source("failed.zip"),
    )  # fmt: skip
    pipelines.ends("replacing", third, "Succeeded")
    stacks = service.client("cloudformation").list_stacks()["StackSummaries"]
    states = [row["StackStatus"] for row in stacks if row["StackName"] == "failed-stack"]
    assert states == ["DELETE_COMPLETE", "DELETE_COMPLETE"]


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({"ParameterOverrides": '{"Value": {"Fn::GetParam": ["Code", "values.json", "no"]}}'}, "key no is not in"),
        (
            {"ParameterOverrides": '{"Value": "#{Source.Nothing}"}'},
            "either the variable Nothing or the namespace Source",
        ),
        ({"TemplateConfiguration": "Code::absent.json"}, "absent.json is not in the artifact"),
        ({"ParameterOverrides": '{"Value": "1", "Other": "2"}'}, "Other"),
    ],
)
def test_what_cannot_be_resolved_fails_the_action_before_a_stack_exists(
    service: Service, pipelines: Pipelines, configuration: dict[str, str], expected: str
) -> None:
    service.client("s3").put_object(Bucket=BUCKET, Key="wrong.zip", Body=archive())
    name = f"wrong-{len(expected)}"
    first = pipelines.create(name, stack("CREATE_UPDATE", name, **configuration), source=source("wrong.zip"))
    pipelines.ends(name, first, "Failed")
    error = pipelines.latest(name, "CREATE_UPDATE", "Stack")["errorDetails"]["message"]
    assert expected in error
    assert name not in [row["StackName"] for row in service.client("cloudformation").list_stacks()["StackSummaries"]]


def test_a_polled_object_starts_a_pipeline_when_it_changes(service: Service, pipelines: Pipelines) -> None:
    s3, name = service.client("s3"), "polling"
    s3.put_object(Bucket=BUCKET, Key="polled.zip", Body=archive())
    first = pipelines.create(name, {"name": "Ask", "actions": [ask()]}, source=source("polled.zip", polls=True))
    pipelines.decide(name, pipelines.token(name))
    pipelines.ends(name, first, "Succeeded")
    version = s3.put_object(Bucket=BUCKET, Key="polled.zip", Body=archive(more=1))["VersionId"]
    soon(lambda: len(pipelines.rows(name)) == 2, "the new version starts the pipeline")
    token = pipelines.token(name)
    newest = pipelines.rows(name)[0]
    assert newest["trigger"]["triggerType"] == "PollForSourceChanges"
    assert newest["sourceRevisions"][0]["revisionId"] == version
    pipelines.decide(name, token)
    pipelines.ends(name, newest["pipelineExecutionId"], "Succeeded")
    assert len(pipelines.rows(name)) == 2
    pipelines.client.delete_pipeline(name=name)


def test_an_event_of_the_bucket_starts_the_pipeline_of_its_object(service: Service, pipelines: Pipelines) -> None:
    s3, events, name = service.client("s3"), service.client("events"), "by-event"
    s3.put_object(Bucket=BUCKET, Key="watched/code.zip", Body=archive())
    first = pipelines.create(name, {"name": "Ask", "actions": [ask()]}, source=source("watched/code.zip"))
    pipelines.decide(name, pipelines.token(name))
    pipelines.ends(name, first, "Succeeded")
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {
        "source": ["aws.s3"], "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [BUCKET]}, "object": {"key": ["watched/code.zip"]}},
    }  # fmt: skip
    rule = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    arn = f"arn:aws:codepipeline:us-east-1:123456789012:{name}"
    events.put_targets(Rule=name, Targets=[{"Id": "pipeline", "Arn": arn, "RoleArn": ROLE}])
    s3.put_object(Bucket=BUCKET, Key="watched/other.zip", Body=archive())
    version = s3.put_object(Bucket=BUCKET, Key="watched/code.zip", Body=archive(more=1))["VersionId"]
    token = pipelines.token(name)
    newest, *older = pipelines.rows(name)
    assert len(older) == 1
    assert newest["trigger"] == {"triggerType": "CloudWatchEvent", "triggerDetail": rule}
    assert newest["sourceRevisions"][0]["revisionId"] == version
    pipelines.decide(name, token)
    events.remove_targets(Rule=name, Ids=["pipeline"])
    events.delete_rule(Name=name)
