"""A small service with the job runtime alone: real objects, records, logs and processes, no HTTP."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_sagemaker.api.operations import Request, Response, table
from local_sagemaker.config import Settings
from local_sagemaker.errors import NotSupported
from local_sagemaker.events import Event
from local_sagemaker.files.removal import discard
from local_sagemaker.jobs.runner import JobQueue, JobRunner
from local_sagemaker.jobs.spec import ModelServers
from local_sagemaker.logs import Logs
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.processes import ForkedProcesses
from local_sagemaker.records import Records
from local_sagemaker.services.sagemaker.processing_jobs import ProcessingJobs
from local_sagemaker.services.sagemaker.tags import Tags
from local_sagemaker.services.sagemaker.training_jobs import TrainingJobs
from local_sagemaker.services.sagemaker.transform_jobs import TransformJobs
from local_sagemaker.services.sagemaker.trial_components import TrialComponents
from local_sagemaker.state_folder import discard_leftovers
from tests.support import ROLE, SCIKIT_LEARN

BUCKET = "bucket"
SECONDS = 300
ENDED = ("Completed", "Failed", "Stopped")


class NotedEndpoints:
    """Endpoints that are only noted; nothing listens at their address."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.left: list[str] = []

    @contextmanager
    def of(self, model: str, predictor: Mapping[str, Any]) -> Iterator[str]:
        self.made.append(model)
        try:
            yield "http://127.0.0.1:9"
        finally:
            self.left.append(model)


@dataclass
class World:
    """The parts, and short ways to use them."""

    settings: Settings
    processes: ForkedProcesses
    servers: ModelServers | None = None
    models: dict[str, Response] = field(default_factory=dict)
    grace: float = 5.0

    def __post_init__(self) -> None:
        """Builds everything over the state folder."""
        self.objects = DiskObjects(self.settings.objects)
        if not self.objects.bucket_exists(BUCKET):
            self.objects.buckets.create(BUCKET)
        self.records, self.logs = Records(self.settings.records_file), Logs(self.settings.logs)
        self.calls: list[tuple[str, Request]] = []
        self.changed = threading.Condition()
        self.statuses: dict[str, list[str]] = {}
        self.records.events.subscribe(self._hear)
        self.endpoints = NotedEndpoints()
        discard_leftovers(self.settings.home)
        self.queue = JobQueue(self.settings.job_slots)
        self.runner = JobRunner(
            queue=self.queue, endpoints=self.endpoints,
            settings=self.settings, objects=self.objects, logs=self.logs, processes=self.processes,
            servers=self.servers, call=self.call, service_environment={"AWS_REGION": "us-east-1"}, grace=self.grace,
        )  # fmt: skip
        common: dict[str, Any] = {
            "settings": self.settings, "records": self.records, "objects": self.objects,
            "tags": Tags(self.records), "runner": self.runner, "call": self.call,
        }  # fmt: skip
        self.processing, self.training = ProcessingJobs(**common), TrainingJobs(**common)
        self.transform = TransformJobs(**common)
        components = TrialComponents(settings=self.settings, records=self.records, tags=common["tags"])
        self.handlers = table("sagemaker", [self.processing, self.training, self.transform, common["tags"], components])

    def close(self) -> None:
        """Ends the jobs and closes the files, as the service does at its end."""
        self.queue.close()
        self.records.close()
        self.objects.close()

    def call(self, name: str, request: Request) -> Response:
        """The operations that exist here."""
        self.calls.append((name, request))
        if name == "sagemaker:DescribeModel":
            return self.models[request["ModelName"]]
        if name == "s3:DeleteObject":
            self.objects.delete(request["Bucket"], request["Key"])
            return {}
        handler = self.handlers.get(name)
        if handler is None:
            raise NotSupported(name)
        return handler(request)

    def do(self, operation: str, **request: Any) -> Response:
        """A SageMaker operation."""
        return self.call(f"sagemaker:{operation}", request)

    def put(self, key: str, text: str | bytes) -> str:
        """An object; its URI."""
        self.objects.put(BUCKET, key, text.encode() if isinstance(text, str) else text)
        return f"s3://{BUCKET}/{key}"

    def get(self, key: str) -> bytes | None:
        """The bytes of an object."""
        return self.objects.read(BUCKET, key)

    def keys(self, prefix: str = "") -> list[str]:
        """The keys with a prefix."""
        return [info.key for info in self.objects.list(BUCKET, prefix)]

    def process(self, name: str, script: str, *arguments: str, hosts: int = 1, **request: Any) -> str:
        """Creates a processing job that runs a Python script; answers its name."""
        uri = self.put(f"code/{name}/script.py", script)
        self.do(
            "CreateProcessingJob",
            ProcessingJobName=name,
            RoleArn=ROLE,
            AppSpecification={
                "ImageUri": SCIKIT_LEARN,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/script.py"],
                **({"ContainerArguments": list(arguments)} if arguments else {}),
            },
            ProcessingResources={
                "ClusterConfig": {"InstanceCount": hosts, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 1}
            },
            ProcessingInputs=[processing_input("code", uri), *request.pop("inputs", [])],
            **request,
        )
        return name

    def train(self, name: str, script: str, hosts: int = 1, **request: Any) -> str:
        """Creates a training job that runs a Python script as its entrypoint; answers its name."""
        uri = self.put(f"code/{name}/train.py", script)
        algorithm = {
            "TrainingImage": SCIKIT_LEARN,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/train.py"],
            **request.pop("algorithm", {}),
        }
        self.do(
            "CreateTrainingJob",
            TrainingJobName=name,
            RoleArn=ROLE,
            AlgorithmSpecification=algorithm,
            InputDataConfig=[channel("code", uri), *request.pop("channels", [])],
            OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out/", **request.pop("output", {})},
            ResourceConfig={"InstanceCount": hosts, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 1},
            **{"StoppingCondition": {"MaxRuntimeInSeconds": 600}, **request},
        )
        return name

    def ended(self, kind: str, name: str) -> Response:
        """Waits for the end of a job by its event; the Describe answer."""
        arn = self.settings.arns.sagemaker(kind, name)
        with self.changed:
            assert self.changed.wait_for(lambda: self.statuses.get(arn, [""])[-1] in ENDED, SECONDS), self.statuses
        noun = "".join(word.title() for word in kind.split("-"))
        return self.do(f"Describe{noun}", **{f"{noun}Name": name})

    def processed(self, *given: Any, **more: Any) -> Response:
        """Runs a processing job to its end."""
        return self.ended("processing-job", self.process(*given, **more))

    def trained(self, *given: Any, **more: Any) -> Response:
        """Runs a training job to its end."""
        return self.ended("training-job", self.train(*given, **more))

    def log(self, group: str, job: str) -> str:
        """What all hosts of a job printed."""
        group = f"/aws/sagemaker/{group}"
        files = [self.logs.file(group, s.name) for s in self.logs.streams(group, f"{job}/")]
        return "".join(file.read_text("utf-8", "replace") for file in files)

    def script_log(self, group: str, job: str) -> str:
        """The same without the line on what differs from the image, as where this machine lacks its Python."""
        lines = self.log(group, job).splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("The image "))

    def _hear(self, event: Event) -> None:
        with self.changed:
            if event.status != event.previous:  # else another stage of the same status
                self.statuses.setdefault(event.arn, []).append(event.status)
            self.changed.notify_all()


def processing_input(name: str, uri: str, **more: Any) -> dict[str, Any]:
    """A ProcessingInput at /opt/ml/processing/input/<name>."""
    path = f"/opt/ml/processing/input/{name}"
    return {"InputName": name, "S3Input": {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", **more}}


def processing_outputs(*names: str, **more: Any) -> dict[str, Any]:
    """A ProcessingOutputConfig: /opt/ml/processing/<name> goes to s3://bucket/<name>."""
    outputs = [
        {"OutputName": n, "S3Output": {"S3Uri": f"s3://{BUCKET}/{n}", "LocalPath": f"/opt/ml/processing/{n}",
                                       "S3UploadMode": "EndOfJob", **more}}
        for n in names
    ]  # fmt: skip
    return {"Outputs": outputs}


def channel(name: str, uri: str, *, source: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A training channel."""
    s3 = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated", **(source or {})}
    return {"ChannelName": name, "DataSource": {"S3DataSource": s3}, **more}


@contextmanager
def new_world(processes: ForkedProcesses, **more: Any) -> Iterator[World]:
    """A world in a state folder of its own."""
    home = Path(tempfile.mkdtemp(prefix="jobs-"))
    slots = more.pop("slots", 8)
    world = World(Settings(home=home, job_slots=slots), processes, **more)
    try:
        yield world
    finally:
        world.close()
        discard(home)


Make = Callable[..., World]
