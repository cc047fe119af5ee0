"""CodeBuild through boto3, against a real service: phases, failures, variables, artifacts (contracts: delivery 3)."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support import Service, until

ROLE = "arn:aws:iam::123456789012:role/service-role/build"
IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0"


@pytest.fixture(scope="module")
def builds(service: Service) -> Any:
    return service.client("codebuild")


def create(builds: Any, name: str, buildspec: str, **options: Any) -> None:
    options.setdefault("artifacts", {"type": "NO_ARTIFACTS"})
    variables = options.pop("variables", [])
    builds.create_project(
        name=name, source={"type": "NO_SOURCE", "buildspec": buildspec}, serviceRole=ROLE,
        environment={
            "type": "LINUX_CONTAINER", "image": IMAGE, "computeType": "BUILD_GENERAL1_SMALL",
            "environmentVariables": variables,
        },
        **options,
    )  # fmt: skip


def ended(builds: Any, identity: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        build = builds.batch_get_builds(ids=[identity])["builds"][0]
        return build if build["buildComplete"] else None

    return dict(until(look, f"{identity} ends", seconds=240))


def run(builds: Any, name: str, **options: Any) -> dict[str, Any]:
    return ended(builds, builds.start_build(projectName=name, **options)["build"]["id"])


def phases(build: dict[str, Any]) -> dict[str, str]:
    return {phase["phaseType"]: phase["phaseStatus"] for phase in build["phases"] if "phaseStatus" in phase}


def lines(service: Service, build: dict[str, Any]) -> list[str]:
    log = service.client("logs").get_log_events(
        logGroupName=build["logs"]["groupName"], logStreamName=build["logs"]["streamName"], startFromHead=True
    )
    return [event["message"] for event in log["events"]]


def test_the_shell_keeps_its_state_and_values_come_from_where_they_say(service: Service, builds: Any) -> None:
    """DEL-21, DEL-23: state, `finally`, precedence of variables; secrets are masked and not exported."""
    service.client("ssm").put_parameter(Name="/build/token", Value="hush-7341", Type="SecureString")
    spec = """
version: 0.2
env:
  git-credential-helper: yes
  variables: {PLACE: spec, KEPT: spec}
  parameter-store: {TOKEN: /build/token}
  exported-variables: [WORD, TOKEN]
phases:
  install:
    runtime-versions: {python: 3.x}
    commands: [mkdir -p deep, cd deep, "word() { echo from-a-function; }"]
  build:
    commands:
      - export WORD=$(word)-$(basename "$PWD")-$PLACE-$KEPT
      - echo "token is $TOKEN"
      - echo "keys $AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY $AWS_SESSION_TOKEN"
      - git ls-remote "$REPOSITORY" && echo git-was-let-in
    finally: [echo finally]
"""
    address = service.client("codecommit").create_repository(repositoryName="of-the-build")["repositoryMetadata"]
    create(builds, "state", spec, variables=[{"name": "PLACE", "value": "project"}])
    override = [{"name": "PLACE", "value": "request", "type": "PLAINTEXT"},
                {"name": "REPOSITORY", "value": address["cloneUrlHttp"], "type": "PLAINTEXT"}]  # fmt: skip
    build = run(builds, "state", environmentVariablesOverride=override)
    assert build["buildStatus"] == "SUCCEEDED", lines(service, build)
    assert list(phases(build)) == [
        "SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD",
        "UPLOAD_ARTIFACTS", "FINALIZING",
    ]  # fmt: skip
    values = {row["name"]: row["value"] for row in build["exportedEnvironmentVariables"]}
    assert values == {"WORD": "from-a-function-deep-request-spec"}
    log = lines(service, build)
    assert "token is ***" in log
    assert "finally" in log
    assert not any("hush-7341" in line for line in log)
    assert "git-was-let-in" in log
    key, secret, token = next(line for line in log if line.startswith("keys ")).split()[1:]
    given = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token}
    caller = boto3.client("sts", region_name="us-east-1", endpoint_url=service.url, **given).get_caller_identity()[
        "Arn"
    ]
    unique = build["id"].partition(":")[2]
    assert caller == f"arn:aws:sts::123456789012:assumed-role/build/AWSCodeBuild-{unique}"


def test_a_failed_build_still_has_its_post_build_and_a_failed_pre_build_has_not(service: Service, builds: Any) -> None:
    """DEL-21, DEL-22: which phases follow a failed one, and what CONTINUE and ABORT change of it."""
    spec = """
version: 0.2
phases:
  build:
    commands: [sh -c 'exit 3', echo never]
    finally: [echo at-last]
  post_build:
    commands: ['echo "succeeding: $CODEBUILD_BUILD_SUCCEEDING"']
"""
    create(builds, "failing", spec)
    build = run(builds, "failing")
    assert build["buildStatus"] == "FAILED"
    assert (phases(build)["BUILD"], phases(build)["POST_BUILD"]) == ("FAILED", "SUCCEEDED")
    (failed,) = [phase for phase in build["phases"] if phase.get("phaseStatus") == "FAILED"]
    message = "Error while executing command: sh -c 'exit 3'. Reason: exit status 3"
    assert failed["contexts"] == [{"statusCode": "COMMAND_EXECUTION_ERROR", "message": message}]
    log = lines(service, build)
    assert "succeeding: 0" in log
    assert "at-last" in log
    assert "never" not in log
    early = run(builds, "failing", buildspecOverride=spec.replace("  build:", "  pre_build:"))
    assert "POST_BUILD" not in phases(early)
    going = spec.replace("  build:\n", "  pre_build:\n    on-failure: CONTINUE\n")
    assert phases(run(builds, "failing", buildspecOverride=going))["POST_BUILD"] == "SUCCEEDED"
    ending = spec.replace("  build:\n", "  build:\n    on-failure: ABORT\n")
    assert "POST_BUILD" not in phases(run(builds, "failing", buildspecOverride=ending))


def test_a_failed_build_is_run_again_as_often_as_retry_says(service: Service, builds: Any) -> None:
    """DEL-22: RETRY-1 with a pattern runs the whole build once more when the error's text has it, else not at all."""
    spec = "version: 0.2\nphases: {build: {on-failure: RETRY-1-exit status 3, commands: [sh -c 'exit 3']}}\n"
    create(builds, "again", spec)
    run(builds, "again")

    def of_project() -> list[str] | None:
        ids = list(builds.list_builds_for_project(projectName="again")["ids"])
        rows = builds.batch_get_builds(ids=ids)["builds"]
        return ids if len(ids) > 1 and all(row["buildComplete"] for row in rows) else None

    assert len(until(of_project, "the second build ends", seconds=240)) == 2
    other = run(builds, "again", buildspecOverride=spec.replace("status 3, ", "status 4, "))
    assert builds.list_builds_for_project(projectName="again")["ids"][0] == other["id"]


def test_artifacts_are_what_the_patterns_say(service: Service, builds: Any) -> None:
    """DEL-24: globs, variables, base-directory, discard-paths, exclude-paths, secondary artifacts."""
    s3 = service.client("s3")
    s3.create_bucket(Bucket="artifacts-of-builds")
    spec = """
version: 0.2
phases:
  build:
    commands: [WANTED=one, mkdir -p out/a/b, echo 1 > out/a/one.txt, echo 2 > out/a/b/two.txt, echo 3 > out/three.log]
artifacts:
  base-directory: out
  files: ['**/*.txt']
  secondary-artifacts:
    flat: {files: ['out/**/*'], exclude-paths: ['out/*.log'], discard-paths: yes}
    loose: {files: ['**/$WANTED.txt'], base-directory: out}
"""
    where = {"type": "S3", "location": "artifacts-of-builds", "packaging": "ZIP"}
    create(
        builds, "artifacts", spec, artifacts={**where, "name": "main.zip"},
        secondaryArtifacts=[{**where, "name": "flat.zip", "artifactIdentifier": "flat"},
                            {**where, "name": "loose", "artifactIdentifier": "loose", "packaging": "NONE"}],
    )  # fmt: skip
    build = run(builds, "artifacts")
    assert build["buildStatus"] == "SUCCEEDED", lines(service, build)
    assert build["artifacts"]["location"] == "arn:aws:s3:::artifacts-of-builds/main.zip"

    def names(key: str) -> list[str]:
        data = s3.get_object(Bucket="artifacts-of-builds", Key=key)["Body"].read()
        return sorted(zipfile.ZipFile(io.BytesIO(data)).namelist())

    assert names("main.zip") == ["a/b/two.txt", "a/one.txt"]
    assert names("flat.zip") == ["one.txt", "two.txt"]
    loose = s3.list_objects_v2(Bucket="artifacts-of-builds", Prefix="loose/")["Contents"]
    assert [item["Key"] for item in loose] == ["loose/a/one.txt"]


def test_reports_are_read_counted_and_kept(service: Service, builds: Any) -> None:
    """Reports section of the specification: groups, counts, cases, coverage; also of a build that fails."""
    spec = """
version: 0.2
phases:
  build:
    commands:
      - mkdir -p out
      - >-
        echo '<testsuite name="s"><testcase name="good" time="1"/>
        <testcase name="bad"><failure message="no"/></testcase></testsuite>' > out/junit.xml
      - >-
        echo '<coverage><class filename="a.py"><lines><line number="1" hits="1"/><line number="2" hits="0"/>
        </lines></class></coverage>' > out/coverage.xml
      - echo '{"report":"other","file":"/etc/hostname","failure":""}' >> /opt/ml/codebuild/progress.jsonl
      - echo 'no message' >> /opt/ml/codebuild/progress.jsonl
      - "false"
reports:
  unit: {files: ['*.xml'], base-directory: out}
  lines: {files: [coverage.xml], base-directory: out, file-format: COBERTURAXML}
"""
    create(builds, "reporting", spec.replace("'*.xml'", "junit.xml"))
    build = run(builds, "reporting")
    assert phases(build)["UPLOAD_ARTIFACTS"] == "SUCCEEDED", lines(service, build)
    assert sum("that the agent did not write" in line for line in lines(service, build)) == 1
    unit, covered = builds.batch_get_reports(reportArns=build["reportArns"])["reports"]
    assert (unit["status"], unit["testSummary"]["total"], unit["testSummary"]["statusCounts"]["FAILED"]) == (
        "FAILED",
        2,
        1,
    )
    assert covered["codeCoverageSummary"]["lineCoveragePercentage"] == 50
    cases = builds.describe_test_cases(reportArn=unit["arn"], filter={"status": "FAILED"})["testCases"]
    assert [(case["name"], case["message"]) for case in cases] == [("bad", "no")]
    files = builds.describe_code_coverages(reportArn=covered["arn"])["codeCoverages"]
    assert [row["filePath"] for row in files] == ["a.py"]
    groups = builds.list_report_groups()["reportGroups"]
    assert [arn.rpartition("/")[2] for arn in groups] == ["reporting-lines", "reporting-unit"]
    assert builds.list_reports_for_report_group(reportGroupArn=groups[1])["reports"] == [unit["arn"]]
    with pytest.raises(ClientError, match="deleteReports"):
        builds.delete_report_group(arn=groups[1])
    builds.delete_report_group(arn=groups[1], deleteReports=True)
    assert builds.batch_get_reports(reportArns=[unit["arn"]])["reportsNotFound"] == [unit["arn"]]
    none = run(builds, "reporting", buildspecOverride=spec.replace("'*.xml'", "absent.xml"))
    (failed,) = [phase for phase in none["phases"] if phase["phaseType"] == "UPLOAD_ARTIFACTS"]
    assert failed["contexts"] == [{
        "statusCode": "CLIENT_ERROR",
        "message": "Error in UPLOAD_ARTIFACTS phase: [unit: [report files not found in build]]",
    }]  # fmt: skip


def test_what_can_not_be_done_is_said(service: Service, builds: Any) -> None:
    """DEL-25: versions that are not here fail INSTALL with the choices; other refusals name what they refuse."""
    create(builds, "refusals", 'version: 0.2\nphases: {build: {commands: ["true"]}}\n')
    old = run(builds, "refusals", buildspecOverride='version: 0.1\nphases: {build: {commands: ["true"]}}\n')
    (failed,) = [phase for phase in old["phases"] if phase.get("phaseStatus") == "FAILED"]
    assert (failed["phaseType"], failed["contexts"][0]["statusCode"]) == ("DOWNLOAD_SOURCE", "YAML_FILE_ERROR")
    spec = 'version: 0.2\nphases: {install: {runtime-versions: {python: 2.7}, commands: ["true"]}}\n'
    python = run(builds, "refusals", buildspecOverride=spec)
    assert phases(python)["INSTALL"] == "FAILED"
    assert any("2.7" in line and "versions: 3." in line for line in lines(service, python))
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
    role = service.client("iam").create_role(RoleName="of-functions", AssumeRolePolicyDocument=json.dumps(trust))
    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
        builds.start_build(projectName="refusals", serviceRoleOverride=role["Role"]["Arn"])
    with pytest.raises(ClientError, match="reserved"):
        builds.start_build(projectName="refusals", environmentVariablesOverride=[{"name": "CODEBUILD_X", "value": "1"}])
    with pytest.raises(ClientError, match="Project cannot be found"):
        builds.start_build(projectName="nowhere")


def test_a_running_build_is_stopped_and_run_again(builds: Any) -> None:
    create(builds, "stopped", "version: 0.2\nphases: {build: {commands: [sleep 600]}}\n")
    identity = builds.start_build(projectName="stopped")["build"]["id"]

    def building() -> bool:
        return bool(builds.batch_get_builds(ids=[identity])["builds"][0]["currentPhase"] == "BUILD")

    until(building, "the build is in its phase BUILD", seconds=240)
    builds.stop_build(id=identity)
    build = ended(builds, identity)
    assert (build["buildStatus"], phases(build)["BUILD"]) == ("STOPPED", "STOPPED")
    again = builds.retry_build(id=identity)["build"]["id"]
    assert builds.list_builds_for_project(projectName="stopped")["ids"] == [again, identity]
    builds.stop_build(id=again)
