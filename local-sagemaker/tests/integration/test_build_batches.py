"""Batch builds through boto3, against a real service: graphs, lists, restrictions, artifacts, retries."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import Service, until

ROLE = "arn:aws:iam::123456789012:role/service-role/build"
GRAPH = """
version: 0.2
batch:
  build-graph:
    - identifier: first
      env: {variables: {WORD: of-the-task}, compute-type: BUILD_GENERAL1_MEDIUM}
    - identifier: broken
      ignore-failure: true
    - identifier: after_both
      buildspec: other.yml
      depend-on: [first, broken]
    - identifier: failing
      depend-on: [first]
    - identifier: after_failing
      depend-on: [failing]
phases:
  build:
    commands:
      - echo "$CODEBUILD_BATCH_BUILD_IDENTIFIER has $WORD and $MORE"
      - if [ "$CODEBUILD_BATCH_BUILD_IDENTIFIER" = broken ]; then exit 4; fi
      - if [ "$CODEBUILD_BATCH_BUILD_IDENTIFIER" = failing ] && [ -z "$MENDED" ]; then exit 5; fi
"""
OTHER = "version: 0.2\nphases: {build: {commands: [echo another specification]}}\n"
LIST = """
version: 0.2
batch:
  fast-fail: true
  build-list: [{identifier: one}, {identifier: two}]
phases:
  build:
    commands:
      - echo "$CODEBUILD_BATCH_BUILD_IDENTIFIER" > "$CODEBUILD_BATCH_BUILD_IDENTIFIER.txt"
      - echo "$CODEBUILD_BATCH_BUILD_IDENTIFIER" > same.txt
artifacts: {files: ["*.txt"]}
"""


@pytest.fixture(scope="module")
def builds(service: Service) -> Any:
    return service.client("codebuild")


def create(builds: Any, name: str, source: dict[str, Any], **options: Any) -> None:
    options.setdefault("artifacts", {"type": "NO_ARTIFACTS"})
    options.setdefault("buildBatchConfig", {"serviceRole": ROLE})
    builds.create_project(
        name=name, source=source, serviceRole=ROLE, environment={
            "type": "LINUX_CONTAINER", "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": [{"name": "WORD", "value": "of-the-project"}, {"name": "MORE", "value": "more"}],
        }, **options,
    )  # fmt: skip


def ended(builds: Any, identity: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        (batch,) = builds.batch_get_build_batches(ids=[identity])["buildBatches"]
        return batch if batch["complete"] else None

    return dict(until(look, f"{identity} ends", seconds=240))


def statuses(batch: dict[str, Any]) -> dict[str, str]:
    return {group["identifier"]: group["currentBuildSummary"]["buildStatus"] for group in batch["buildGroups"]}


def phases(batch: dict[str, Any]) -> list[tuple[str, str]]:
    return [(phase["phaseType"], phase.get("phaseStatus", "")) for phase in batch["phases"]]


def test_a_graph_runs_in_its_order_and_what_failed_is_run_again(service: Service, builds: Any) -> None:
    code = service.client("codecommit")
    code.create_repository(repositoryName="in-batches")
    commit = code.create_commit(
        repositoryName="in-batches", branchName="main",
        putFiles=[{"filePath": "buildspec.yml", "fileContent": GRAPH}, {"filePath": "other.yml", "fileContent": OTHER}],
    )["commitId"]  # fmt: skip
    address = code.get_repository(repositoryName="in-batches")["repositoryMetadata"]["cloneUrlHttp"]
    create(builds, "graph", {"type": "CODECOMMIT", "location": address})
    identity = builds.start_build_batch(projectName="graph")["buildBatch"]["id"]
    batch = ended(builds, identity)
    assert statuses(batch) == {
        "DOWNLOAD_SOURCE": "SUCCEEDED", "first": "SUCCEEDED", "broken": "FAILED", "after_both": "SUCCEEDED",
        "failing": "FAILED", "after_failing": "STOPPED",
    }, batch  # fmt: skip
    assert batch["buildBatchStatus"] == batch["currentPhase"] == "FAILED"
    assert phases(batch) == [
        ("SUBMITTED", "SUCCEEDED"), ("DOWNLOAD_BATCHSPEC", "SUCCEEDED"), ("IN_PROGRESS", "CLIENT_ERROR"),
        ("FAILED", ""),
    ]  # fmt: skip
    assert (batch["resolvedSourceVersion"], batch["buildBatchNumber"]) == (commit, 1)
    groups = {group["identifier"]: group for group in batch["buildGroups"]}
    assert groups["after_both"]["dependsOn"] == ["first", "broken"] and groups["broken"]["ignoreFailure"]
    first, after = (groups[name]["currentBuildSummary"] for name in ("first", "after_both"))
    assert first["primaryArtifact"] == {"type": "no_artifacts", "identifier": "first"}
    found = {build["arn"]: build for build in builds.batch_get_builds(ids=[first["arn"], after["arn"]])["builds"]}
    assert found[after["arn"]]["startTime"] >= found[first["arn"]]["endTime"]
    assert found[first["arn"]]["buildBatchArn"] == batch["arn"]
    assert found[first["arn"]]["resolvedSourceVersion"] == commit
    assert found[first["arn"]]["environment"]["computeType"] == "BUILD_GENERAL1_MEDIUM"
    place = found[first["arn"]]["logs"]
    log = service.client("logs").get_log_events(logGroupName=place["groupName"], logStreamName=place["streamName"])
    assert "first has of-the-task and more" in [event["message"] for event in log["events"]]

    with pytest.raises(ClientError, match="does not exist"):
        builds.retry_build_batch(id="graph:none")
    again = builds.retry_build_batch(id=identity, retryType="RETRY_FAILED_BUILDS")["buildBatch"]
    assert (again["id"], again["buildBatchStatus"], phases(again)[3]) == (identity, "IN_PROGRESS", ("FAILED", "RETRY"))
    batch = ended(builds, identity)
    groups = {group["identifier"]: group for group in batch["buildGroups"]}
    assert groups["first"]["currentBuildSummary"] == first
    (before,) = groups["failing"]["priorBuildSummaryList"]
    assert before["buildStatus"] == "FAILED" and before["arn"] != groups["failing"]["currentBuildSummary"]["arn"]

    assert builds.list_build_batches_for_project(projectName="graph", filter={"status": "FAILED"})["ids"] == [identity]
    assert builds.list_build_batches(filter={"status": "STOPPED"})["ids"] == []
    deleted = builds.delete_build_batch(id=identity)
    assert deleted["statusCode"] == "BATCH_DELETED" and first["arn"] in deleted["buildsDeleted"]
    assert builds.batch_get_build_batches(ids=[identity])["buildBatchesNotFound"] == [identity]


def test_artifacts_of_a_list_are_combined_and_restrictions_act(service: Service, builds: Any) -> None:
    service.client("s3").create_bucket(Bucket="of-batches")
    config = {"serviceRole": ROLE, "combineArtifacts": True, "restrictions": {"maximumBuildsAllowed": 2}}
    artifacts = {"type": "S3", "location": "of-batches", "name": "all.zip", "packaging": "ZIP"}
    source = {"type": "NO_SOURCE", "buildspec": LIST}
    create(builds, "list", source, artifacts=artifacts, buildBatchConfig=config)
    batch = ended(builds, builds.start_build_batch(projectName="list")["buildBatch"]["id"])
    assert [name for name, _ in phases(batch)] == [
        "SUBMITTED", "DOWNLOAD_BATCHSPEC", "IN_PROGRESS", "COMBINE_ARTIFACTS", "SUCCEEDED"
    ], batch  # fmt: skip
    assert batch["artifacts"]["location"] == "arn:aws:s3:::of-batches/all.zip"
    data = service.client("s3").get_object(Bucket="of-batches", Key="all.zip")["Body"].read()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert sorted(archive.namelist()) == ["one.txt", "same.txt", "two.txt"]
        assert archive.read("same.txt") == b"two\n"

    with pytest.raises(ClientError, match="only failed ones are retried"):
        builds.retry_build_batch(id=batch["id"])
    narrow = {**config, "restrictions": {"maximumBuildsAllowed": 1}}
    wide = builds.start_build_batch(projectName="list", buildBatchConfigOverride=narrow)["buildBatch"]["id"]
    refused = ended(builds, wide)
    assert refused["phases"][1]["contexts"][0]["message"] == "The batch has 2 builds; 1 are allowed."
    bad = builds.start_build_batch(projectName="list", buildspecOverride=OTHER)["buildBatch"]["id"]
    assert "needs one of batch/build-graph" in ended(builds, bad)["phases"][1]["contexts"][0]["message"]
    builds.update_project(name="list", buildBatchConfig={"combineArtifacts": False})
    with pytest.raises(ClientError, match="service role in buildBatchConfig"):
        builds.start_build_batch(projectName="list")


def test_a_stopped_batch_stops_its_builds_and_fast_fail_the_others(builds: Any) -> None:
    waiting = LIST.replace("      - echo", "      - sleep 100; echo", 1)
    create(builds, "stopping", {"type": "NO_SOURCE", "buildspec": waiting})
    identity = builds.start_build_batch(projectName="stopping")["buildBatch"]["id"]

    def runs() -> bool:
        (batch,) = builds.batch_get_build_batches(ids=[identity])["buildBatches"]
        return any("currentBuildSummary" in group for group in batch["buildGroups"][1:])

    until(runs, "a build of the batch runs", seconds=60)
    stopped = builds.stop_build_batch(id=identity)["buildBatch"]
    assert stopped["buildBatchStatus"] == stopped["currentPhase"] == "STOPPED"
    assert statuses(stopped) == {"DOWNLOAD_SOURCE": "SUCCEEDED", "one": "STOPPED", "two": "STOPPED"}
    uneven = waiting.replace(
        "- sleep 100;", '- if [ "$CODEBUILD_BATCH_BUILD_IDENTIFIER" = one ]; then exit 3; fi; sleep 100;'
    )
    quick = builds.start_build_batch(projectName="stopping", buildspecOverride=uneven)["buildBatch"]["id"]
    assert statuses(ended(builds, quick)) == {"DOWNLOAD_SOURCE": "SUCCEEDED", "one": "FAILED", "two": "STOPPED"}


def test_an_action_of_a_pipeline_is_a_batch(service: Service, builds: Any) -> None:
    """Outputs are named after the builds and their secondary artifacts, or are one archive."""
    service.client("s3").create_bucket(Bucket="store-of-batches")
    code, pipelines = service.client("codecommit"), service.client("codepipeline")
    code.create_repository(repositoryName="batch-source")
    spec = LIST.replace('["*.txt"]}', '["*.txt"], secondary-artifacts: {more: {files: [same.txt]}}}')
    files = [{"filePath": "buildspec.yml", "fileContent": spec}]
    code.create_commit(repositoryName="batch-source", branchName="main", putFiles=files)
    create(builds, "piped", {"type": "CODEPIPELINE"}, artifacts={"type": "CODEPIPELINE"})

    def action(category: str, provider: str, outputs: list[str], **configuration: str) -> dict[str, Any]:
        kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        inputs = [{"name": "Code"}] if category == "Build" else []
        names = [{"name": name} for name in outputs]
        return {"name": outputs[0], "actionTypeId": kind, "configuration": configuration, "inputArtifacts": inputs,
                "outputArtifacts": names}  # fmt: skip

    source = action("Source", "CodeCommit", ["Code"], RepositoryName="batch-source", BranchName="main",
                    PollForSourceChanges="false")  # fmt: skip
    each = action("Build", "CodeBuild", ["one", "two_more"], ProjectName="piped", BatchEnabled="true")
    whole = action("Build", "CodeBuild", ["Whole"], ProjectName="piped", BatchEnabled="true", CombineArtifacts="true")
    stages = [{"name": "Source", "actions": [source]}, {"name": "Build", "actions": [each, whole]}]
    pipelines.create_pipeline(pipeline={
        "name": "batches", "roleArn": ROLE, "stages": stages, "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": "store-of-batches"},
    })  # fmt: skip

    def done() -> str | None:
        (row,) = pipelines.list_pipeline_executions(pipelineName="batches")["pipelineExecutionSummaries"]
        return None if row["status"] == "InProgress" else str(row["status"])

    ending = until(done, "the pipeline ends", seconds=240)
    rows = pipelines.list_action_executions(pipelineName="batches")["actionExecutionDetails"]
    assert ending == "Succeeded", rows
    held = {}
    for row in rows:
        for artifact in row["output"].get("outputArtifacts", []):
            place = artifact["s3location"]
            data = service.client("s3").get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read()
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                held[artifact["name"]] = sorted(archive.namelist())
    wanted = {"one": ["one.txt", "same.txt"], "two_more": ["same.txt"], "Whole": ["one.txt", "same.txt", "two.txt"]}
    assert {name: held[name] for name in wanted} == wanted
    identity = next(row for row in rows if row["actionName"] == "one")["output"]["executionResult"][
        "externalExecutionId"
    ]
    (batch,) = builds.batch_get_build_batches(ids=[identity])["buildBatches"]
    assert batch["initiator"] == "codepipeline/batches"
