"""A disk that is full under jobs, executions and records: clear errors, and all goes on when there is space again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import Service, create_pipeline, finished, script_step, start, steps_of, until

FILLS_ITS_OUTPUT = "f = open('/opt/ml/processing/out/x', 'wb'); [f.write(bytes(1000000)) for _ in iter(int, 1)]"
FILLS_ITS_LOG = "while True: print('y' * 100000)"


@pytest.fixture
def cramped(tmp_path: Path) -> Iterator[Service]:
    """A service whose state folder is a file system of 48 MB."""
    home = tmp_path / "home"
    home.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(home)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    made = Service(home)
    try:
        made.up()
        made.client("s3").create_bucket(Bucket="full")
        yield made
        made.down()
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)


def fill(service: Service) -> Path:
    """Takes all space that is left, to the last block."""
    filler = service.home / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


def output(name: str) -> dict[str, Any]:
    target = {"S3Uri": f"s3://full/{name}", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    return {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": target}]}}


def ended(sagemaker: Any, name: str) -> dict[str, Any]:
    def there() -> Any:
        described = sagemaker.describe_processing_job(ProcessingJobName=name)
        return described if described["ProcessingJobStatus"] in ("Completed", "Failed") else None

    return dict(until(there, f"the end of {name}"))


def test_every_operation_that_writes_says_that_the_disk_is_full(cramped: Service) -> None:
    sagemaker, s3, iam = (cramped.client(name) for name in ("sagemaker", "s3", "iam"))
    iam.list_roles()
    filler = fill(cramped)
    refused = (
        lambda: s3.put_object(Bucket="full", Key="x", Body=bytes(100_000)),
        lambda: s3.create_bucket(Bucket="another"),
        lambda: s3.create_multipart_upload(Bucket="full", Key="x"),
        lambda: sagemaker.create_model_package_group(ModelPackageGroupName="full"),
        lambda: create_pipeline(sagemaker, "full", script_step("A", "pass" + " " * 200)),
        lambda: iam.create_role(RoleName="full", AssumeRolePolicyDocument=json.dumps({"Statement": []})),
    )
    for act in refused:
        for _ in range(60):  # the last blocks of a file that is there already may still take some
            try:
                act()
            except ClientError as error:
                said = error.response
                break
        assert said["Error"]["Code"] == "InsufficientCapacity"
        assert said["ResponseMetadata"]["HTTPStatusCode"] == 507
        assert str(cramped.home) in said["Error"]["Message"] and "LOCAL_SAGEMAKER_HOME" in said["Error"]["Message"]
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []
    filler.unlink()
    create_pipeline(sagemaker, "full", script_step("A", "pass"))


def test_a_job_that_fills_the_disk_fails_alone(cramped: Service) -> None:
    sagemaker = cramped.client("sagemaker")
    for name, code in (("fills", FILLS_ITS_OUTPUT), ("next", "print(1)")):
        arguments = script_step(name, code)["Arguments"]
        sagemaker.create_processing_job(ProcessingJobName=name, **arguments, **output(name))
        job = ended(sagemaker, name)
        assert job["ProcessingJobStatus"] == ("Completed" if name == "next" else "Failed")


def test_an_execution_waits_for_space_and_goes_on(cramped: Service) -> None:
    sagemaker = cramped.client("sagemaker")
    logged = script_step("Fills", FILLS_ITS_LOG)
    after = {**script_step("After", "print(1)"), "DependsOn": [{"Step": "Fills", "Trigger": "Failed"}]}
    create_pipeline(sagemaker, "full", logged, script_step("Beside", "print(1)"), after)
    execution = start(sagemaker, "full")
    log = cramped.home / "service.log"
    until(lambda: "can't be recorded yet" in log.read_text(), "the disk is full")
    assert (
        sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)["PipelineExecutionStatus"] == "Executing"
    )
    for file in (cramped.home / "logs").rglob("*"):
        if file.is_file() and file.stat().st_size > 1 << 20:
            file.write_text("")
    done = finished(sagemaker, execution)
    assert done["PipelineExecutionStatus"] == "CompletedWithFailures"
    steps = steps_of(sagemaker, execution)
    assert {name: step["StepStatus"] for name, step in steps.items()} == {
        "Fills": "Failed", "Beside": "Succeeded", "After": "Succeeded",
    }  # fmt: skip
