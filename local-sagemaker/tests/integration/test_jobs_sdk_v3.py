"""The SDK v3's own job scripts (runproc.sh, sm_train.sh and their drivers) run unchanged, with requirements."""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROLE, SCIKIT_LEARN, Service, until

SCRIPT = """
import argparse, json, os, pathlib
import boto3
import own_package
parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int)
depth = parser.parse_args().depth
account = boto3.client("sts").get_caller_identity()["Account"]
found = {"depth": depth, "package": own_package.answer, "account": account, "channels": os.environ.get("SM_CHANNELS")}
folder = pathlib.Path(os.environ.get("SM_MODEL_DIR", "/opt/ml/processing/output"))
(folder / "found.json").write_text(json.dumps(found))
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source folder whose requirements are a wheel in it."""
    wheel = "own_package-1.0-py3-none-any.whl"
    info = "own_package-1.0.dist-info"
    (tmp_path / "main.py").write_text(SCRIPT)
    (tmp_path / "requirements.txt").write_text(f"--no-index\n./{wheel}\n")
    with zipfile.ZipFile(tmp_path / wheel, "w") as archive:
        archive.writestr("own_package.py", "answer = 42\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: own-package\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return tmp_path


def test_framework_processor_and_model_trainer(service: Service, source: Path) -> None:
    program = Path(__file__).with_name("sdk_v3_jobs.py")
    done = service.run(sys.executable, str(program), ROLE, SCIKIT_LEARN, str(source), check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    sagemaker, s3 = service.client("sagemaker"), service.client("s3")

    def ended(noun: str) -> Any:
        listed = getattr(sagemaker, f"list_{noun}_jobs")(NameContains="sdk-v3")[f"{noun.title()}JobSummaries"]
        name = listed[0][f"{noun.title()}JobName"]
        job = getattr(sagemaker, f"describe_{noun}_job")(**{f"{noun.title()}JobName": name})
        return job if job[f"{noun.title()}JobStatus"] not in ("InProgress", "Stopping") else None

    processed = until(lambda: ended("processing"), "the processing job ends", 120)
    assert processed["ProcessingJobStatus"] == "Completed", log(service, "ProcessingJobs", processed)
    bucket = processed["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"].split("/")[2]
    body = s3.get_object(Bucket=bucket, Key="sdk-v3/found.json")["Body"].read().decode()
    assert body == '{"depth": 7, "package": 42, "account": "123456789012", "channels": null}'

    trained = until(lambda: ended("training"), "the training job ends", 120)
    assert trained["TrainingJobStatus"] == "Completed", log(service, "TrainingJobs", trained)
    _, _, bucket, key = trained["ModelArtifacts"]["S3ModelArtifacts"].split("/", 3)
    with tarfile.open(fileobj=io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())) as archive:
        file = archive.extractfile("found.json")
        assert file is not None
        assert file.read().startswith(b'{"depth": 9, "package": 42, "account": "123456789012", "channels": "[')


def log(service: Service, group: str, job: dict[str, Any]) -> str:
    """What a job printed, for a failing test's message."""
    name = job.get("ProcessingJobName") or job["TrainingJobName"]
    events = service.client("logs").filter_log_events(
        logGroupName=f"/aws/sagemaker/{group}", logStreamNamePrefix=f"{name}/"
    )["events"]
    return str(job.get("FailureReason")) + "\n" + "\n".join(event["message"] for event in events[-40:])
