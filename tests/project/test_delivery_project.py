"""The project around a pipeline: names, the template's rights (DEL-46), the repositories' contents (DEL-50), the
preflight (DEL-7), the end (DEL-8).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from delivery.project.command import main
from delivery.project.names import BUILDS as BUILD_PROJECTS
from delivery.project.names import EXPERIMENT_RULES, REJECTION_RULE, RULES, Project
from delivery.project.seed import SOURCES, render
from pipelines import session
from pipelines.experiments import TAG, begin, find_name
from tests.commands import run_command
from tests.project.delivering import register, upload
from tests.project.rights import RIGHTS
from tests.project.templates import read_template
from tests.support import ROOT, Service, create_pipeline, script_step, start

ACCOUNT = "123456789012"
WITHOUT_RESOURCE = {
    "cloudwatch:PutMetricData", "ecr:GetAuthorizationToken", "sagemaker:ListMonitoringSchedules",
    "sagemaker:ListDataQualityJobDefinitions", "sagemaker:ListModelQualityJobDefinitions",
    "sagemaker:ListModelBiasJobDefinitions", "sagemaker:ListModelExplainabilityJobDefinitions",
    "application-autoscaling:RegisterScalableTarget", "application-autoscaling:DeregisterScalableTarget",
    "application-autoscaling:DescribeScalableTargets", "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:DeleteScalingPolicy", "application-autoscaling:DescribeScalingPolicies",
}  # fmt: skip
"""The actions that may be allowed on every resource, because they have none."""


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return read_template()


def resources(template: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: item["Properties"] for name, item in template["Resources"].items() if item["Type"] == kind}


def statements(role: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            yield statement["If"][1] if "If" in statement else statement


def of_the_five(rules: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Without those of experiments and of rejections."""
    others = (*EXPERIMENT_RULES, REJECTION_RULE)
    return {name: rule for name, rule in rules.items() if rule["Name"]["Sub"].rpartition("-")[2] not in others}


def test_every_role_is_created_and_bounded_and_every_pass_names_its_service(template: dict[str, Any]) -> None:
    roles = resources(template, "AWS::IAM::Role")
    referred = {word.partition(".")[0] for word in _words(template) if word.endswith("Role.Arn")}
    assert referred and referred <= set(roles)
    named = list(_members(template["Resources"], "RoleArn", "ServiceRole"))
    assert len(named) > 10
    for value in named:  # none is a name that somebody else must have made
        assert isinstance(value, dict) and value["GetAtt"].partition(".")[0] in roles, value
    for name, role in roles.items():
        boundary = ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]
        assert role["PermissionsBoundary"]["If"] == boundary, name
        for statement in statements(role):
            if "iam:PassRole" in statement["Action"]:
                assert statement["Action"] == ["iam:PassRole"], name
                assert "iam:PassedToService" in statement["Condition"]["StringEquals"], name


def _members(value: Any, *names: str) -> Iterator[Any]:
    """The values of all members of these names, however deep."""
    if isinstance(value, Mapping):
        yield from (item for name, item in value.items() if name in names)
    for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _members(item, *names)


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _words(item)
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)
    elif isinstance(value, str):
        yield value


def test_only_actions_without_resources_are_allowed_on_all(template: dict[str, Any]) -> None:
    wide = set()
    for role in resources(template, "AWS::IAM::Role").values():
        for statement in statements(role):
            assert not [action for action in statement["Action"] if "*" in action]
            if statement["Resource"] == "*":
                wide |= set(statement["Action"])
    assert wide == WITHOUT_RESOURCE


def test_builds_of_github_have_the_rights_of_codebuild_s(template: dict[str, Any]) -> None:
    roles = resources(template, "AWS::IAM::Role")
    own, github = ({statement["Sid"]: statement for statement in statements(roles[name])}
                   for name in ("BuildRole", "GitHubBuildRole"))  # fmt: skip
    assert github == {sid: statement for sid, statement in own.items() if sid not in ("Logs", "Branches")}


def test_deployments_of_github_have_the_rights_that_their_workflows_use(template: dict[str, Any]) -> None:
    """Those of the builds and of the endpoint's test, and the stack's own as `delivery.stages.deploy` asks for them."""
    role = resources(template, "AWS::IAM::Role")["GitHubDeployRole"]
    granted = {action for statement in statements(role) for action in statement["Action"]}
    builds = {right.partition("=")[0] for part in ("deploy", "test") for rights, _ in RIGHTS[part].values()
              for right in rights.split()}  # fmt: skip
    without = {action for action in builds if action.startswith("logs:")} | {"sagemaker:ListTags"}  # no project's ARN
    stacks = {f"cloudformation:{name}" for name in ("CreateStack", "UpdateStack", "DeleteStack", "DescribeStackEvents")}
    assert granted == (builds - without) | stacks | {"iam:PassRole"}


def test_five_rules_start_the_three_pipelines_and_a_rejection_starts_nothing(template: dict[str, Any]) -> None:
    rules = of_the_five(resources(template, "AWS::Events::Rule"))
    assert {rule["Name"]["Sub"].rpartition("-")[2] for rule in rules.values()} == set(RULES)
    for rule in rules.values():
        (target,) = rule["Targets"]
        assert "Pipeline}" in target["Arn"]["Sub"] and target["RoleArn"]
    detail = rules["ModelRule"]["EventPattern"]["detail"]
    assert detail["ModelApprovalStatus"]["If"] == ["RedeploysPrevious", ["Approved", "Rejected"], ["Approved"]]
    assert {"UpdatedModelPackageFields": ["ModelApprovalStatus"]} in detail["$or"]


def test_pipelines_have_filters_by_path_and_wait_without_failing(template: dict[str, Any]) -> None:
    pipelines = resources(template, "AWS::CodePipeline::Pipeline")
    assert len(pipelines) == 4  # one of them is that of experiments
    for name, pipeline in pipelines.items():
        assert pipeline["PipelineType"] == "V2"
        triggers = pipeline["Triggers"]
        (trigger,) = triggers["If"][1] if isinstance(triggers, dict) else triggers
        (push,) = trigger["GitConfiguration"]["Push"]
        assert push["FilePaths"]["Includes"], name
        for stage in pipeline["Stages"]:
            if stage["Name"].startswith("Deploy"):
                (condition,) = stage["BeforeEntry"]["Conditions"]
                assert condition["Result"] == "SKIP" and condition["Rules"][0]["Configuration"]["Value"] == "ready"
            for action in stage["Actions"]:
                for choice in action["If"][1:] if "If" in action else [action]:
                    source = choice["Configuration"]
                    assert (
                        source.get("DetectChanges", "false") == source.get("PollForSourceChanges", "false") == "false"
                    )


BUILDS = {
    "BuildProject": "codebuild-buildspec.yml", "ExperimentProject": "codebuild-buildspec.yml",
    "DeployProject": "delivery/modeldeploy/buildspec.yml", "TestProject": "delivery/modeldeploy/test-buildspec.yml",
    "MonitorProject": "delivery/modelmonitor/buildspec.yml",
}  # fmt: skip
OF_THE_SERVICE = {"AWS_REGION"}
OF_THE_ACTION = {"SOURCE_BRANCH", "MODEL_VERSION", "BRANCH_IS_DELETED", "DELIVERY_OPTIONS"}


def test_every_variable_that_a_build_reads_is_set_by_its_project(template: dict[str, Any]) -> None:
    """DEL-6: a published template's build read SAGEMAKER_PROJECT_ARN, which nobody set, and lost the project's tags."""
    projects = resources(template, "AWS::CodeBuild::Project")
    assert set(projects) == set(BUILDS)
    assert {project["Name"]["Sub"].rpartition("-")[2] for project in projects.values()} == set(BUILD_PROJECTS)
    for name, project in projects.items():
        assert project["Source"]["BuildSpec"] == BUILDS[name]
        given = {row["Name"] for row in project["Environment"]["EnvironmentVariables"]}
        text = (ROOT / BUILDS[name]).read_text()
        commands = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
        read = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", commands))
        made = set(re.findall(r"\b([A-Z][A-Z_]+)=", commands)) - given
        unset = {
            word for word in read - given - made - OF_THE_ACTION - OF_THE_SERVICE if not word.startswith("CODEBUILD_")
        }
        assert not unset, name
        assert project["Environment"]["Image"] == {"Ref": "BuildImage"}
    image = template["Parameters"]["BuildImage"]["Default"]
    assert re.fullmatch(r"aws/codebuild/amazonlinux-x86_64-standard:\d\.0", image)  # AL2023, and not amazonlinux2


def test_an_approval_is_asked_for_only_after_the_test_of_staging(template: dict[str, Any]) -> None:
    stages = resources(template, "AWS::CodePipeline::Pipeline")["ModelDeployPipeline"]["Stages"]
    (staging,) = [stage for stage in stages if stage["Name"] == "DeployStaging"]
    order = {action["Name"]: action["RunOrder"] for action in staging["Actions"]}
    assert order["DeployResourcesStaging"] < order["TestStaging"] < order["ApproveDeployment"]


def test_what_an_account_has_once_outlives_the_project_that_made_it(template: dict[str, Any]) -> None:
    kept = {name for name, item in template["Resources"].items() if item.get("DeletionPolicy") == "Retain"}
    assert kept == {"ArtifactBucket", "ModelGroup", "GitHubIdentity"}
    assert all(template["Resources"][name]["UpdateReplacePolicy"] == "Retain" for name in kept)


def test_names_that_aws_refuses_are_named_before_anything_is_made() -> None:
    assert list(Project("a" * 32, "p-abcdefgh1234").find_problems(ACCOUNT)) == []
    long = list(Project("a" * 33, "p-" + "b" * 20).find_problems(ACCOUNT))
    assert [line.split(" ", 3)[2] for line in long[:2]] == ["name", "id"] and len(long) >= 4
    (wrong,) = Project("1abalone", "p-1").find_problems(ACCOUNT)
    assert "'1abalone' must match" in wrong


@pytest.mark.parametrize("repository", sorted(SOURCES))
def test_a_repository_holds_what_its_builds_run(repository: str, tmp_path: Path) -> None:
    first = render(repository, tmp_path, github_actions=True)
    assert render(repository, tmp_path, github_actions=True) == first  # again changes nothing
    workflows = ROOT / "delivery/project/workflows"
    for path in first:  # DEL-50: what runs here and on AWS is the same, byte for byte
        origin = workflows / path.name if path.parts[0] == ".github" else ROOT / path
        assert (tmp_path / path).read_bytes() == origin.read_bytes(), path
    if repository == "modelbuild":
        assert {Path("codebuild-buildspec.yml"), Path("pipelines/abalone/pipeline.py")} <= set(first)
        return
    module = f"delivery.{repository}.build"
    alone = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    # Without the finder of editable installations, which would fetch from this checkout what the repository lacks.
    program = (
        "import sys; sys.meta_path[:] = [one for one in sys.meta_path if 'ditable' not in repr(one)]; "
        f"sys.path.insert(0, {str(tmp_path)!r}); import {module} as m; print(m.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, env=alone, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert done.stdout.startswith(str(tmp_path)), done.stderr
    commands = yaml.safe_load((tmp_path / f"delivery/{repository}/buildspec.yml").read_text())["phases"]
    assert module in json.dumps(commands)


def test_repositories_begin_with_archives_where_the_template_is_given_any(template: dict[str, Any]) -> None:
    for repository in resources(template, "AWS::CodeCommit::Repository").values():
        condition, code, nothing = repository["Code"]["If"]
        assert (condition, nothing) == ("HasSeed", {"Ref": "AWS::NoValue"})
        kind = repository["RepositoryName"]["Sub"].rpartition("-")[2]
        assert code["S3"] == {"Bucket": {"Ref": "SeedBucket"}, "Key": {"Sub": f"${{SeedPrefix}}{kind}.zip"}}
        assert code["BranchName"] == {"Ref": "Branch"}
    assert template["Parameters"]["SeedBucket"]["Default"] == template["Parameters"]["SeedPrefix"]["Default"] == ""


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["create", "a", "b", "--approval-timeout", "3"], 2, "5 to 86400 minutes are expected, not 3"),
        (["create", "a", "b", "--experiments", "exp/a"], 2, "digits, - and _ are expected before one slash, not exp/a"),
        (["creat", "a", "b"], 2, "creat does not exist; did you mean create?"),
        (
            ["preflight", "a", "b", "--region", "us-east-1"],
            2,
            "there are no AWS credentials; configure some, or add --local",
        ),
        (["preflight", "a", "b"], 1, "no region is named: --region, or AWS_REGION"),
        (["seed", "--output", "/dev/null/seed"], 1, "/dev/null"),
        (["deploy", "a", "b", "--version", "x", "--region", "us-east-1"], 1, "a number or latest is expected, not x"),
    ],
)
def test_a_mistake_is_one_line_with_the_next_step(
    words: list[str], code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
               "AWS_EC2_METADATA_DISABLED": "true", "PATH": os.environ["PATH"]}  # fmt: skip
    session.boto_session.cache_clear()
    with mock.patch.dict(os.environ, nothing, clear=True):
        try:
            found = main(words)
        except SystemExit as usage:
            found = int(str(usage.code))
    session.boto_session.cache_clear()
    said = capsys.readouterr().err
    assert (found, len(said.splitlines())) == (code, 1) and text in said


def test_templates_are_read_from_the_endpoint_of_the_region() -> None:
    suffixes = {region: session.find_suffix(region) for region in ("eu-west-1", "us-gov-west-1", "cn-north-1")}
    assert suffixes == {
        "eu-west-1": "amazonaws.com", "us-gov-west-1": "amazonaws.com", "cn-north-1": "amazonaws.com.cn",
    }  # fmt: skip
    assert "amazonaws.com/" not in Path(str(sys.modules[main.__module__].__file__)).read_text()


def test_deletion_leaves_nothing_and_can_be_repeated(service: Service) -> None:
    project = Project("ends", "p-ends")
    bucket = project.bucket(ACCOUNT)
    uri = upload(service, bucket)
    service.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    service.client("s3").put_object(Bucket=bucket, Key="again", Body=b"1")
    tag = {"Key": "sagemaker:project-name", "Value": project.name}
    service.client("s3").put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [tag]})
    logs, strangers = service.client("logs"), [f"/aws/codebuild/{project.prefix}-{end}" for end in ("2-test", "mine")]
    for name in (*strangers, f"/aws/codebuild/{project.prefix}-test"):
        logs.create_log_group(logGroupName=name)
    sagemaker, branch = service.client("sagemaker"), find_name(project.group, "experiment/x", "main")
    archive = f"{project.group}-archive-202611"  # another's, though it reads like a branch with its hash
    begin(sagemaker, branch, project.group)
    sagemaker.create_model_package_group(ModelPackageGroupName=archive)
    sagemaker.create_model_package_group(ModelPackageGroupName=project.group)
    slow = script_step("Slow", "import time; time.sleep(600)")
    for name in (project.group, branch, archive):
        create_pipeline(sagemaker, name, slow)
    arn = sagemaker.describe_pipeline(PipelineName=branch)["PipelineArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": TAG, "Value": project.group}])
    running = start(sagemaker, branch)
    register(service, project.group, uri)
    uploads = f"sagemaker-us-east-1-{ACCOUNT}"  # where its template and the first contents of its repositories are
    service.client("s3").create_bucket(Bucket=uploads)
    for key in (f"{project.uploads}modelbuild.zip", "delivery/p-ends-not/modelbuild.zip"):
        service.client("s3").put_object(Bucket=uploads, Key=key, Body=b"1")
    words = ("delivery", "delete", project.name, project.id)
    listed = run_command(service, *words).stdout
    assert f"the bucket {bucket} stays" in listed and f"stop the execution {running}" in listed
    planned = run_command(service, *words, "--with-data").stdout
    assert f"delete the bucket {bucket}" in planned and "nothing was deleted: add --yes" in planned
    run_command(service, *words, "--with-data", "--yes")
    assert bucket not in [item["Name"] for item in service.client("s3").list_buckets()["Buckets"]]
    left = sagemaker.list_model_package_groups(NameContains="ends-p-ends")["ModelPackageGroupSummaryList"]
    assert [row["ModelPackageGroupName"] for row in left] == [archive]
    groups = logs.describe_log_groups(logGroupNamePrefix=f"/aws/codebuild/{project.prefix}-")["logGroups"]
    assert [group["logGroupName"] for group in groups] == strangers
    left = sagemaker.list_pipelines(PipelineNamePrefix="ends-p-ends")["PipelineSummaries"]
    assert [row["PipelineName"] for row in left] == [archive]
    kept = service.client("s3").list_objects_v2(Bucket=uploads, Prefix="delivery/p-ends")["Contents"]
    assert [item["Key"] for item in kept] == ["delivery/p-ends-not/modelbuild.zip"]
    assert run_command(service, *words, "--with-data", "--yes").stdout == "nothing is left of the project\n"
