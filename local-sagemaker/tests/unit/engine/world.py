"""The engine with real records, objects, logs, models and packages; only the jobs are puppets of the test."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_sagemaker.api.operations import Request, Response, dispatcher, operation, table
from local_sagemaker.api.validation import check
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import MissingResource, ResourceInUse, ValidationError
from local_sagemaker.logs import Logs
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.records import Records
from local_sagemaker.services import s3
from local_sagemaker.services.sagemaker.experiments import Experiments
from local_sagemaker.services.sagemaker.model_package_groups import ModelPackageGroups
from local_sagemaker.services.sagemaker.model_packages import ModelPackages
from local_sagemaker.services.sagemaker.models import ModelOperations
from local_sagemaker.services.sagemaker.pipeline_callbacks import PipelineCallbacks
from local_sagemaker.services.sagemaker.pipeline_executions import PipelineExecutions
from local_sagemaker.services.sagemaker.pipelines import Pipelines
from local_sagemaker.services.sagemaker.tags import Tags

ROLE = "arn:aws:iam::123456789012:role/LocalSageMakerRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
ENDED = ("Succeeded", "Failed", "Stopped", "CompletedWithFailures")
Work = Callable[[dict[str, Any]], None]


class Jobs:
    """One kind of job whose course the test decides: `plan[step] = work`, by the step's name in the job's name.

    Work that returns completes the job, a raised RuntimeError fails it with that reason, `hang` leaves it running.
    """

    def __init__(self, noun: str, kind: str, world: World) -> None:
        self.noun, self.kind, self.world = noun, kind, world
        self.requests: list[Request] = []
        self.deaf = False
        self.last = "Completed"

    def create(self, request: Request) -> Response:
        name = request[f"{self.noun}Name"]
        for prefix, error in self.world.refuse.items():
            if prefix in name and error:
                raise error.pop(0)
        key = f"{self.kind}:{name}"
        if self.world.records.get(self.kind, name):
            raise ResourceInUse(f"Job name must be unique ({key})")
        self.requests.append(request)
        arn = self.world.settings.arns.sagemaker(self.kind, name)
        extra = self._artifacts(request)
        body = {**request, f"{self.noun}Arn": arn, f"{self.noun}Status": "InProgress", "CreationTime": now(), **extra}
        self.world.records.put(self.kind, name, body)
        work = next((work for step, work in self.world.plan.items() if f"-{step}-" in name), None)
        if work is hang:
            return {f"{self.noun}Arn": arn}
        try:
            if work:
                work(body)
        except RuntimeError as error:
            self.end(name, "Failed", str(error))
        else:
            self.end(name, self.last)
        return {f"{self.noun}Arn": arn}

    def _artifacts(self, request: Request) -> dict[str, Any]:
        if self.noun != "TrainingJob":
            return {}
        folder = request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        return {"ModelArtifacts": {"S3ModelArtifacts": f"{folder}/{request['TrainingJobName']}/output/model.tar.gz"}}

    def describe(self, request: Request) -> Response:
        body = self.world.records.get(self.kind, request[f"{self.noun}Name"])
        if body is None:
            raise MissingResource("Requested resource not found.")
        return body

    def stop(self, request: Request) -> Response:
        if not self.deaf:
            self.end(request[f"{self.noun}Name"], "Stopped")
        return {}

    def end(self, name: str, status: str, reason: str | None = None) -> None:
        body = self.world.records.get(self.kind, name) or {}
        body[f"{self.noun}Status"] = status
        if reason:
            body["FailureReason"] = reason
        self.world.records.put(self.kind, name, body)


def puppets(noun: str, kind: str, world: World) -> Jobs:
    """The three operations of one kind of job."""

    class Named(Jobs):
        @operation(f"Create{noun}")
        def create_operation(self, request: Request) -> Response:
            return self.create(request)

        @operation(f"Describe{noun}")
        def describe_operation(self, request: Request) -> Response:
            return self.describe(request)

        @operation(f"Stop{noun}")
        def stop_operation(self, request: Request) -> Response:
            return self.stop(request)

    return Named(noun, kind, world)


class TuningLists:
    """The training jobs of tuning jobs: none."""

    @operation("ListTrainingJobsForHyperParameterTuningJob")
    def training_jobs(self, _: Request) -> Response:
        return {"TrainingJobSummaries": []}


def hang(_: dict[str, Any]) -> None:
    """The job runs until the test ends or stops it."""


def fails(reason: str) -> Work:
    """The job fails with this reason."""

    def work(_: dict[str, Any]) -> None:
        raise RuntimeError(reason)

    return work


class World:
    """A service without a wire: every operation that the engine uses, through a real `Call`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = Settings(home)
        self.plan: dict[str, Work] = {}
        self.refuse: dict[str, list[Exception]] = {}
        self.calls: list[str] = []
        self.before: dict[str, Callable[[], None]] = {}
        self.open()
        self.objects.buckets.create("bucket")

    def open(self) -> None:
        self.records = Records(self.settings.records_file)
        self.objects = DiskObjects(self.settings.objects)
        self.logs = Logs(self.settings.logs)
        tags = Tags(self.records)
        shared: dict[str, Any] = {"settings": self.settings, "records": self.records}
        self.processing = puppets("ProcessingJob", "processing-job", self)
        self.training = puppets("TrainingJob", "training-job", self)
        self.transform = puppets("TransformJob", "transform-job", self)
        self.tuning = puppets("HyperParameterTuningJob", "hyper-parameter-tuning-job", self)
        self.pipelines = Pipelines(**shared, tags=tags, call=self.call)
        self.executions = PipelineExecutions(**shared, objects=self.objects, logs=self.logs, call=self.call)
        resources = [
            self.processing, self.training, self.transform, self.tuning, TuningLists(), tags,
            self.pipelines, self.executions, PipelineCallbacks(records=self.records),
            ModelOperations(**shared, objects=self.objects, tags=tags, call=self.call),
            ModelPackageGroups(**shared, tags=tags), ModelPackages(**shared, tags=tags),
            Experiments(**shared, tags=tags),
        ]  # fmt: skip
        buckets = s3.build(objects=self.objects, settings=self.settings)
        self._call = dispatcher({**table("sagemaker", resources), **table("s3", buckets)}, check)

    def close(self) -> None:
        self.executions.close()
        self.records.close()
        self.objects.close()

    def call(self, name: str, request: Request) -> Response:
        self.calls.append(name)
        for prefix, act in self.before.items():
            if name == prefix:
                act()
        return self._call(name, json.loads(json.dumps(request)))

    def sagemaker(self, name: str, **request: Any) -> Response:
        return self.call(f"sagemaker:{name}", request)

    # What tests ask for again and again

    def put(self, key: str, content: Any) -> str:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.objects.put("bucket", key, data)
        return f"s3://bucket/{key}"

    def create(self, steps: list[dict[str, Any]], name: str = "P", **more: Any) -> str:
        document = {"Version": "2020-12-01", "Metadata": {}, "Parameters": more.pop("Parameters", []), "Steps": steps}
        document["PipelineExperimentConfig"] = more.pop("PipelineExperimentConfig", None)
        request = {"PipelineName": name, "PipelineDefinition": json.dumps(document), "RoleArn": ROLE, **more}
        try:
            return str(self.sagemaker("CreatePipeline", **request)["PipelineArn"])
        except ValidationError as error:
            if "already exists" not in error.message:
                raise
            return str(self.sagemaker("UpdatePipeline", **request)["PipelineArn"])

    def start(self, name: str = "P", parameters: dict[str, str] | None = None, **more: Any) -> str:
        given = [{"Name": key, "Value": value} for key, value in (parameters or {}).items()]
        answer = self.sagemaker("StartPipelineExecution", PipelineName=name, PipelineParameters=given, **more)
        return str(answer["PipelineExecutionArn"])

    def run(self, steps: list[dict[str, Any]], parameters: dict[str, str] | None = None, **more: Any) -> str:
        """Creates (or updates) pipeline P, starts it, waits for its end."""
        self.create(steps, **more)
        return self.wait(self.start(parameters=parameters))

    def wait(self, arn: str) -> str:
        until(lambda: self.describe(arn)["PipelineExecutionStatus"] in ENDED)
        return arn

    def describe(self, arn: str) -> Response:
        return self.sagemaker("DescribePipelineExecution", PipelineExecutionArn=arn)

    def status(self, arn: str) -> str:
        return str(self.describe(arn)["PipelineExecutionStatus"])

    def steps(self, arn: str) -> dict[str, dict[str, Any]]:
        """The listing by step name, in the order of the start."""
        answer = self.sagemaker("ListPipelineExecutionSteps", PipelineExecutionArn=arn, SortOrder="Ascending")
        return {step["StepName"]: step for step in answer["PipelineExecutionSteps"]}

    def statuses(self, arn: str) -> dict[str, str]:
        return {name: step["StepStatus"] for name, step in self.steps(arn).items()}

    def job_of(self, arn: str, step: str) -> str:
        """The name of the step's job, once it has one."""
        until(lambda: self.steps(arn).get(step, {}).get("Metadata"))
        return str(next(iter(self.steps(arn)[step]["Metadata"].values()))["Arn"].rsplit("/", 1)[-1])

    def cache_text(self, arn: str, step: str) -> str:
        """What the step's log stream says of the cache."""
        name, _, identifier = arn.split("pipeline/", 1)[1].partition("/execution/")
        return self.logs.file("/aws/sagemaker/PipelineExecutions", f"{name}/{identifier}/{step}").read_text().strip()


def until(condition: Callable[[], Any], seconds: float = 10) -> None:
    """Polls with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true in time"
        threading.Event().wait(0.005)


def processing(name: str, **more: Any) -> dict[str, Any]:
    """A Processing step with one output ``out``; `Environment` and others go into its arguments."""
    common = ("DependsOn", "CacheConfig", "RetryPolicies", "PropertyFiles", "DisplayName", "Description")
    step = {key: more.pop(key) for key in common if key in more}
    output = {
        "OutputName": "out",
        "S3Output": {
            "S3Uri": f"s3://bucket/{name}/out",
            "LocalPath": "/opt/ml/processing/output",
            "S3UploadMode": "EndOfJob",
        },
    }
    arguments = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "/opt/ml/code.py"]},
        "RoleArn": ROLE,
        "ProcessingOutputConfig": {"Outputs": [output]},
        **more,
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **step}


def training(name: str, **more: Any) -> dict[str, Any]:
    """A Training step."""
    step = {key: more.pop(key) for key in ("DependsOn", "CacheConfig", "RetryPolicies") if key in more}
    arguments = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "RoleArn": ROLE,
        **more,
    }
    return {"Name": name, "Type": "Training", "Arguments": arguments, **step}


def tuning(name: str, *, config: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A Tuning step with one training job definition, whose members are `more`."""
    step = {key: more.pop(key) for key in ("DependsOn", "CacheConfig", "RetryPolicies") if key in more}
    definition = training(name)["Arguments"] | more
    range_ = {"Name": "eta", "MinValue": "0", "MaxValue": "1"}
    given = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": {"ContinuousParameterRanges": [range_]},
        **(config or {}),
    }
    arguments = {"HyperParameterTuningJobConfig": given, "TrainingJobDefinition": definition}
    return {"Name": name, "Type": "Tuning", "Arguments": arguments, **step}


def get(path: str) -> dict[str, str]:
    """A Get expression."""
    return {"Get": path}
