"""A captured endpoint with a baseline, for tests of monitoring: three features, and predictions of a tiny model."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np

from tests.integration.endpoint_models import Made, archive
from tests.support import ROLE, SCIKIT_LEARN, Service, until

ANALYZER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
CLARIFY = "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0"
CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}}
COLUMNS = ("prediction", "a", "b", "c")
SERVES = """
import numpy as np

def model_fn(folder):
    return None

def predict_fn(data, model):
    return (np.asarray(data, dtype=float).reshape(-1, 3)[:, :1] > 0).astype(int)
"""
ENDED = ("Completed", "CompletedWithViolations", "Failed", "Stopped")
HOURLY = {"ScheduleExpression": "cron(0 * ? * * *)"}


@dataclass
class Monitored:
    """An endpoint on a service, and what watches it. All names are its own."""

    service: Service

    def __post_init__(self) -> None:
        self.made = Made(self.service)
        self.sagemaker, self.s3 = self.made.sagemaker, self.made.s3
        self.bucket = f"monitoring-{uuid.uuid4().hex[:8]}"
        self.s3.create_bucket(Bucket=self.bucket)
        self.sent = 0

    @cached_property
    def model(self) -> str:
        """The endpoint's model."""
        data = archive(**{"code__inference,py": SERVES.encode()})
        return self.made.model(data, SCIKIT_LEARN, SAGEMAKER_PROGRAM="inference.py",
                               SAGEMAKER_SUBMIT_DIRECTORY="/opt/ml/model/code")  # fmt: skip

    @cached_property
    def endpoint(self) -> str:
        """A captured endpoint that is in service."""
        capture = {
            "EnableCapture": True, "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{self.bucket}/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        }  # fmt: skip
        return self.made.endpoint(self.made.config(self.model, DataCaptureConfig=capture))

    def put(self, key: str, body: bytes | Any) -> str:
        """An object; its URI. What is not bytes is JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)
        return f"s3://{self.bucket}/{key}"

    def invoke(self, rows: Any, *, inference_id: str = "") -> None:
        """A request for each of these rows of features, until all are captured; their ids are numbered."""
        for number, row in enumerate(rows):
            more = {"InferenceId": f"{inference_id}-{number}"} if inference_id else {}
            self.made.runtime.invoke_endpoint(
                EndpointName=self.endpoint, Body=",".join(map(str, row)).encode(), ContentType="text/csv",
                Accept="text/csv", **more,
            )  # fmt: skip
            self.sent += 1
        self._wait_for_captures()

    def _wait_for_captures(self) -> None:
        """They are written a little after the answers."""
        until(lambda: self._count(self.captures()) >= self.sent, f"{self.sent} captured requests", 120)

    def captures(self) -> set[str]:
        """The keys of what is captured."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix="capture/")
        return {item["Key"] for page in pages for item in page.get("Contents", [])}

    def forget_captures(self, before: set[str], requests: int) -> None:
        """Removes what so many requests left beside `before`: a monitor fails where encodings are mixed."""
        until(lambda: self._count(self.captures() - before) >= requests, f"{requests} captured requests", 120)
        for key in self.captures() - before:
            self.s3.delete_object(Bucket=self.bucket, Key=key)

    def _count(self, keys: set[str]) -> int:
        bodies = [self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys]
        return sum(len(body.splitlines()) for body in bodies)

    @property
    def hour(self) -> str:
        """The hour of the service's clock, as keys have it."""
        done = self.service.run("local-sagemaker", "--home", str(self.service.home), "clock", "--json")
        return str(json.loads(done.stdout)["now"][:13].replace("-", "/").replace("T", "/"))

    def leave_the_full_hour(self) -> None:
        """Moves the service's clock over a full hour that is near: an hourly schedule falls due when a test says."""
        left = 60 - datetime.now(UTC).minute
        if left <= 10:
            self.service.run("local-sagemaker", "--home", str(self.service.home), "clock", f"{left}m")

    @property
    def label_place(self) -> str:
        """Where labels are."""
        return f"s3://{self.bucket}/labels"

    def labels(self, rows: Any, inference_id: str, *, hour: str | None = None) -> None:
        """Labels of the answers to `invoke`, every other one wrong, under the hour of their collection."""
        lines = [
            {"groundTruthData": {"data": str((int(row[0] > 0) + number) % 2), "encoding": "CSV"},
             "eventMetadata": {"eventId": f"{inference_id}-{number}"}, "eventVersion": "0"}
            for number, row in enumerate(rows)
        ]  # fmt: skip
        place = hour or datetime.now(UTC).strftime("%Y/%m/%d/%H")
        self.put(f"labels/{place}/{inference_id}.jsonl", "\n".join(map(json.dumps, lines)).encode())

    def rows(self, count: int, *, shift: float = 0.0) -> list[list[float]]:
        """Rows of features; `shift` moves the last one."""
        found = np.random.default_rng(3).normal(size=(count, 3))
        found[:, 2] += shift
        return [[float(value) for value in row] for row in found.round(4)]

    def baseline(self) -> dict[str, str]:
        """The URIs of statistics and constraints of a baselining job on rows as the endpoint gets them."""
        lines = [",".join(COLUMNS)] + [",".join(map(str, [int(row[0] > 0), *row])) for row in self.rows(400)]
        self.put("baseline/in/data.csv", "\n".join(lines).encode())
        name, source = f"baseline-{uuid.uuid4().hex[:8]}", "/opt/ml/processing/input/baseline"
        self.sagemaker.create_processing_job(
            ProcessingJobName=name, RoleArn=ROLE, AppSpecification={"ImageUri": ANALYZER},
            Environment={"dataset_source": source, "output_path": "/opt/ml/processing/output",
                         "publish_cloudwatch_metrics": "Disabled", "dataset_format": '{"csv": {"header": true}}'},
            ProcessingResources=CLUSTER,
            ProcessingInputs=[{"InputName": "baseline", "S3Input": {
                "S3Uri": f"s3://{self.bucket}/baseline/in", "LocalPath": source, "S3DataType": "S3Prefix",
                "S3InputMode": "File"}}],
            ProcessingOutputConfig={"Outputs": [{"OutputName": "result", "S3Output": {
                "S3Uri": f"s3://{self.bucket}/baseline/out", "LocalPath": "/opt/ml/processing/output",
                "S3UploadMode": "EndOfJob"}}]},
        )  # fmt: skip
        job = until(lambda: self._ended_job(name), "the baseline", 180)
        assert job["ProcessingJobStatus"] == "Completed", job
        place = f"s3://{self.bucket}/baseline/out"
        return {"statistics": f"{place}/statistics.json", "constraints": f"{place}/constraints.json"}

    def _ended_job(self, name: str) -> Any:
        job = self.sagemaker.describe_processing_job(ProcessingJobName=name)
        return job if job["ProcessingJobStatus"] not in ("InProgress", "Stopping") else None

    def data_quality(self, name: str, baseline: dict[str, str], **members: Any) -> None:
        """A data quality job definition on the endpoint."""
        self.sagemaker.create_data_quality_job_definition(
            JobDefinitionName=name, RoleArn=ROLE, JobResources=CLUSTER,
            DataQualityAppSpecification={"ImageUri": ANALYZER},
            DataQualityBaselineConfig={"ConstraintsResource": {"S3Uri": baseline["constraints"]},
                                       "StatisticsResource": {"S3Uri": baseline["statistics"]}},
            DataQualityJobInput={"EndpointInput": {"EndpointName": self.endpoint,
                                                   "LocalPath": "/opt/ml/processing/input_data"}},
            DataQualityJobOutputConfig=self.output(), **members,
        )  # fmt: skip

    def model_quality(self, name: str, *, labels: str = "", **source: str) -> None:
        """A model quality job definition on the endpoint, without a baseline; `source` are members of its input."""
        self.sagemaker.create_model_quality_job_definition(
            JobDefinitionName=name, RoleArn=ROLE, JobResources=CLUSTER,
            ModelQualityAppSpecification={"ImageUri": ANALYZER, "ProblemType": "BinaryClassification"},
            ModelQualityJobInput={
                "EndpointInput": {"EndpointName": self.endpoint, "LocalPath": "/opt/ml/processing/input_data",
                                  "InferenceAttribute": "0", **source},
                "GroundTruthS3Input": {"S3Uri": labels or self.label_place},
            },
            ModelQualityJobOutputConfig=self.output(),
        )  # fmt: skip

    def output(self) -> dict[str, Any]:
        """Where monitoring jobs write."""
        return {"MonitoringOutputs": [{"S3Output": {"S3Uri": f"s3://{self.bucket}/reports",
                                                    "LocalPath": "/opt/ml/processing/output"}}]}  # fmt: skip

    def schedule(self, name: str, definition: str, kind: str = "DataQuality", **config: str) -> str:
        """A schedule of a job definition; its ARN. Without `config` nothing falls due while a test runs."""
        given = config or {"ScheduleExpression": f"cron(0 {(datetime.now(UTC).hour + 12) % 24} ? * * *)"}
        return str(self.sagemaker.create_monitoring_schedule(
            MonitoringScheduleName=name,
            MonitoringScheduleConfig={"MonitoringJobDefinitionName": definition, "MonitoringType": kind,
                                      "ScheduleConfig": given},
        )["MonitoringScheduleArn"])  # fmt: skip

    def result(self, execution: dict[str, Any]) -> str:
        """Where the job of an execution wrote."""
        name = execution["ProcessingJobArn"].rpartition("/")[2]
        job = self.sagemaker.describe_processing_job(ProcessingJobName=name)
        return str(job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"])

    def ended_transform(self, name: str) -> Any:
        """The description of a transform job once it has ended."""
        job = self.sagemaker.describe_transform_job(TransformJobName=name)
        return job if job["TransformJobStatus"] not in ("InProgress", "Stopping") else None

    def executions(self, schedule: str) -> list[dict[str, Any]]:
        """The executions of a schedule, newest first."""
        found = self.sagemaker.list_monitoring_executions(MonitoringScheduleName=schedule)
        return list(found["MonitoringExecutionSummaries"])

    def ended(self, schedule: str, count: int = 1) -> dict[str, Any]:
        """The newest execution of a schedule once so many have ended."""

        def newest() -> Any:
            found = [one for one in self.executions(schedule) if one["MonitoringExecutionStatus"] in ENDED]
            return found[0] if len(found) >= count else None

        return dict(until(newest, f"execution {count} of {schedule}", 240))
