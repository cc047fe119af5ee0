"""Bad input: a clear error that names the thing, at the earliest point, and nothing lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.commands import run_command
from tests.support import (
    ROLE,
    XGBOOST,
    Service,
    create_pipeline,
    finished,
    script_step,
    start,
    steps_of,
)  # fmt: skip

pytestmark = pytest.mark.timeout(900)
MODULE = ("run-pipeline", "--module-name", "pipelines.abalone.pipeline", "--role-arn", ROLE)
ROW = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,15"


def run_with_data(service: Service, name: str, data: str | None, uri: str = "") -> tuple[int, str]:
    """The abalone pipeline on the given text."""
    s3 = service.client("s3")
    if data is not None:
        s3.create_bucket(Bucket="bad-input")
        s3.put_object(Bucket="bad-input", Key=f"{name}.csv", Body=data.encode())
        uri = f"s3://bad-input/{name}.csv"
    names = str({"pipeline_name": name, "model_package_group_name": name, "base_job_prefix": name})
    done = run_command(service, *MODULE, "--kwargs", names, "--parameter", f"InputDataUrl={uri}", check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "data", "uri", "expected"),
    [
        ("MissingBucket", None, "s3://no-such-bucket-anywhere/a.csv", "no-such-bucket-anywhere"),
        ("EmptyCsv", "", "", "EmptyCsv.csv"),
        ("WrongColumns", f"{ROW}\nM,0.455,0.365\n", "", "WrongColumns.csv"),
        ("TextInNumbers", f"{ROW}\nM,long,0.365,0.095,0.514,0.2245,0.101,0.15,15\n", "", "length"),
    ],
)
def test_bad_data_names_the_file_and_the_place(
    service: Service, name: str, data: str | None, uri: str, expected: str
) -> None:
    code, printed = run_with_data(service, name, data, uri)
    assert code == 1, printed
    assert expected in printed


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--parameter", "ProcesingInstanceType=ml.m5.large"], "ProcessingInstanceType"),
        (["--parameter", "ProcessingInstanceCount=two"], "ProcessingInstanceCount"),
        (["--parameter", "ProcessingInstanceCount"], "NAME=VALUE"),
        (["--kwargs", "{'hyperparameters': {'num_round': 5, 'no_such': 1}, 'pipeline_name': 'BadHyper'}"], "no_such"),
    ],
)
def test_bad_parameters_are_refused_with_the_next_step(service: Service, words: list[str], expected: str) -> None:
    done = run_command(service, *MODULE, *words, check=False)
    assert done.returncode != 0
    assert expected in done.stdout + done.stderr


def test_a_cycle_is_refused_when_the_pipeline_is_created(service: Service) -> None:
    with pytest.raises(ClientError) as caught:
        create_pipeline(service.client("sagemaker"), "Cycle", script_step("a", "", "b"), script_step("b", "", "a"))
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert "a" in str(caught.value) and "cycl" in str(caught.value).lower()


def test_a_step_type_that_is_not_there_is_named(service: Service) -> None:
    with pytest.raises(ClientError) as caught:
        create_pipeline(service.client("sagemaker"), "Emr", {"Name": "spark", "Type": "EMR", "Arguments": {}})
    assert "EMR" in str(caught.value) and "spark" in str(caught.value)


def test_an_unknown_image_is_refused_with_the_known_ones(service: Service) -> None:
    with pytest.raises(ClientError) as caught:
        service.client("sagemaker").create_processing_job(
            ProcessingJobName="unknown-image",
            ProcessingResources={
                "ClusterConfig": {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
            },
            AppSpecification={"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-own:1"},
            RoleArn=ROLE,
        )
    assert "my-own" in str(caught.value) and "sagemaker-xgboost" in str(caught.value)


FAILURES = [
    ("raises", "raise ValueError('the data is odd')", {}, "Failed", "exit code: 1"),
    ("exits", "raise SystemExit(3)", {}, "Failed", "exit code: 3"),
    ("killed", "import os; os.kill(os.getpid(), 9)", {}, "Failed", "AlgorithmError"),
    (
        "hangs", "import time; print('still here', flush=True); time.sleep(600)",
        {"StoppingCondition": {"MaxRuntimeInSeconds": 1}}, "Stopped", "",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "code", "arguments", "status", "reason"), FAILURES, ids=[row[0] for row in FAILURES])
def test_a_failing_script_ends_its_step(
    service: Service, name: str, code: str, arguments: dict[str, Any], status: str, reason: str
) -> None:
    sagemaker = service.client("sagemaker")
    create_pipeline(sagemaker, f"Fails-{name}", script_step("step", code, **arguments))
    execution = start(sagemaker, f"Fails-{name}")
    described = finished(sagemaker, execution)
    assert described["PipelineExecutionStatus"] == "Failed"
    assert described["FailureReason"] == "Step failure: One or multiple steps failed."
    step = steps_of(sagemaker, execution)["step"]
    assert reason in step.get("FailureReason", "")
    job = step["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    assert sagemaker.describe_processing_job(ProcessingJobName=job)["ProcessingJobStatus"] == status
    if name == "raises":
        logs = service.client("logs")
        group = "/aws/sagemaker/ProcessingJobs"
        stream = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=job)["logStreams"][0][
            "logStreamName"
        ]
        lines = [event["message"] for event in logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]]
        assert any("ValueError: the data is odd" in line for line in lines)


@pytest.mark.slow
def test_a_gigabyte_of_log_is_survived(service: Service) -> None:
    sagemaker = service.client("sagemaker")
    code = "import sys; [sys.stdout.write('x' * 999 + chr(10)) for _ in range(1_000_000)]; print('the end')"
    create_pipeline(sagemaker, "Talkative", script_step("talk", code))
    execution = start(sagemaker, "Talkative")
    assert finished(sagemaker, execution, 120)["PipelineExecutionStatus"] == "Succeeded", steps_of(sagemaker, execution)
    job = steps_of(sagemaker, execution)["talk"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    logs, group = service.client("logs"), "/aws/sagemaker/ProcessingJobs"
    stream = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=job)["logStreams"][0]["logStreamName"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=5)["events"]
    assert events[-1]["message"] == "the end"
    lines = Path(f"/proc/{service.description['pid']}/status").read_text().splitlines()
    peak = next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))
    assert peak < 600, f"the service's memory went to {peak:.0f} MB"
    logs.delete_log_stream(logGroupName=group, logStreamName=stream)


def test_unknown_hyperparameters_fail_in_the_container_as_on_aws(service: Service) -> None:
    sagemaker, s3 = service.client("sagemaker"), service.client("s3")
    s3.create_bucket(Bucket="hyper")
    s3.put_object(Bucket="hyper", Key="train/a.csv", Body=b"1,2\n3,4\n" * 20)
    training = {
        "Name": "train",
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            "HyperParameters": {"num_round": "2", "no_such": "1"},
            "InputDataConfig": [
                {
                    "ChannelName": "train",
                    "ContentType": "text/csv",
                    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://hyper/train/"}},
                }
            ],
            "OutputDataConfig": {"S3OutputPath": "s3://hyper/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "RoleArn": ROLE,
        },
    }
    create_pipeline(sagemaker, "Hyper", training)
    execution = start(sagemaker, "Hyper")
    finished(sagemaker, execution)
    reason = steps_of(sagemaker, execution)["train"]["FailureReason"]
    assert "Extraneous hyperparameter found: no_such" in reason
    assert reason.startswith("ClientError: AlgorithmError: ")


def test_no_input_objects_is_the_error_of_aws(service: Service) -> None:
    sagemaker = service.client("sagemaker")
    service.client("s3").create_bucket(Bucket="nothing-here")
    inputs = [
        {
            "InputName": "code",
            "S3Input": {
                "S3Uri": "s3://nothing-here/x.py", "LocalPath": "/opt/ml/processing/input/code",
                "S3DataType": "S3Prefix", "S3InputMode": "File",
            },
        }
    ]  # fmt: skip
    create_pipeline(sagemaker, "NoInput", script_step("step", "pass", ProcessingInputs=inputs))
    execution = start(sagemaker, "NoInput")
    finished(sagemaker, execution)
    assert steps_of(sagemaker, execution)["step"]["FailureReason"].startswith(
        "ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: No S3 objects found under S3 URL "
        '"s3://nothing-here/x.py" given in input data source. Please ensure that the bucket exists in the selected '
        "region (us-east-1), that objects exist under that S3 prefix, and that the role "
    )


def test_wrong_types_of_parameters_are_refused_at_start(service: Service) -> None:
    sagemaker = service.client("sagemaker")
    count = {"Name": "Count", "Type": "Integer", "DefaultValue": 1}
    create_pipeline(sagemaker, "Typed", script_step("s", "pass"), parameters=(count,))
    for value, expected in (("many", "Count"), ("", "too short (length: 0, required minimum: 1)")):
        with pytest.raises(ClientError, match="ValidationException") as caught:
            start(sagemaker, "Typed", Count=value)
        assert expected in str(caught.value)
    with pytest.raises(ClientError, match="Unknown"):
        start(sagemaker, "Typed", Cont="1")


def test_a_definition_that_is_not_json_is_refused(service: Service) -> None:
    sagemaker = service.client("sagemaker")
    for text in ("not json", "[]"):
        with pytest.raises(ClientError, match="Unable to parse pipeline definition"):
            sagemaker.create_pipeline(PipelineName="NotJson", PipelineDefinition=text, RoleArn=ROLE)
    names = [p["PipelineName"] for p in sagemaker.list_pipelines()["PipelineSummaries"]]
    assert "NotJson" not in names
