"""What stands in the way of a project is said before anything is made: names, rights, repositories."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import defaultdict
from typing import Any, cast
from unittest import mock

import pytest

from delivery.project import preflight
from delivery.project.command import main
from delivery.project.github import explain_names
from delivery.project.names import Project
from delivery.project.preflight import ProjectRequest, find_principal
from pipelines import session
from pipelines.checks.preflight import FlavourDecision, decide, probe
from tests.commands import run_command
from tests.project.templates import read_template
from tests.support import ROLE, Service

ACCOUNT = "123456789012"


def test_every_problem_is_named_in_one_run(service: Service) -> None:
    words = ("delivery", "preflight", "1" * 40, "ID", "--connection-arn", "mine", "--repository", "repository")
    done = run_command(service, *words, check=False)
    assert done.returncode == 2
    for text in ("the project's name '111", "the project's id 'ID' must match", "has 40 characters, 32 are allowed",
                 "mine is no ARN of a connection: aws codeconnections list-connections shows them",
                 "the repository has to be OWNER/NAME, and 'repository' is none: --repository"):  # fmt: skip
        assert text in done.stderr
    assert "validation" not in done.stderr.lower()  # nothing was looked up by a name that AWS refuses


def test_a_name_that_no_project_can_have_is_refused_by_every_command(service: Service) -> None:
    for words in (("deploy", "abalone", "P 1"), ("delete", "bad name", "p-1", "--yes"), ("delete", "abalone", "P 1")):
        done = run_command(service, "delivery", *words, check=False)
        assert done.returncode == 1
        assert re.fullmatch(r"delivery: the project's (name|id) '[^']+' must match \S+\n", done.stderr), done.stderr


def test_of_an_assumed_role_the_role_s_rights_count_wherever_its_path_leads(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    iam, name = service.client("iam"), "AWSReservedSSO_Admin_0a1b2c"
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=name, Path="/aws-reserved/sso.amazonaws.com/eu-west-1/",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]  # fmt: skip
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    refused = {"Effect": "Deny", "Action": "iam:CreateOpenIDConnectProvider", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed, refused]})
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document)
    caller = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/someone"
    assert find_principal(caller, iam) == role
    assert find_principal(f"arn:aws:iam::{ACCOUNT}:user/me", iam) == f"arn:aws:iam::{ACCOUNT}:user/me"
    key = service.client("sts").assume_role(RoleArn=role, RoleSessionName="someone")["Credentials"]
    own = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
           "AWS_SESSION_TOKEN": key["SessionToken"]}  # fmt: skip
    words = ["preflight", "abalone", "p-sso", "--source", "github-actions", "--repository", "octo/models"]

    def run() -> int:
        session.boto_session.cache_clear()
        with mock.patch.dict(os.environ, service.environment(**own), clear=True):
            code = main(words)
        session.boto_session.cache_clear()
        return code

    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
    assert run() == 2
    assert capsys.readouterr().err == f"{role} may not iam:CreateOpenIDConnectProvider on {provider}\n"
    iam.create_open_id_connect_provider(Url="https://token.actions.githubusercontent.com", ThumbprintList=["0" * 40])
    try:
        code = run()
    finally:
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "gh api repos/octo/models" in said.out and not explain_names("octo@12/models@34")


def test_every_tag_of_the_template_is_asked_for() -> None:
    tagging = {
        "AWS::CodeCommit::Repository": "codecommit:TagResource",
        "AWS::CodePipeline::Pipeline": "codepipeline:TagResource",
        "AWS::Events::Rule": "events:TagResource", "AWS::IAM::OIDCProvider": "iam:TagOpenIDConnectProvider",
        "AWS::IAM::Role": "iam:TagRole", "AWS::S3::Bucket": "s3:PutBucketTagging",
        "AWS::SSM::Parameter": "ssm:AddTagsToResource", "AWS::SageMaker::ModelPackageGroup": "sagemaker:AddTags",
        "AWS::Lambda::Function": "lambda:TagResource", "AWS::Logs::LogGroup": "logs:TagResource",
        "AWS::CodeBuild::Project": "codebuild:CreateProject",  # which has no action of its own for tags
    }  # fmt: skip
    resources = read_template()["Resources"].values()
    tagged = {item["Type"] for item in resources if "Tags" in item["Properties"]}
    wishes = [ProjectRequest(Project("a", "b"), provider) for provider in ("codecommit", "github-actions")]
    needed = {action for wish in wishes for _, actions in wish.actions() for action in actions}
    assert {tagging[kind] for kind in tagged} <= needed


@pytest.mark.parametrize(
    ("provider", "repository", "right"),
    [
        ("github-actions", "octo/models", True),
        ("github-actions", "octo@12/models@34", True),
        ("github-actions", "octo@12/models", False),
        ("github-actions", "octo/*", False),
        ("github-actions", "group/sub/models", False),
        ("connection", "group/sub/models", True),
        ("connection", "octo@12/models@34", False),
        ("connection", "", False),
        ("codecommit", "", True),
    ],
)
def test_a_repository_is_named_as_its_provider_names_it(provider: str, repository: str, right: bool) -> None:
    found = list(ProjectRequest(Project("a", "b"), provider, repository=repository).find_problems())
    assert (not found) is right
    if provider == "github-actions":
        pattern = read_template()["Parameters"]["GitHubRepository"]["AllowedPattern"]
        assert (re.fullmatch(pattern, repository) is not None) is right


def test_preflight_names_every_missing_right_in_one_run(service: Service) -> None:
    iam = service.client("iam")
    iam.create_user(UserName="without-rights")
    allowed = {"Effect": "Allow", "Action": ["iam:SimulatePrincipalPolicy", "events:*", "s3:*"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="without-rights", PolicyName="some", PolicyDocument=document)
    key = iam.create_access_key(UserName="without-rights")["AccessKey"]
    environment = service.environment(
        AWS_ACCESS_KEY_ID=key["AccessKeyId"], AWS_SECRET_ACCESS_KEY=key["SecretAccessKey"]
    )
    done = subprocess.run(
        ["delivery", "preflight", "abalone", "p-1", "--source", "codecommit"], env=environment, capture_output=True,
        text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    for action in ("iam:PassRole", "sagemaker:CreateModelPackageGroup", "codepipeline:CreatePipeline",
                   "codebuild:CreateProject", "cloudformation:CreateStack", "codecommit:CreateRepository",
                   "ssm:PutParameter"):  # fmt: skip
        assert f"user/without-rights may not {action} on arn:aws:" in done.stderr
    assert "events:" not in done.stderr and "s3:" not in done.stderr.replace("arn:aws:s3", "")


def test_what_a_provider_does_not_need_is_not_asked_for() -> None:
    project, arn = Project("a", "b"), "arn:aws:codeconnections:us-east-1:123456789012:connection/x"
    needed = {
        provider: {action for _, actions in ProjectRequest(project, provider, arn).actions() for action in actions}
        for provider in ("connection", "codecommit", "github-actions")
    }
    assert "codeconnections:PassConnection" in needed["connection"] - needed["codecommit"]
    own = needed["codecommit"] - needed["connection"]
    assert {"codecommit:CreateRepository", "codecommit:CreateCommit"} <= own
    assert "iam:CreateOpenIDConnectProvider" in needed["github-actions"] - needed["codecommit"]
    trusted = {
        action for _, actions in ProjectRequest(project, "github-actions", identity=arn).actions() for action in actions
    }
    assert "iam:ListOpenIDConnectProviders" in trusted and "iam:CreateOpenIDConnectProvider" not in trusted
    assert not {action for action in needed["github-actions"] if action.startswith(("codepipeline:", "events:"))}


def test_without_being_asked_to_nothing_is_tried() -> None:
    """The flavour is decided by what an account has: a call that makes anything would fail here (DEL-45)."""
    asked: list[str] = []

    class Reader:
        def __getattr__(self, name: str) -> Any:
            assert name.startswith(("list_", "describe_")), name
            asked.append(name)
            return lambda **_: defaultdict(list)

    found = decide(cast(Any, Reader()), "AnyPipeline")
    assert found.flavour == "portable" and "--probe tries it" in found.reason
    assert {"list_monitoring_schedules", "list_model_bias_job_definitions", "list_pipeline_executions"} <= set(asked)


def test_the_preflight_tries_only_where_it_is_given_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    """DEL-45: an account that shows nothing is left alone, until `--probe` names where."""
    tried: list[str] = []

    def record(_sagemaker: Any, _image: str, _role: str, bucket: str) -> FlavourDecision:
        tried.append(bucket)
        return FlavourDecision("managed", "tried")

    monkeypatch.setattr(preflight, "probe", record)
    monkeypatch.setattr(preflight, "decide", lambda *_: FlavourDecision("portable", "nothing shows it"))
    monkeypatch.setattr(preflight.session, "find_role", lambda _: ROLE)
    monkeypatch.setattr(preflight.Preflight, "client", lambda *_: None)
    account, project = preflight.Preflight("us-east-1"), Project("probes", "p-probes")
    assert account.flavour(project).reason == "nothing shows it" and tried == []
    assert account.flavour(project, "bucket").reason == "tried" and tried == ["bucket"]


def test_a_probe_leaves_nothing_and_any_refusal_means_portable(service: Service) -> None:
    sagemaker = service.client("sagemaker")
    image = "1.dkr.ecr.us-east-1.amazonaws.com/monitor"
    allowed = probe(sagemaker, image, ROLE, "preflight-bucket")
    assert (allowed.flavour, allowed.reason) == ("managed", "the account could create a monitor")
    refused = probe(sagemaker, image, "this is no ARN of a role", "preflight-bucket")
    assert refused.flavour == "portable" and "the account may not create a monitor: " in refused.reason
    for name in ("list_data_quality_job_definitions", "list_monitoring_schedules"):
        listed = getattr(sagemaker, name)(NameContains="preflight-")
        assert not listed.get("JobDefinitionSummaries") and not listed.get("MonitoringScheduleSummaries")
