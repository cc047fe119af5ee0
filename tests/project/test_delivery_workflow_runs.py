"""The workflows of the GitHub Actions flavour, run: their commands are executed on the local service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from delivery.project.seed import render
from tests.project.delivering import register, regressor
from tests.project.workflow_runner import JobEnd, WorkflowRunner
from tests.support import ROLE, Service

NAME, ID, BUCKET = "hub", "p-hub", "workflow-tests"
GROUP = f"{NAME}-{ID}"
GOLDEN = {
    "content_type": "text/csv", "rows": [{"body": "0.5,0.5,0.5", "least": 0.5, "most": 2.5}],
    "rejected": {"body": "{}", "content_type": "application/x-unknown"}, "invocations": 5, "p99_milliseconds": 60_000,
    "capture_seconds": 60,
}  # fmt: skip
VARIABLES = {
    "AWS_REGION": "us-east-1", "DEPLOY_ROLE_ARN": ROLE, "EXECUTION_ROLE_ARN": ROLE, "CLOUDFORMATION_ROLE_ARN": ROLE,
    "MONITOR_ROLE_ARN": ROLE, "EVENTS_ROLE_ARN": ROLE, "SAGEMAKER_PROJECT_NAME": NAME, "SAGEMAKER_PROJECT_ID": ID,
    "ARTIFACT_BUCKET": BUCKET, "MONITORS_FLAVOUR": "native",
    **{f"{kind}_IMAGE_URI": f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{kind.lower()}:1"
       for kind in ("MONITOR", "CLARIFY", "CHECK")},
}  # fmt: skip


def runner(service: Service, folder: Path, repository: str) -> WorkflowRunner:
    render(repository, folder / repository, github_actions=True)
    github = {"repository": "owner/hub", "ref_name": "main", "event_name": "push", "token": "t"}
    return WorkflowRunner(service, folder / repository, folder / f"runner-{repository}", VARIABLES, github)


@pytest.fixture
def group(service: Service) -> str:
    service.client("s3").create_bucket(Bucket=BUCKET)
    service.client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
    return GROUP


def results(ends: dict[str, JobEnd]) -> dict[str, str]:
    return {name: end.result for name, end in ends.items()}


def test_workflows_wait_and_then_deploy_both_stages_once(service: Service, tmp_path: Path, group: str) -> None:
    """DEL-2, DEL-3: nothing approved is no failure; an approved version is tested on staging and then in production."""
    sagemaker = service.client("sagemaker")
    deploy, monitor = runner(service, tmp_path, "modeldeploy"), runner(service, tmp_path, "modelmonitor")
    (deploy.repository / "delivery/modeldeploy/golden-rows.json").write_text(json.dumps(GOLDEN))
    waiting = {"staging": "success", "monitors-of-staging": "skipped", "production": "skipped",
               "monitors-of-production": "skipped"}  # fmt: skip
    ends = deploy.run("modeldeploy.yml")
    assert results(ends) == waiting, deploy.log
    assert ends["staging"].outputs["state"] == "waiting"
    ends = monitor.run("modelmonitor.yml")
    assert results(ends) == {"staging": "success", "production": "skipped"}, monitor.log
    assert ends["staging"].outputs == {"state": "waiting", "production": "waiting"}
    service.client("s3").put_object(Bucket=BUCKET, Key="model.tar.gz", Body=regressor(2, 3)[0])
    register(service, group, f"s3://{BUCKET}/model.tar.gz", ModelApprovalStatus="Approved")
    ends = deploy.run("modeldeploy.yml")
    assert set(results(ends).values()) == {"success"}, deploy.log
    assert ends["staging"].outputs == {"state": "ready", "version": "1"}
    for stage in ("staging", "prod"):
        assert sagemaker.describe_endpoint(EndpointName=f"{NAME}-{stage}")["EndpointStatus"] == "InService"
    asked = "workflow run modelmonitor.yml --repo owner/hub --ref main --field stage="
    assert deploy.asked_of_github == [f"{asked}staging", f"{asked}prod"]
    ends = deploy.run("modeldeploy.yml")
    assert results(ends) == waiting and ends["staging"].outputs["state"] == "deployed", deploy.log
    cloudformation = service.client("cloudformation")
    for stage in ("staging", "prod"):
        cloudformation.delete_stack(StackName=f"sagemaker-{NAME}-{ID}-deploy-{stage}")
