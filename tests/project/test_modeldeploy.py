"""The deployment repository's programs and template, as its builds and its pipeline use them, on the local service."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from delivery.local_model.packaging import archive_of
from delivery.modeldeploy import build
from delivery.stages.configuration import ConfigurationError, read_configuration
from delivery.stages.deploy import find_failures
from delivery.stages.registry import find_latest_approved
from delivery.stages.tags import read_project_tags
from tests.commands import run_command
from tests.project.delivering import register, regressor
from tests.support import ROLE, ROOT, Service

PROJECT, PROJECT_ID, GROUP, BUCKET = "deploys", "p-deploys", "deploys-p-deploys", "modeldeploy-tests"
STACK = f"sagemaker-{PROJECT}-{PROJECT_ID}-deploy-staging"
CONFIGURATION = "staging-config-export.json"
FEATURES = 3
GOLDEN = {
    "content_type": "text/csv",
    "rows": [{"body": "0.5,0.5,0.5", "least": 0.5, "most": 2.5}],
    "rejected": {"body": "{}", "content_type": "application/x-unknown"},
    "invocations": 5,
    "p99_milliseconds": 60_000,
    "capture_seconds": 60,
}


@dataclass(frozen=True)
class Repository:
    """A working copy: the folder where builds write, on a service."""

    service: Service
    folder: Path

    def build(self, *words: str) -> str:
        """What the build exports as its state."""
        arguments = {
            "--model-package-group-name": GROUP, "--model-execution-role": ROLE, "--sagemaker-project-name": PROJECT,
            "--sagemaker-project-id": PROJECT_ID, "--s3-bucket": BUCKET, "--output": str(self.folder),
        }  # fmt: skip
        flat = [word for pair in arguments.items() for word in pair]
        run_command(self.service, "-m", "delivery.modeldeploy.build", *flat, *words, cwd=ROOT)
        variables = (self.folder / "variables.env").read_text().split()
        return next(line.partition("=")[2] for line in variables if line.startswith("DELIVERY_STATE="))

    def configuration(self, stage: str = "staging") -> dict[str, Any]:
        return dict(json.loads((self.folder / f"{stage}-config-export.json").read_text()))

    def deploy(self) -> None:
        """The staging stack, as CodePipeline's CloudFormation action does it."""
        cloudformation = self.service.client("cloudformation")
        configuration = self.configuration()
        request = {
            "StackName": STACK,
            "TemplateBody": (self.folder / "endpoint-template.yml").read_text(),
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in configuration["Parameters"].items()],
            "Tags": [{"Key": k, "Value": v} for k, v in configuration["Tags"].items()],
        }
        try:
            cloudformation.update_stack(**request)
            waiter = "stack_update_complete"
        except cloudformation.exceptions.ClientError as error:
            assert "does not exist" in str(error)
            cloudformation.create_stack(**request)
            waiter = "stack_create_complete"
        try:
            cloudformation.get_waiter(waiter).wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 600})
        except WaiterError as error:
            raise AssertionError("\n".join(find_failures(cloudformation, STACK))) from error

    def test(self, golden: dict[str, Any]) -> tuple[int, dict[str, bool]]:
        """The exit code of the endpoint's test, and which checks passed."""
        (self.folder / "golden.json").write_text(json.dumps(golden))
        done = run_command(
            self.service, "-m", "delivery.modeldeploy.check_endpoint",
            "--configuration", str(self.folder / "staging-config-export.json"),
            "--golden", str(self.folder / "golden.json"), "--output", str(self.folder / "results.json"),
            cwd=ROOT, check=False,
        )  # fmt: skip
        results = json.loads((self.folder / "results.json").read_text())["results"]
        return done.returncode, {result["check"]: result["passed"] for result in results}


def add_version(service: Service, status: str, depth: int = 2) -> str:
    uri = f"s3://{BUCKET}/{depth}/model.tar.gz"
    service.client("s3").put_object(Bucket=BUCKET, Key=f"{depth}/model.tar.gz", Body=regressor(depth, FEATURES)[0])
    return register(service, GROUP, uri, ModelApprovalStatus=status)


@pytest.fixture(scope="module")
def repository(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """A project whose group has one version, which waits for approval."""
    service.client("s3").create_bucket(Bucket=BUCKET)
    service.client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
    add_version(service, "PendingManualApproval")
    yield Repository(service, tmp_path_factory.mktemp("modeldeploy"))
    service.client("cloudformation").delete_stack(StackName=STACK)


@pytest.fixture(scope="module")
def deployed(repository: Repository) -> Repository:
    """The first version is approved, and deployed to staging."""
    assert repository.build() == "waiting"
    group = repository.service.client("sagemaker").list_model_packages(ModelPackageGroupName=GROUP)
    arn = group["ModelPackageSummaryList"][0]["ModelPackageArn"]
    repository.service.client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    assert repository.build() == "ready"
    repository.deploy()
    return repository


def test_the_same_version_is_deployed_once(deployed: Repository) -> None:
    assert deployed.build() == "deployed"
    assert deployed.build("--force") == "ready"


def test_the_endpoint_is_tested_for_real(deployed: Repository) -> None:
    code, checks = deployed.test(GOLDEN)
    assert code == 0
    assert checks == dict.fromkeys(("in service", "golden rows", "content type", "latency", "data capture"), True)
    version = deployed.configuration()["Parameters"]["ModelPackageName"]
    described = deployed.service.client("sagemaker").describe_model_package(ModelPackageName=version)
    assert (described["ModelLifeCycle"]["Stage"], described["ModelLifeCycle"]["StageStatus"]) == ("QA", "Approved")


@pytest.mark.parametrize(
    ("changed", "failing"),
    [
        ({"rows": [{"body": "0.5,0.5,0.5", "least": 100, "most": 101}]}, "golden rows"),
        ({"rejected": {"body": "0.5,0.5,0.5", "content_type": "text/csv"}}, "content type"),
        ({"p99_milliseconds": 0}, "latency"),
    ],
)
def test_the_test_fails_when_it_should(deployed: Repository, changed: dict[str, Any], failing: str) -> None:
    code, checks = deployed.test({**GOLDEN, **changed})
    assert code == 1
    assert [name for name, passed in checks.items() if not passed] == [failing]


def test_a_second_version_replaces_the_model_and_keeps_the_endpoint(deployed: Repository) -> None:
    """DEL-16: model and configuration are new, the endpoint is updated, and no request is lost meanwhile."""
    sagemaker = deployed.service.client("sagemaker")
    before = sagemaker.describe_endpoint(EndpointName=f"{PROJECT}-staging")
    version = add_version(deployed.service, "Approved", depth=3)
    rejected = add_version(deployed.service, "Rejected")
    assert deployed.build() == "ready"
    assert deployed.configuration()["Parameters"]["ModelPackageName"] == version != rejected
    assert deployed.build("--version", "1") == "deployed"  # going back is possible by name, to an approved version only
    number = rejected.rpartition("/")[2]
    with pytest.raises(subprocess.CalledProcessError) as refused:
        deployed.build("--version", number)
    assert f"version {number} of {GROUP} is Rejected: only approved versions are deployed" in refused.value.stderr
    assert deployed.build() == "ready"
    runtime, ended = deployed.service.client("sagemaker-runtime"), threading.Event()

    def ask() -> list[int]:
        answers = []
        while not ended.is_set() or len(answers) < 20:
            answer = runtime.invoke_endpoint(
                EndpointName=f"{PROJECT}-staging", Body=",".join(["1"] * FEATURES), ContentType="text/csv"
            )
            answers.append(answer["ResponseMetadata"]["HTTPStatusCode"])
        return answers

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask)
        try:
            deployed.deploy()
        finally:
            ended.set()
        assert set(asked.result(timeout=60)) == {200}
    after = sagemaker.describe_endpoint(EndpointName=f"{PROJECT}-staging")
    assert after["EndpointArn"] == before["EndpointArn"]
    assert after["EndpointConfigName"] != before["EndpointConfigName"]
    assert after["EndpointStatus"] == "InService"
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=after["EndpointArn"])["Tags"]}
    assert tags["sagemaker:project-name"] == PROJECT and tags["sagemaker:deployment-stage"] == "staging"


def test_a_model_that_does_not_start_leaves_the_old_one_serving(deployed: Repository) -> None:
    sagemaker = deployed.service.client("sagemaker")
    name = f"{PROJECT}-staging"
    before = sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
    broken = f"s3://{BUCKET}/broken/model.tar.gz"
    archive = archive_of(b"this is no model")
    deployed.service.client("s3").put_object(Bucket=BUCKET, Key="broken/model.tar.gz", Body=archive)
    arn = register(deployed.service, GROUP, broken, ModelApprovalStatus="Approved")
    assert deployed.build() == "ready"
    template, configuration = (deployed.folder / file for file in ("endpoint-template.yml", CONFIGURATION))
    done = run_command(
        deployed.service, "-m", "delivery.stages.deploy", "--stack", STACK, "--template", str(template),
        "--configuration", str(configuration), cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "UPDATE_ROLLBACK_COMPLETE" in done.stderr, done.stdout + done.stderr
    assert "  Endpoint: " in done.stderr  # the resource with its reason
    after = sagemaker.describe_endpoint(EndpointName=name)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", before)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    assert deployed.build() == "ready"  # the version before it, since the stack's last change has failed
    assert deployed.configuration()["Parameters"]["ModelPackageName"] != arn


def test_tags_of_a_project_that_is_a_stack_are_left_out(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:project/no-such-project"
    tags = read_project_tags(service.client("sagemaker"), "churn", "p-1", arn)
    assert tags == {"sagemaker:project-name": "churn", "sagemaker:project-id": "p-1"}
    assert f"Tags of the project {arn} are left out" in capsys.readouterr().err


def test_the_newest_approved_version_is_taken_from_all_pages(service: Service) -> None:
    sagemaker = service.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="many-versions")
    for _ in range(105):
        register(service, "many-versions", f"s3://{BUCKET}/2/model.tar.gz", ModelApprovalStatus="Approved")
    newest = find_latest_approved(sagemaker, "many-versions")
    assert newest is not None and newest["ModelPackageVersion"] == 105


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"EndpointInstanceCount": 1}, "EndpointInstanceCount: 1 is not of type 'string'"),
        ({"TrafficStrategy": "SLOWLY"}, "TrafficStrategy: 'SLOWLY' is not one of"),
        ({"SampelingPercentage": "10"}, "'SampelingPercentage' was unexpected"),
        ({"StageName": None}, "StageName: None is not of type 'string'"),
    ],
)
def test_a_configuration_is_checked_before_anything_else(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    content = json.loads((build.HERE / "staging-config.json").read_text())
    content["Parameters"].update(changes)
    (tmp_path / "staging.json").write_text(json.dumps(content))
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(tmp_path / "staging.json", build.SCHEMA)
    assert words in str(refused.value)


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_the_shipped_configurations_follow_the_schema_and_the_template(name: str) -> None:
    stage = read_configuration(build.HERE / f"{name}-config.json", build.SCHEMA)
    assert stage.stage == name
    declared = build.TEMPLATE.read_text()
    assert all(f"\n  {parameter}:\n    Type:" in declared for parameter in stage.parameters)


def test_templates_have_no_findings() -> None:
    """DEL-19."""
    templates = sorted((ROOT / "delivery").rglob("*template*.yml"))
    assert templates
    done = subprocess.run(["cfn-lint", *map(str, templates)], capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
