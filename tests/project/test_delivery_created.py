"""A project that SageMaker made of the delivery's own template: rights by simulation (DEL-47), branches, commits at
once, what starts a deployment (DEL-2 to 5), the end (DEL-8).
"""

from __future__ import annotations

import io
import json
import sysconfig
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from delivery.project.command import TEMPLATE
from delivery.project.names import EXPERIMENT_RULES, REJECTION_RULE, RULES, Project
from delivery.project.seed import ROOT, make_archive
from tests.commands import run_command
from tests.project.delivering import register, upload
from tests.project.rights import DENIED, RIGHTS
from tests.support import ROLE, Service, until

NAME, BUCKET, ACCOUNT, REGION = "granted", "template-of-a-project", "123456789012", "us-east-1"
IMAGES = {name: f"1.dkr.ecr.us-east-1.amazonaws.com/{name.lower()}" for name in ("MonitorImageUri", "ClarifyImageUri")}
PARAMETERS = {
    **IMAGES, "SourceProvider": "codecommit", "ExperimentBranches": "experiment/", "ApprovalTimeoutInMinutes": "60",
    "FlavourDecision": "native, 2026-11-29: a test", "SeedBucket": BUCKET, "SeedPrefix": "seeds/",
}  # fmt: skip
BRANCH = "experiment/deeper"
UPSERT = """\
import ast, os, sys, boto3
sagemaker, name = boto3.client("sagemaker"), os.environ["SAGEMAKER_PROJECT_NAME_ID"]
assert os.environ["CODEBUILD_RESOLVED_SOURCE_VERSION"] and os.environ["SOURCE_BRANCH"] in ("experiment/deeper", "main")
sagemaker.create_pipeline(PipelineName=name, RoleArn=os.environ["SAGEMAKER_PIPELINE_ROLE_ARN"],
    PipelineDefinition='{"Version": "2020-12-01", "Steps": []}', ClientRequestToken=name.ljust(32, "x"),
    Tags=ast.literal_eval(sys.argv[sys.argv.index("--tags") + 1]))
"""
WAITING = """\
version: 0.2
env: {exported-variables: [DELIVERY_STATE]}
phases: {build: {commands: ["export DELIVERY_STATE=waiting", "mkdir build", "touch build/a"]}}
artifacts: {files: ["build/a"]}
"""
READY = """\
version: 0.2
env: {{exported-variables: [DELIVERY_STATE, MODEL_PACKAGE_ARN]}}
phases: {{build: {{commands: ["export DELIVERY_STATE=ready MODEL_PACKAGE_ARN={version}"]}}}}
artifacts: {{base-directory: made, files: ["*"]}}
"""
STACK = """\
Parameters: {Name: {Type: String}}
Resources: {Mark: {Type: AWS::SSM::Parameter, Properties: {Name: !Ref Name, Type: String, Value: deployed}}}
"""


@dataclass(frozen=True)
class MadeProject:
    """A project on a service."""

    service: Service
    project: Project

    def client(self, name: str) -> Any:
        return self.service.client(name)

    def commit(self, kind: str, branch: str, files: Mapping[str, str], parent: str) -> str:
        """To one of its repositories; the id."""
        put = [{"filePath": name, "fileContent": text.encode()} for name, text in files.items()]
        request = {"repositoryName": f"{self.project.prefix}-{kind}", "branchName": branch, "putFiles": put}
        return str(self.client("codecommit").create_commit(**request, parentCommitId=parent)["commitId"])

    def first_commit(self, kind: str) -> str:
        """The id of the one that CloudFormation has made of a seed."""
        name = f"{self.project.prefix}-{kind}"
        branch = self.client("codecommit").get_branch(repositoryName=name, branchName="main")["branch"]
        return str(branch["commitId"])

    def executions(self, kind: str) -> list[dict[str, Any]]:
        """Of a delivery pipeline, the newest first."""
        pages = self.client("codepipeline").list_pipeline_executions(pipelineName=f"{self.project.prefix}-{kind}")
        return list(pages["pipelineExecutionSummaries"])

    def experiments(self) -> list[str]:
        listed = self.client("sagemaker").list_pipelines(PipelineNamePrefix=self.project.group)["PipelineSummaries"]
        return [item["PipelineName"] for item in listed]


@pytest.fixture(scope="module")
def made(service: Service) -> Iterator[MadeProject]:
    """Created by SageMaker's own operation from the template in S3."""
    s3, sagemaker = service.client("s3"), service.client("sagemaker")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="project-template.yml", Body=TEMPLATE.read_bytes())
    seeds = {"modelbuild": model_build(), **{kind: make_archive(kind) for kind in ("modeldeploy", "modelmonitor")}}
    for kind, archive in seeds.items():
        s3.put_object(Bucket=BUCKET, Key=f"seeds/{kind}.zip", Body=archive)
    provider = {
        "TemplateName": "build-deploy-monitor", "RoleARN": ROLE,
        "TemplateURL": f"https://{BUCKET}.s3.us-east-1.amazonaws.com/project-template.yml",
        "Parameters": [{"Key": key, "Value": value} for key, value in PARAMETERS.items()],
    }  # fmt: skip
    answer = sagemaker.create_project(ProjectName=NAME, TemplateProviders=[{"CfnTemplateProvider": provider}])

    def described() -> dict[str, Any]:
        return dict(sagemaker.describe_project(ProjectName=NAME))

    until(lambda: not described()["ProjectStatus"].endswith("InProgress"), "the project", seconds=600)
    assert described()["ProjectStatus"] == "CreateCompleted", json.dumps(described(), default=str)
    found = MadeProject(service, Project(NAME, str(answer["ProjectId"])))
    yield found
    run_command(service, "delivery", "delete", NAME, found.project.id, "--yes", "--with-data")


def test_the_project_has_what_the_template_says(made: MadeProject) -> None:
    rules = made.client("events").list_rules(NamePrefix=made.project.prefix)["Rules"]
    assert {rule["Name"].rpartition("-")[2] for rule in rules} == {*RULES, REJECTION_RULE, *EXPERIMENT_RULES}
    check_five_rules(made)
    value = made.client("ssm").get_parameter(Name=f"/sagemaker/{made.project.group}/flavour")["Parameter"]["Value"]
    assert value == PARAMETERS["FlavourDecision"]
    pipelines = made.client("codepipeline")
    for kind in ("modeldeploy", "modelmonitor"):
        structure = pipelines.get_pipeline(name=f"{made.project.prefix}-{kind}")["pipeline"]
        actions = [action for stage in structure["stages"] for action in stage["actions"]]
        (approval,) = [one for one in actions if one["actionTypeId"]["category"] == "Approval"]
        assert approval["timeoutInMinutes"] == 60


def check_five_rules(made: MadeProject) -> None:
    """Each starts its pipeline, matches the event that it is for, and not the one that differs in a word."""
    events, project = made.client("events"), made.project

    def pushed(kind: str, branch: str) -> dict[str, Any]:
        detail = {"event": "referenceUpdated", "referenceType": "branch", "referenceName": branch}
        return {"source": "aws.codecommit", "detail-type": "CodeCommit Repository State Change", "detail": detail,
                "resources": [f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{project.prefix}-{kind}"]}  # fmt: skip

    def version(status: str) -> dict[str, Any]:
        detail = {"ModelPackageGroupName": project.group, "ModelApprovalStatus": status,
                  "UpdatedModelPackageFields": ["ModelApprovalStatus"]}  # fmt: skip
        return {"source": "aws.sagemaker", "detail-type": "SageMaker Model Package State Change", "detail": detail}

    def endpoint(status: str) -> dict[str, Any]:
        detail = {"EndpointName": f"{project.name}-staging", "EndpointStatus": status}
        return {"source": "aws.sagemaker", "detail-type": "SageMaker Endpoint State Change", "detail": detail}

    def production(state: str) -> dict[str, Any]:
        detail = {"pipeline": f"{project.prefix}-modeldeploy", "stage": "DeployProd", "state": state}
        name = "CodePipeline Stage Execution State Change"
        return {"source": "aws.codepipeline", "detail-type": name, "detail": detail}

    for rule, kind, right, wrong in (
        ("build", "modelbuild", pushed("modelbuild", "main"), pushed("modelbuild", "other")),
        ("code", "modeldeploy", pushed("modeldeploy", "main"), pushed("modelbuild", "main")),
        ("mon", "modelmonitor", pushed("modelmonitor", "main"), pushed("modeldeploy", "main")),
        ("model", "modeldeploy", version("Approved"), version("Rejected")),
        ("ep", "modelmonitor", endpoint("IN_SERVICE"), endpoint("UPDATING")),
        ("ep", "modelmonitor", production("SUCCEEDED"), production("FAILED")),
    ):
        name = f"{project.prefix}-{rule}"
        (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
        assert target["Arn"].endswith(f":{project.prefix}-{kind}"), rule
        pattern = events.describe_rule(Name=name)["EventPattern"]
        common = {"id": "1", "account": ACCOUNT, "time": "2026-11-29T00:00:00Z", "region": REGION, "resources": []}
        found = [events.test_event_pattern(EventPattern=pattern, Event=json.dumps({**common, **event}))["Result"]
                 for event in (right, wrong)]  # fmt: skip
        assert found == [True, False], rule


def granted(made: MadeProject, role: str) -> set[str]:
    """The actions of a role's policies."""
    iam, name = made.client("iam"), f"{made.project.prefix}-{role}"
    document = iam.get_role_policy(RoleName=name, PolicyName=role)["PolicyDocument"]
    return {action for statement in document["Statement"] for action in statement["Action"]}


def arn(made: MadeProject, resource: str) -> str:
    """Of an example such as ``sagemaker:pipeline/G``."""
    service, _, rest = resource.partition(":")
    project = made.project
    words = {"P": project.prefix, "G": project.group, "N": NAME, "B": project.bucket(ACCOUNT)}
    if resource == "*":
        return "*"
    for letter, text in words.items():
        parts = [text + part[1:] if part == letter or part.startswith(f"{letter}-") else part
                 for part in rest.replace(":", "/:/").split("/")]  # fmt: skip
        rest = "/".join(parts).replace("/:/", ":")
    place = {"s3": ":", "iam": f":{ACCOUNT}"}.get(service, f"{REGION}:{ACCOUNT}")
    return f"arn:aws:{service}:{place}:{rest}"


def may(made: MadeProject, role: str, right: str, resource: str) -> bool:
    """Whether IAM's simulation allows it; a right is an action, or ``action=key=value`` with a key of its context."""
    action, _, context = right.partition("=")
    key, _, value = context.partition("=")
    value = made.project.group if value == "G" else value
    entries = [{"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}] if key else []
    answer = made.client("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/service-role/{made.project.prefix}-{role}",
        ActionNames=[action], ResourceArns=[arn(made, resource)], ContextEntries=entries,
    )  # fmt: skip
    return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")


@pytest.mark.parametrize("role", sorted(RIGHTS))
def test_every_right_is_granted_and_every_grant_is_needed(made: MadeProject, role: str) -> None:
    """DEL-47: without any one of the granted actions, this fails for its role and names the action."""
    needed = [(right, place) for place, (rights, _) in RIGHTS[role].items() for right in rights.split()]
    missing = [f"{right} on {place}" for right, place in needed if not may(made, role, right, place)]
    assert not missing
    assert granted(made, role) == {right.partition("=")[0] for right, _ in needed}
    beyond = {place: action for place, action in DENIED[role].items() if may(made, role, action, place)}
    assert not beyond
    for right, place in needed:
        if "=" in right:  # the same without what the condition asks for
            assert not may(made, role, f"{right.rpartition('=')[0]}=other", place), right


@pytest.mark.parametrize("kind", ["modelbuild", "modeldeploy", "modelmonitor"])
def test_the_first_execution_of_every_pipeline_succeeds(made: MadeProject, kind: str) -> None:
    """DEL-2: on day one nothing is red. What has nothing to do yet says that it waits, and skips its stages."""
    until(lambda: made.executions(kind)[-1]["status"] != "InProgress", f"the first execution of {kind}", 240)
    (first,) = made.executions(kind)
    assert (first["status"], first["trigger"]["triggerType"]) == ("Succeeded", "CreatePipeline")
    assert first["sourceRevisions"][0]["revisionId"] == made.first_commit(kind)
    client, name = made.client("codepipeline"), f"{made.project.prefix}-{kind}"
    stages = client.get_pipeline_state(name=name)["stageStates"]
    skipped = [stage["stageName"] for stage in stages if stage["latestExecution"]["status"] == "Skipped"]
    assert skipped == ([] if kind == "modelbuild" else ["DeployStaging", "DeployProd"])


def build_specification() -> str:
    """The commands of the model build's own, without installation."""
    commands = yaml.safe_load((ROOT / "codebuild-buildspec.yml").read_text())["phases"]["build"]["commands"]
    before = f"export PYTHONPATH={sysconfig.get_path('purelib')}"
    return yaml.safe_dump({"version": 0.2, "phases": {"build": {"commands": [before, *commands]}}})


def model_build() -> bytes:
    """A seed of the model build whose pipeline has no steps: a program of this test stands in for run-pipeline."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("codebuild-buildspec.yml", build_specification())
        archive.writestr("pipelines/run_pipeline.py", UPSERT)
        archive.writestr("pipelines/__init__.py", "#")
        archive.write(ROOT / "pipelines/experiments.py", "pipelines/experiments.py")
    return made.getvalue()


def test_a_branch_runs_under_a_name_of_its_own_and_goes_with_it(made: MadeProject) -> None:
    made.client("codecommit").create_branch(
        repositoryName=f"{made.project.prefix}-modelbuild", branchName=BRANCH, commitId=made.first_commit("modelbuild")
    )
    (name,) = until(
        lambda: [one for one in made.experiments() if one != made.project.group], "the branch's pipeline", 240
    )
    assert name.startswith(f"{made.project.group}-experiment-deeper-")
    groups = made.client("sagemaker").list_model_package_groups(NameContains=name)["ModelPackageGroupSummaryList"]
    assert [group["ModelPackageGroupName"] for group in groups] == [name]
    made.client("codecommit").delete_branch(repositoryName=f"{made.project.prefix}-modelbuild", branchName=BRANCH)
    until(lambda: name not in made.experiments(), "the end of the branch's pipeline", 240)
    until(lambda: not made.client("sagemaker").list_model_package_groups(NameContains=name)
          ["ModelPackageGroupSummaryList"], "the end of its group", 240)  # fmt: skip
    client = made.client("codebuild")
    builds = client.list_builds_for_project(projectName=f"{made.project.prefix}-experiment")["ids"]
    assert len(builds) == 2

    def statuses() -> set[str]:
        return {build["buildStatus"] for build in client.batch_get_builds(ids=builds)["builds"]}

    until(lambda: "IN_PROGRESS" not in statuses(), "the end of the builds", 240)
    assert statuses() == {"SUCCEEDED"}


def test_of_two_commits_at_once_one_is_refused_and_each_that_came_in_runs_by_itself(made: MadeProject) -> None:
    seed = made.first_commit("modeldeploy")
    first = made.commit("modeldeploy", "main", {"delivery/modeldeploy/buildspec.yml": WAITING}, seed)
    second = made.commit("modeldeploy", "main", {"a": "1"}, first)
    with pytest.raises(ClientError, match="ParentCommitIdOutdated"):
        made.commit("modeldeploy", "main", {"a": "2"}, first)
    third = made.commit("modeldeploy", "main", {"a": "2"}, second)

    def rows() -> list[dict[str, Any]]:
        return [row for row in made.executions("modeldeploy") if row["trigger"]["triggerType"] == "CloudWatchEvent"]

    until(lambda: len(rows()) == 3 and all(row["status"] != "InProgress" for row in rows()), "three executions", 240)
    assert {row["status"] for row in rows()} == {"Succeeded"}  # nothing is approved: stages are skipped, none is red
    commits = [row["sourceRevisions"][0]["revisionId"] for row in rows()]
    assert commits[0] == third and {*commits} <= {first, second, third}


def deploys_a_version(made: MadeProject, version: str) -> None:
    """The command's version reaches the build."""
    said = run_command(made.service, "delivery", "deploy", NAME, made.project.id, "--version", version).stdout
    identity = said.split(" of ")[0].rpartition(" ")[2]
    pipelines, name = made.client("codepipeline"), f"{made.project.prefix}-modeldeploy"

    def variables() -> Any:
        listed = pipelines.list_action_executions(pipelineName=name, filter={"pipelineExecutionId": identity})
        builds = [row for row in listed["actionExecutionDetails"] if row["actionName"] == "RenderConfigurations"]
        return builds and builds[0]["input"]["resolvedConfiguration"].get("EnvironmentVariables")

    assert json.loads(until(variables, "the build", 240)) == [{"name": "MODEL_VERSION", "value": version}]


def refuses_to_deploy(made: MadeProject, version: str) -> str:
    """Why, in one line."""
    done = run_command(made.service, "delivery", "deploy", NAME, made.project.id, "--version", version, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    return str(done.stderr)


def test_only_an_approval_starts_a_deployment(made: MadeProject) -> None:
    """DEL-3 to 5. Events come in their order: the approval is sent last, so that nothing can still be on its way."""
    sagemaker, group = made.client("sagemaker"), made.project.group
    before = made.executions("modeldeploy")
    rejected, approved = (register(made.service, group, upload(made.service, f"{NAME}-{n}")) for n in (1, 2))
    life = {"Stage": "QA", "StageStatus": "Approved", "StageDescription": "a test"}
    sagemaker.update_model_package(ModelPackageArn=approved, ModelLifeCycle=life)
    sagemaker.update_model_package(ModelPackageArn=rejected, ModelApprovalStatus="Rejected")
    sagemaker.update_model_package(ModelPackageArn=approved, ModelApprovalStatus="Approved")
    sagemaker.update_model_package(ModelPackageArn=approved, ModelLifeCycle={**life, "Stage": "Production"})
    until(lambda: len(made.executions("modeldeploy")) > len(before), "the deployment", 240)
    numbers = [arn.rpartition("/")[2] for arn in (rejected, approved)]
    assert f"{group}/{numbers[0]} is Rejected, and only approved" in refuses_to_deploy(made, numbers[0])
    assert f"the group {group} has no version 9; there are: 1, 2" in refuses_to_deploy(made, "9")
    assert len(made.executions("modeldeploy")) == len(before) + 1
    deploys_a_version(made, numbers[1])


def test_a_rejected_approval_is_the_version_s_last_stage(made: MadeProject) -> None:
    """Its life cycle says so, with the comment; the version stays approved, and nothing of production is made."""
    version = register(made.service, made.project.group, upload(made.service, f"{NAME}-rejected"))
    configuration = json.dumps({"Parameters": {"Name": f"{NAME}-mark"}})
    files = {
        "delivery/modeldeploy/buildspec.yml": READY.format(version=version), "made/endpoint-template.yml": STACK,
        "delivery/modeldeploy/test-buildspec.yml": "{version: 0.2, phases: {build: {commands: ['true']}}}",
        "made/staging-config-export.json": configuration, "made/prod-config-export.json": configuration,
    }  # fmt: skip
    pipelines, name = made.client("codepipeline"), f"{made.project.prefix}-modeldeploy"
    commit = made.commit("modeldeploy", "main", files, made.first_commit("modeldeploy"))

    def waiting() -> Any:
        stages = pipelines.get_pipeline_state(name=name)["stageStates"]
        rows = [
            row.get("latestExecution", {})
            for row in stages[2]["actionStates"]
            if row["actionName"] == "ApproveDeployment"
        ]
        return rows[0].get("token") if rows[0].get("status") == "InProgress" else None

    token = until(waiting, f"the approval of {commit}", 240)
    comment = 'its "errors" are $too large'
    pipelines.put_approval_result(
        pipelineName=name, stageName="DeployStaging", actionName="ApproveDeployment", token=token,
        result={"summary": comment, "status": "Rejected"},
    )  # fmt: skip
    sagemaker = made.client("sagemaker")

    def described() -> dict[str, Any]:
        return dict(sagemaker.describe_model_package(ModelPackageName=version))

    until(lambda: "ModelLifeCycle" in described(), "the life cycle", 60)
    stage = {"Stage": "Production", "StageStatus": "Rejected", "StageDescription": comment}
    assert described()["ModelLifeCycle"] == stage
    assert described()["ModelApprovalStatus"] == "PendingManualApproval"
    stacks = made.client("cloudformation").list_stacks()["StackSummaries"]
    assert f"{made.project.prefix}-deploy-prod" not in [row["StackName"] for row in stacks]


def test_deletion_also_ends_sagemaker_s_project_and_can_be_repeated(made: MadeProject) -> None:
    words = ("delivery", "delete", NAME, made.project.id, "--yes", "--with-data")
    said = run_command(made.service, *words).stdout
    assert f"delete the SageMaker project {NAME}" in said and "delete the log group /aws/codebuild/" in said
    assert made.client("sagemaker").describe_project(ProjectName=NAME)["ProjectStatus"] == "DeleteCompleted"
    assert run_command(made.service, *words).stdout == "nothing is left of the project\n"
    left: Mapping[str, Any] = made.client("iam").list_roles(PathPrefix="/service-role/")
    assert not [role for role in left["Roles"] if role["RoleName"].startswith(made.project.prefix)]
