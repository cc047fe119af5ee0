"""The monitoring repository's program, as its build runs it, on the local service."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from delivery.modelmonitor import build
from delivery.modelmonitor.baselines import DeployedModel
from delivery.stages.configuration import read_configuration
from tests.commands import run_command
from tests.project.delivering import register, upload
from tests.support import ROLE, ROOT, Service, read_json, until

PROJECT, BUCKET = "monitored", "modelmonitor-tests"
FILES: dict[str, dict[str, Any]] = {
    "constraints.json": {"version": 0.0, "features": []},
    "statistics.json": {"version": 0.0, "features": []},
    "pre.json": {"version": "1.0", "pre_training_bias_metrics": {"label": "0"}},
    "post.json": {"version": "1.0", "post_training_bias_metrics": {"label": "0"}},
    "bias.json": {"label": 0},
    "explainability.json": {"predictor": {"instance_type": "ml.m5.large"}},
    "shap.json": {"version": "1.0", "explanations": {}},
}
LINE = "build: ready: {project}-staging serves {version}"


@dataclass(frozen=True)
class Monitored:
    """An endpoint whose version has baselines."""

    service: Service
    version: str
    model: str

    def build(self, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        return run(self.service, folder, PROJECT, *words)


def run(service: Service, folder: Path, project: str, *words: str) -> subprocess.CompletedProcess[str]:
    arguments = {
        "--sagemaker-project-name": project, "--sagemaker-project-id": "p-1", "--monitor-role": ROLE,
        "--monitor-image": "1.dkr.ecr.us-east-1.amazonaws.com/monitor", "--s3-bucket": BUCKET,
        "--clarify-image": "1.dkr.ecr.us-east-1.amazonaws.com/clarify", "--output": str(folder),
    }  # fmt: skip
    flat = [word for pair in arguments.items() for word in pair]
    return run_command(service, "-m", "delivery.modelmonitor.build", *flat, *words, cwd=ROOT, check=False)


def parameters(folder: Path, stage: str = "staging") -> dict[str, str]:
    return dict(json.loads((folder / f"{stage}-config-export.json").read_text())["Parameters"])


@pytest.fixture(scope="module")
def monitored(service: Service) -> Monitored:
    """Its model names the version in a PrimaryContainer, as models of other tools do."""
    uri = upload(service, BUCKET)
    sagemaker, s3 = service.client("sagemaker"), service.client("s3")
    sagemaker.create_model_package_group(ModelPackageGroupName="monitored-models")
    for name, content in FILES.items():
        s3.put_object(Bucket=BUCKET, Key=f"baselines/{name}", Body=json.dumps(content).encode())
    sources = {name: {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/baselines/{name}"} for name in FILES}
    quality = {"Statistics": sources["statistics.json"], "Constraints": sources["constraints.json"]}
    version = register(service, "monitored-models", uri, ModelApprovalStatus="Approved", DriftCheckBaselines={
        "ModelDataQuality": quality, "ModelQuality": quality,
        "Bias": {"ConfigFile": sources["bias.json"], "PreTrainingConstraints": sources["pre.json"],
                 "PostTrainingConstraints": sources["post.json"]},
        "Explainability": {"ConfigFile": sources["explainability.json"], "Constraints": sources["shap.json"]},
    })  # fmt: skip
    model = f"{PROJECT}-model"
    sagemaker.create_model(ModelName=model, ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": version})
    variant = {"VariantName": "AllTraffic", "ModelName": model, "InstanceType": "ml.m5.large",
               "InitialInstanceCount": 1}  # fmt: skip
    name = f"{PROJECT}-staging"
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService", "the endpoint", 120)
    return Monitored(service, version, model)


def test_without_an_endpoint_it_waits(service: Service, tmp_path: Path) -> None:
    done = run(service, tmp_path, "never-deployed")
    assert done.returncode == 0, done.stderr
    assert "build: waiting: no endpoint never-deployed-staging in service" in done.stdout
    assert (tmp_path / "variables.env").read_text() == "DELIVERY_STATE=waiting\nPROD_STATE=waiting\n"


def test_baselines_are_those_of_the_deployed_version(monitored: Monitored, tmp_path: Path) -> None:
    done = monitored.build(tmp_path)
    assert done.returncode == 0, done.stderr
    assert LINE.format(project=PROJECT, version=monitored.version) in done.stdout
    assert (tmp_path / "variables.env").read_text() == "DELIVERY_STATE=ready\nPROD_STATE=waiting\n"
    found, s3 = parameters(tmp_path), monitored.service.client("s3")
    assert found["DataQualityStatistics"] == f"s3://{BUCKET}/baselines/statistics.json"
    assert read_json(s3, found["ModelBiasConstraints"]) == {**FILES["pre.json"], **FILES["post.json"]}
    config = read_json(s3, found["ModelExplainabilityConfig"])
    assert config["predictor"] == {"instance_type": "ml.m5.large", "model_name": monitored.model}


def test_what_needs_labels_is_monitored_only_with_labels(monitored: Monitored, tmp_path: Path) -> None:
    without = monitored.build(tmp_path).stdout
    assert "build: DataQuality: monitored" in without and "build: ModelExplainability: monitored" in without
    for kind in ("ModelQuality", "ModelBias"):
        assert f"build: {kind}: not monitored, it needs labels: set GroundTruthInput" in without
    content = json.loads((build.HERE / "staging-monitoring-config.json").read_text())
    content["Parameters"]["GroundTruthInput"] = f"s3://{BUCKET}/labels/"
    (tmp_path / "staging.json").write_text(json.dumps(content))
    with_labels = monitored.build(tmp_path, "--staging-config", str(tmp_path / "staging.json")).stdout
    assert "build: ModelQuality: monitored" in with_labels and "build: ModelBias: monitored" in with_labels


def test_a_baseline_file_that_no_longer_exists_is_an_error(monitored: Monitored, tmp_path: Path) -> None:
    s3 = monitored.service.client("s3")
    s3.delete_object(Bucket=BUCKET, Key="baselines/post.json")
    done = monitored.build(tmp_path)
    s3.put_object(Bucket=BUCKET, Key="baselines/post.json", Body=json.dumps(FILES["post.json"]).encode())
    assert done.returncode == 1
    assert "NoSuchKey" in done.stderr and "post.json" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_the_shipped_configurations_follow_the_schema_and_the_template(name: str) -> None:
    stage = read_configuration(build.HERE / f"{name}-monitoring-config.json", build.SCHEMA)
    assert stage.stage == name
    declared = build.TEMPLATE.read_text()
    assert all(f"\n  {parameter}:\n    Type:" in declared for parameter in stage.parameters)
    known = set(json.loads(build.SCHEMA.read_text())["properties"]["Parameters"]["properties"])
    assert all(f"\n  {parameter}:\n    Type:" in declared for parameter in known)


def test_a_kind_is_monitored_only_with_every_file_that_its_flavour_needs() -> None:
    deployed = DeployedModel("m", "arn:aws:sagemaker:us-east-1:123456789012:model-package/g/1")
    parameters = {"GroundTruthInput": "s3://b/labels", "EnableModelBiasMonitor": "no"}
    lacking = {kind: ["ModelQualityStatistics"] if kind == "ModelQuality" else [] for kind in build.KINDS}
    lines = build.explain("e", deployed, parameters, lacking)
    assert "ModelQuality: not monitored, the version has no baseline of it (ModelQualityStatistics)" in lines
    assert "DataQuality: monitored" in lines and "ModelBias: off" in lines
    assert not [line for line in lines if line.startswith("monitors: ")]  # there is no pipeline


def test_portable_monitors_without_a_check_have_no_pipeline_and_refuse_what_they_do_not_do(
    monitored: Monitored, tmp_path: Path
) -> None:
    image = "1.dkr.ecr.us-east-1.amazonaws.com/scikit-learn"
    words = ("--monitors-flavour", "portable", "--check-image", image, "--events-role", ROLE, "--staging-config")
    content = json.loads((build.HERE / "staging-monitoring-config.json").read_text())
    content["Parameters"].update({f"Enable{kind}Monitor": "no" for kind in build.KINDS})
    (tmp_path / "none.json").write_text(json.dumps(content))
    done = monitored.build(tmp_path, *words, str(tmp_path / "none.json"))
    assert done.returncode == 0 and "monitors: the scheduled pipeline" not in done.stdout, done.stderr
    assert "PortableDefinitionKey" not in parameters(tmp_path)
    content["Parameters"].update({"DataQualityScheduleExpression": "NOW", "EnableDataQualityMonitor": "yes"})
    (tmp_path / "now.json").write_text(json.dumps(content))
    refused = monitored.build(tmp_path, *words, str(tmp_path / "now.json"))
    assert refused.returncode == 2 and "portable monitors do not run at NOW" in refused.stderr
