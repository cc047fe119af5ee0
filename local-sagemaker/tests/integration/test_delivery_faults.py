"""A service that is killed in the middle of a build, a stack and an approval (DEL-27, 32): what becomes of them is
right, and said.
"""

from __future__ import annotations

import json
from typing import Any

from tests.support import Service, until

ROLE = "arn:aws:iam::123456789012:role/service-role/delivery"
SPEC = b"version: 0.2\nphases: {build: {commands: ['test -e quick || sleep 600']}}\n"
STORE = "store-of-faults"
TOPICS = 40
CHAIN = {
    f"T{number}": {"Type": "AWS::SNS::Topic", **({"DependsOn": f"T{number - 1}"} if number else {})}
    for number in range(TOPICS)
}
"""Resources that are made one after the other, so that a kill comes in the middle."""


def soon(condition: Any, what: str) -> Any:
    return until(condition, what, seconds=240)


def action(category: str, provider: str, name: str, **more: Any) -> dict[str, Any]:
    kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
    return {"name": name, "actionTypeId": kind, **more}


def create(service: Service, name: str, second: dict[str, Any]) -> None:
    source = {"RepositoryName": "code", "BranchName": "main", "PollForSourceChanges": "false"}
    code = action("Source", "CodeCommit", "Code", configuration=source, outputArtifacts=[{"name": "Code"}])
    stages = [{"name": "Source", "actions": [code]}, {"name": "Second", "actions": [second]}]
    service.client("codepipeline").create_pipeline(
        pipeline={
            "name": name, "roleArn": ROLE, "pipelineType": "V2", "executionMode": "QUEUED", "stages": stages,
            "artifactStore": {"type": "S3", "location": STORE},
        }
    )  # fmt: skip


def latest(service: Service, name: str) -> dict[str, Any]:
    state = service.client("codepipeline").get_pipeline_state(name=name)
    return dict(state["stageStates"][1]["actionStates"][0].get("latestExecution", {}))


def status(service: Service, name: str) -> str:
    rows = service.client("codepipeline").list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
    return str(rows[0]["status"])


def start_batch(service: Service) -> str:
    """A batch with a build that runs; its project's builds sleep."""
    builds = service.client("codebuild")
    spec = "version: 0.2\nbatch: {build-list: [{identifier: only}]}\nphases: {build: {commands: [sleep 600]}}\n"
    builds.create_project(
        name="batched", source={"type": "NO_SOURCE", "buildspec": spec}, artifacts={"type": "NO_ARTIFACTS"},
        serviceRole=ROLE, buildBatchConfig={"serviceRole": ROLE}, environment={
            "type": "LINUX_CONTAINER", "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
    )  # fmt: skip
    identity = str(builds.start_build_batch(projectName="batched")["buildBatch"]["id"])

    def runs() -> bool:
        (batch,) = builds.batch_get_build_batches(ids=[identity])["buildBatches"]
        return any("currentBuildSummary" in group for group in batch["buildGroups"][1:])

    soon(runs, "a build of the batch runs")
    return identity


def test_a_killed_service_finds_its_builds_and_approvals_again(own_service: Service) -> None:
    own_service.client("s3").create_bucket(Bucket=STORE)
    code = own_service.client("codecommit")
    code.create_repository(repositoryName="code")
    first = code.create_commit(
        repositoryName="code", branchName="main",
        putFiles=[
            {"filePath": "buildspec.yml", "fileContent": SPEC},
            {"filePath": "chain.json", "fileContent": json.dumps({"Resources": CHAIN}).encode()},
        ],
    )  # fmt: skip
    own_service.client("codebuild").create_project(
        name="project", source={"type": "CODEPIPELINE"}, artifacts={"type": "CODEPIPELINE"}, serviceRole=ROLE,
        environment={
            "type": "LINUX_CONTAINER", "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
    )  # fmt: skip
    build = action(
        "Build", "CodeBuild", "Build", configuration={"ProjectName": "project"}, inputArtifacts=[{"name": "Code"}]
    )
    create(own_service, "building", build)
    create(own_service, "asking", action("Approval", "Manual", "Ask"))
    create(own_service, "expiring", {**action("Approval", "Manual", "Ask"), "timeoutInMinutes": 5})
    token = soon(lambda: latest(own_service, "asking").get("token"), "the approval waits")
    soon(lambda: latest(own_service, "expiring").get("token"), "the other approval waits")
    identity = soon(lambda: latest(own_service, "building").get("externalExecutionId"), "the build has begun")

    def phase() -> str:
        return str(own_service.client("codebuild").batch_get_builds(ids=[identity])["builds"][0]["currentPhase"])

    soon(lambda: phase() == "BUILD", "the build's commands run")
    batch = start_batch(own_service)
    deploy = action("Deploy", "CloudFormation", "Stack", inputArtifacts=[{"name": "Code"}], configuration={
        "ActionMode": "CREATE_UPDATE", "StackName": "chained", "TemplatePath": "Code::chain.json"})  # fmt: skip
    create(own_service, "stacking", deploy)

    def made() -> list[str]:
        stacks = own_service.client("cloudformation")
        try:
            rows = stacks.list_stack_resources(StackName="chained")["StackResourceSummaries"]
        except stacks.exceptions.ClientError:
            return []
        return [row["LogicalResourceId"] for row in rows if row["ResourceStatus"] == "CREATE_COMPLETE"]

    soon(lambda: len(made()) > 3, "some of the stack is made")
    own_service.kill()
    own_service.up()
    soon(lambda: status(own_service, "stacking") == "Succeeded", "the pipeline has the stack's end")
    (stack,) = own_service.client("cloudformation").describe_stacks(StackName="chained")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE" and len(made()) == TOPICS
    events = own_service.client("cloudformation").describe_stack_events(StackName="chained")["StackEvents"]
    assert len([event for event in events if event.get("ResourceStatusReason") == "User Initiated"]) == 1
    assert latest(own_service, "stacking")["externalExecutionId"] == stack["StackId"]  # never started a second time

    soon(lambda: status(own_service, "building") == "Failed", "the pipeline has the build's end")
    client = own_service.client("codebuild")
    found = client.batch_get_builds(ids=[identity])["builds"][0]
    assert found["buildStatus"] == "FAULT"
    assert "local service ended while this build ran" in latest(own_service, "building")["errorDetails"]["message"]
    lost = client.batch_get_build_batches(ids=[batch])["buildBatches"][0]
    assert lost["buildBatchStatus"] == "FAULT" and lost["complete"]
    assert [group["currentBuildSummary"]["buildStatus"] for group in lost["buildGroups"]] == ["SUCCEEDED", "FAULT"]
    assert [one for one in client.list_builds()["ids"] if one.startswith("project:")] == [identity]
    assert latest(own_service, "asking")["token"] == token
    pipelines = own_service.client("codepipeline")
    pipelines.put_approval_result(
        pipelineName="asking", stageName="Second", actionName="Ask", token=token,
        result={"status": "Approved", "summary": "after the crash"},
    )  # fmt: skip
    soon(lambda: status(own_service, "asking") == "Succeeded", "the approved pipeline succeeds")

    code = own_service.client("codecommit")
    code.put_file(
        repositoryName="code", branchName="main", parentCommitId=first["commitId"], filePath="quick", fileContent=b"1"
    )
    pipelines.start_pipeline_execution(name="building")
    soon(lambda: status(own_service, "building") == "Succeeded", "the next execution succeeds")

    slow = client.start_build(projectName="batched", timeoutInMinutesOverride=5)["build"]["id"]
    stacks = own_service.client("cloudformation")
    long = {f"T{n}": {"Type": "AWS::SNS::Topic", **({"DependsOn": f"T{n - 1}"} if n else {})} for n in range(400)}
    stacks.create_stack(StackName="late", TemplateBody=json.dumps({"Resources": long}), TimeoutInMinutes=5)
    soon(lambda: client.batch_get_builds(ids=[slow])["builds"][0]["currentPhase"] == "BUILD", "the slow build runs")
    own_service.run("local-sagemaker", "--home", str(own_service.home), "clock", "6m")
    soon(lambda: client.batch_get_builds(ids=[slow])["builds"][0]["buildStatus"] == "TIMED_OUT", "the build's end")
    soon(lambda: stacks.describe_stacks(StackName="late")["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE", "it ends")
    reasons = [
        event.get("ResourceStatusReason") for event in stacks.describe_stack_events(StackName="late")["StackEvents"]
    ]
    assert "Stack creation time exceeded the specified timeout. Rollback requested by user." in reasons
    soon(lambda: status(own_service, "expiring") == "Failed", "the approval's time is over")
    assert latest(own_service, "expiring")["errorDetails"]["message"] == "Approval was not given in time."
