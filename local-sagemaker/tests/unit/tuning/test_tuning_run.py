"""A tuning job over real records with training jobs that are puppets: kills at awkward moments, and refusals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.operations import Request, Response
from local_sagemaker.config import Settings
from local_sagemaker.errors import MissingResource, ServiceError, ValidationError
from local_sagemaker.logs import Logs
from local_sagemaker.records import Records
from local_sagemaker.services.sagemaker.tags import Tags
from local_sagemaker.services.sagemaker.tuning_jobs import KIND, TuningJobs
from local_sagemaker.tuning.sampling import draw
from tests.support import until

DEFINITION = {
    "AlgorithmSpecification": {
        "TrainingImage": "sagemaker-scikit-learn:1",
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": "(.*)"}],
    },
    "RoleArn": "arn:aws:iam::123456789012:role/Role",
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "CheckpointConfig": {"S3Uri": "s3://bucket/checkpoints"},
}
REQUEST = {
    "HyperParameterTuningJobName": "T",
    "HyperParameterTuningJobConfig": {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "loss"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]},
    },
    "TrainingJobDefinition": DEFINITION,
}


class World:
    """Tuning jobs of a service whose training jobs run until the test ends them."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)
        self.created: list[Request] = []
        self.stopped: list[str] = []
        self.refuse: ServiceError | None = None
        self.open()

    def open(self) -> None:
        self.records = Records(self.settings.records_file)
        self.tuning = TuningJobs(
            settings=self.settings, records=self.records, tags=Tags(self.records), call=self.call,
            logs=Logs(self.settings.logs), check_training_job=lambda _: None, suggest=draw,
            link_training_job=self.link,
        )  # fmt: skip

    def link(self, name: str, tuning_job: str) -> None:
        self.records.update("training-job", name, lambda body: body | {"TuningJobArn": tuning_job})

    def close(self) -> None:
        self.tuning.close()
        self.records.close()

    def call(self, name: str, request: Request) -> Response:
        job = request["TrainingJobName"]
        if name == "sagemaker:CreateTrainingJob":
            if self.refuse:
                raise self.refuse
            arn = self.settings.arns.sagemaker("training-job", job)
            body = {"TrainingJobArn": arn, "TrainingJobStatus": "InProgress", "CreationTime": 1.0}
            self.records.put("training-job", job, body)
            self.created.append(request)  # last: a test that has seen it may stop the service
            return {"TrainingJobArn": arn}
        if self.records.get("training-job", job) is None:
            raise MissingResource("Requested resource not found.")
        if name == "sagemaker:StopTrainingJob":
            self.stopped.append(job)
            self.end(job, "Stopped")
            return {}
        return self.records.get("training-job", job) or {}

    def end(self, job: str, status: str = "Completed", value: float | None = None) -> None:
        body = self.records.get("training-job", job) or {}
        body["TrainingJobStatus"] = status
        if value is not None:
            body["FinalMetricDataList"] = [{"MetricName": "loss", "Value": value, "Timestamp": 2.0}]
        self.records.put("training-job", job, body)

    def described(self) -> Response:
        return self.tuning.describe({"HyperParameterTuningJobName": "T"})

    def names(self) -> list[str]:
        return [str(request["TrainingJobName"]) for request in self.created]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_a_place_that_is_free_is_taken_at_once(world: World) -> None:
    world.tuning.create(REQUEST)
    until(lambda: len(world.created) == 2, "two training jobs")
    assert world.created[0]["CheckpointConfig"] == {"S3Uri": f"s3://bucket/checkpoints/{world.names()[0]}"}
    assert world.created[0]["HyperParameters"]["_tuning_objective_metric"] == "loss"
    world.end(world.names()[1], value=3.0)
    until(lambda: len(world.created) == 3, "the third training job")
    world.end(world.names()[0], value=1.0)
    until(lambda: len(world.created) == 4, "the last training job")
    for name in world.names()[2:]:
        world.end(name, value=2.0)
    until(lambda: world.described()["HyperParameterTuningJobStatus"] == "Completed", "the end")
    assert world.described()["BestTrainingJob"]["TrainingJobName"] == world.names()[1]


def test_what_was_written_down_before_a_kill_is_made_after_it(world: World) -> None:
    world.refuse = ServiceError("x")  # the process dies in CreateTrainingJob
    world.tuning.create(REQUEST)
    until(lambda: world.described()["HyperParameterTuningJobStatus"] == "Failed", "the puppet's death")
    (trial,) = world.records.list("tuning-trial")
    world.close()
    world.refuse = None
    world.records = Records(world.settings.records_file)
    world.records.update(KIND, "T", lambda body: body.update(HyperParameterTuningJobStatus="InProgress"))
    world.records.close()
    world.open()
    world.tuning.resume()
    until(lambda: len(world.created) == 2, "two training jobs")
    assert world.names()[0] == trial["TrainingJobName"]
    assert world.created[0]["HyperParameters"]["x"] == trial["TunedHyperParameters"]["x"]


def test_a_training_job_that_ended_while_the_service_was_down(world: World) -> None:
    world.tuning.create(REQUEST)
    until(lambda: len(world.created) == 2, "two training jobs")
    world.close()
    world.open()
    world.end(world.names()[0], value=1.0)
    world.tuning.resume()
    until(lambda: len(world.created) == 3, "the third training job")
    assert world.described()["ObjectiveStatusCounters"] == {"Succeeded": 1, "Pending": 2, "Failed": 0}


def test_a_refusal_ends_the_tuning_job_and_what_runs(world: World) -> None:
    world.tuning.create(REQUEST)
    until(lambda: len(world.created) == 2, "two training jobs")
    world.refuse = ValidationError("No S3 objects found")
    world.end(world.names()[0], value=1.0)
    until(lambda: world.described()["HyperParameterTuningJobStatus"] == "Failed", "the end")
    found: dict[str, Any] = world.described()
    assert found["FailureReason"] == "ClientError: No S3 objects found"
    assert world.stopped == [world.names()[1]]
    assert found["TrainingJobStatusCounters"]["Stopped"] == 1
    listed = world.tuning.list_training_jobs({"HyperParameterTuningJobName": "T"})["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in listed] == world.names(), "none that was never made"


def test_a_deleted_training_job_has_failed(world: World) -> None:
    world.tuning.create(REQUEST)
    until(lambda: len(world.created) == 2, "two training jobs")
    name = world.names()[0]
    world.records.delete("training-job", name)
    until(lambda: world.described()["TrainingJobStatusCounters"]["NonRetryableError"] == 1, "it counts as failed")
