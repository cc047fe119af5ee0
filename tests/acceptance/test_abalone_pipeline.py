"""The main job, seen from outside: `run-pipeline` on the local service, as a user runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.commands import run_command
from tests.support import COMMANDS, Service, read_json

STEPS = {
    "PreprocessAbaloneData", "DataQualityCheckStep", "DataBiasCheckStep", "TrainAbaloneModel", "AbaloneCreateModel",
    "AbaloneTransform", "ModelQualityCheckStep", "ModelBiasCheckStep", "ModelExplainabilityCheckStep",
    "EvaluateAbaloneModel", "CheckMSEAbaloneEvaluation", "RegisterAbaloneModel",
}  # fmt: skip
pytestmark = pytest.mark.timeout(900)
LONGEST = 600
"""Seconds that a run may take on a busy machine."""
MODULE = ("run-pipeline", "--module-name", "pipelines.abalone.pipeline", "--role-arn",
          "arn:aws:iam::123456789012:role/LocalSageMakerRole")  # fmt: skip


def kwargs(name: str, **more: Any) -> list[str]:
    """Names of its own for each test."""
    return ["--kwargs", str({"pipeline_name": name, "model_package_group_name": name, "base_job_prefix": name, **more})]


def newest(sagemaker: Any, name: str) -> str:
    summaries = sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    return str(summaries[0]["PipelineExecutionArn"])


def steps_of(sagemaker: Any, execution: str) -> dict[str, dict[str, Any]]:
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    return {step["StepName"]: step for step in steps}


@pytest.fixture(scope="module")
def first_run(service: Service) -> Iterator[tuple[Service, str]]:
    """The README's main job, in a process that nothing has prepared; what it printed."""
    environment = {**os.environ, "LOCAL_SAGEMAKER_HOME": str(service.home)}
    command = [str(COMMANDS / "run-pipeline"), "--local", "-n", "pipelines.abalone.pipeline", *kwargs("First")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST)
    assert done.returncode == 0, done.stdout + done.stderr
    yield service, done.stdout


def test_all_twelve_steps_succeed(first_run: tuple[Service, str]) -> None:
    service, _ = first_run
    sagemaker = service.client("sagemaker")
    steps = steps_of(sagemaker, newest(sagemaker, "First"))
    assert {name: step["StepStatus"] for name, step in steps.items()} == dict.fromkeys(STEPS, "Succeeded")


def test_local_needs_no_role_and_uses_the_callers(first_run: tuple[Service, str]) -> None:
    service, printed = first_run
    assert "\n  local-sagemaker exec -- model-registry approve First/1\n" in printed
    described = service.client("sagemaker").describe_pipeline(PipelineName="First")
    caller = service.client("sts").get_caller_identity()["Arn"]
    assert described["RoleArn"].rpartition("/")[2] == caller.split("/")[1]


VERSIONS = {
    # requirements.txt and docker/<tag>/base/Dockerfile.cpu of aws/sagemaker-scikit-learn-container at v1.4.2 and of
    # aws/sagemaker-xgboost-container at v3.0-5
    "PreprocessAbaloneData": {"scikit-learn": "1.4.2", "numpy": "2.1.0", "pyarrow": "17.0.0", "xgboost": None},
    "EvaluateAbaloneModel": {
        "xgboost": "3.0.5", "scikit-learn": "1.5.2", "numpy": "2.1.0", "pandas": "2.2.3", "scipy": "1.15.0",
    },
}  # fmt: skip
PRINT_VERSIONS = (
    "import json, importlib.metadata as m; "
    "print('versions', json.dumps({d.metadata['Name'].lower(): d.version for d in m.distributions()}))"
)


@pytest.mark.parametrize("step", VERSIONS)
def test_the_definitions_jobs_have_the_libraries_of_the_real_images(first_run: tuple[Service, str], step: str) -> None:
    service, _ = first_run
    sagemaker, logs = service.client("sagemaker"), service.client("logs")
    job = steps_of(sagemaker, newest(sagemaker, "First"))[step]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    described = sagemaker.describe_processing_job(ProcessingJobName=job)
    image = described["AppSpecification"]["ImageUri"]
    name = f"versions-{step}"
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        AppSpecification={"ImageUri": image, "ContainerEntrypoint": ["python3", "-c", PRINT_VERSIONS]},
        RoleArn=described["RoleArn"],
        ProcessingResources=described["ProcessingResources"],
    )
    waiter = sagemaker.get_waiter("processing_job_completed_or_stopped")
    waiter.wait(ProcessingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 240})
    found = logs.filter_log_events(
        logGroupName="/aws/sagemaker/ProcessingJobs", logStreamNamePrefix=name, filterPattern="versions"
    )["events"]
    installed = json.loads(found[0]["message"].removeprefix("versions "))
    assert {name: installed.get(name) for name in VERSIONS[step]} == VERSIONS[step]


def test_the_mse_is_below_the_gate_and_evaluation_json_confirms_it(first_run: tuple[Service, str]) -> None:
    service, printed = first_run
    sagemaker = service.client("sagemaker")
    job = steps_of(sagemaker, newest(sagemaker, "First"))["EvaluateAbaloneModel"]["Metadata"]["ProcessingJob"]["Arn"]
    described = sagemaker.describe_processing_job(ProcessingJobName=job.rsplit("/", 1)[-1])
    folder = described["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    mse = read_json(service.client("s3"), f"{folder}/evaluation.json")["regression_metrics"]["mse"]["value"]
    assert 3.5 < mse < 6.0
    assert f"{mse:.4f}"[:5] in printed


def test_version_1_waits_for_approval_with_readable_metrics_and_baselines(first_run: tuple[Service, str]) -> None:
    service, printed = first_run
    sagemaker, s3 = service.client("sagemaker"), service.client("s3")
    (package,) = sagemaker.list_model_packages(ModelPackageGroupName="First")["ModelPackageSummaryList"]
    described = sagemaker.describe_model_package(ModelPackageName=package["ModelPackageArn"])
    assert described["ModelPackageVersion"] == 1
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["ModelPackageArn"] in printed
    metrics = [source for kind in described["ModelMetrics"].values() for source in kind.values()]
    baselines = [source for kind in described["DriftCheckBaselines"].values() for source in kind.values()]
    assert (len(metrics), len(baselines)) == (8, 9)
    for source in metrics + baselines:
        assert read_json(s3, source["S3Uri"]), source
    (container,) = described["InferenceSpecification"]["Containers"]
    bucket, key = container["ModelDataUrl"].removeprefix("s3://").split("/", 1)
    assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] > 1000


def test_a_second_run_hits_the_cache_and_says_so(first_run: tuple[Service, str]) -> None:
    service, _ = first_run
    done = run_command(service, *MODULE, *kwargs("First"))
    sagemaker = service.client("sagemaker")
    steps = steps_of(sagemaker, newest(sagemaker, "First"))
    hits = {name for name, step in steps.items() if "CacheHitResult" in step}
    assert hits == {
        "PreprocessAbaloneData", "DataQualityCheckStep", "DataBiasCheckStep", "TrainAbaloneModel",
        "EvaluateAbaloneModel",
    } | (hits & {"ModelQualityCheckStep", "ModelBiasCheckStep", "ModelExplainabilityCheckStep"})  # fmt: skip
    assert re.search(r"PreprocessAbaloneData.*cache", done.stdout, re.IGNORECASE), done.stdout


def test_a_bad_model_is_stopped_by_the_gate(service: Service) -> None:
    bad = {"num_round": 1, "max_depth": 1}
    done = run_command(service, *MODULE, *kwargs("Gate", hyperparameters=bad), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    sagemaker = service.client("sagemaker")
    execution = newest(sagemaker, "Gate")
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
    assert described["PipelineExecutionStatus"] == "Succeeded"
    steps = steps_of(sagemaker, execution)
    assert "RegisterAbaloneModel" not in steps
    assert steps["CheckMSEAbaloneEvaluation"]["Metadata"]["Condition"]["Outcome"] == "False"
    groups = sagemaker.list_model_package_groups(NameContains="Gate")["ModelPackageGroupSummaryList"]
    assert groups == [] or sagemaker.list_model_packages(ModelPackageGroupName="Gate")["ModelPackageSummaryList"] == []
    assert "nothing" in done.stdout.lower()
    assert "6.0" in done.stdout
