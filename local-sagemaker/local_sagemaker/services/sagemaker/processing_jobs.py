"""Processing jobs: a program over S3 inputs that writes S3 outputs (contracts: containers 1)."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from pathlib import PurePosixPath

from local_sagemaker import images
from local_sagemaker.api.operations import Call, Request, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.errors import ValidationError
from local_sagemaker.images.image import Program
from local_sagemaker.jobs import channels
from local_sagemaker.jobs.resources import processing_config
from local_sagemaker.jobs.runner import JobRunner
from local_sagemaker.jobs.spec import Channel, JobSpec, Outcome, Upload, UploadTiming
from local_sagemaker.objects import uris
from local_sagemaker.objects.types import Objects
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import PROCESSING_JOB
from local_sagemaker.records.store import Body
from local_sagemaker.services.sagemaker.instance_preferences import check_cluster, fill_cluster, instances
from local_sagemaker.services.sagemaker.job_resource import RunnerJobs
from local_sagemaker.services.sagemaker.tags import Tags

KIND = PROCESSING_JOB.kind
LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
_FOLDER = "/opt/ml/processing"
_MAXIMUM = 86400


class ProcessingJobs(RunnerJobs):
    """The operations on processing jobs."""

    kind = PROCESSING_JOB
    summary = ("ProcessingEndTime", "FailureReason", "ExitMessage")

    def __init__(
        self, *, settings: Settings, records: Records, objects: Objects, tags: Tags, runner: JobRunner, call: Call
    ) -> None:
        super().__init__(settings=settings, records=records, tags=tags, call=call, runner=runner)
        self._objects = objects

    @operation("DeleteProcessingJob", atomic=True)
    def delete(self, request: Request) -> Response:
        """Forgets a job that has ended."""
        return super().delete(request)

    def defaults(self, request: Request) -> Request:
        """The request as Describe shows it: optional members of inputs and outputs filled in."""
        return _fill(request)

    def record_outcome(self, body: Body, outcome: Outcome) -> None:
        """Times and the exit message."""
        if outcome.started is not None:
            body["ProcessingStartTime"] = outcome.started
            body["ProcessingEndTime"] = outcome.ended
        if outcome.message:
            body["ExitMessage"] = outcome.message

    def work(self, body: Body) -> JobSpec:
        """The program with its inputs and outputs."""
        instance_type, hosts = instances(body["ProcessingResources"]["ClusterConfig"])
        application = body["AppSpecification"]
        image, uri = images.find(application["ImageUri"], "process")
        program: Program = image.process(
            uri, application.get("ContainerEntrypoint"), application.get("ContainerArguments")
        )
        return JobSpec(
            kind=KIND,
            name=body["ProcessingJobName"],
            arn=body["ProcessingJobArn"],
            log_group=LOG_GROUP,
            program=program,
            hosts=hosts,
            instance_type=instance_type,
            channels=tuple(_channel(item) for item in body.get("ProcessingInputs", []) if not item["AppManaged"]),
            uploads=tuple(_upload(item) for item in _outputs(body) if not item["AppManaged"]),
            folders=("processing", *(_below(item["S3Output"]["LocalPath"]) for item in _outputs(body)
                                     if item["AppManaged"] and "S3Output" in item)),
            environment=body.get("Environment", {}),
            files={"config/processingjobconfig.json": processing_config(body, instance_type, hosts)},
            resource_config="config/resourceconfig.json",
            maximum=body["StoppingCondition"]["MaxRuntimeInSeconds"],
            image=image,
        )  # fmt: skip

    def check(self, request: Request) -> None:
        """Raises ValidationError for what CreateProcessingJob refuses."""
        check_cluster(request["ProcessingResources"]["ClusterConfig"])
        _check_names(request)
        seen: set[str] = set()
        for item in request.get("ProcessingInputs", []):
            if ("S3Input" in item) == ("DatasetDefinition" in item):
                raise ValidationError(
                    f"Processing input '{item['InputName']}' must have exactly one of S3Input and DatasetDefinition."
                )
            if "S3Input" not in item:
                raise ValidationError(
                    f"Processing input '{item['InputName']}': the local service has no Athena and no Redshift, so "
                    "DatasetDefinition inputs can't be read; use S3Input."
                )
            if item.get("AppManaged"):
                continue
            path = _check_path(item["InputName"], item["S3Input"].get("LocalPath"))
            if path in seen:
                raise ValidationError(f"Processing inputs must have different LocalPaths; {path} is given twice.")
            seen.add(path)
            region, role = self._settings.region, request["RoleArn"]
            channels.check(item["S3Input"]["S3Uri"], self._objects, region=region, role=role)
        for item in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
            if "S3Output" not in item and not item.get("AppManaged"):
                raise ValidationError(f"Processing output '{item['OutputName']}' must have an S3Output.")
            if "S3Output" in item:
                _check_path(item["OutputName"], item["S3Output"].get("LocalPath"))
                uris.split(item["S3Output"]["S3Uri"])


def _check_names(request: Request) -> None:
    names = [item["InputName"] for item in request.get("ProcessingInputs", [])]
    names += [item["OutputName"] for item in request.get("ProcessingOutputConfig", {}).get("Outputs", [])]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise ValidationError(f"Input and Output names must be globally unique: [{', '.join(twice)}]")


def _fill(request: Request) -> Request:
    filled = deepcopy(request)
    filled.setdefault("StoppingCondition", {}).setdefault("MaxRuntimeInSeconds", _MAXIMUM)
    fill_cluster(filled["ProcessingResources"]["ClusterConfig"])
    for item in filled.get("ProcessingInputs", []):
        item.setdefault("AppManaged", False)
        if "S3Input" in item:
            for member, value in (
                ("S3InputMode", "File"),
                ("S3DataDistributionType", "FullyReplicated"),
                ("S3CompressionType", "None"),
            ):
                item["S3Input"].setdefault(member, value)
    for item in _outputs(filled):
        item.setdefault("AppManaged", False)
        if "S3Output" in item:
            item["S3Output"].setdefault("S3UploadMode", "EndOfJob")
    return filled


def _outputs(body: Body) -> list[Body]:
    outputs: list[Body] = body.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return outputs


def _channel(item: Body) -> Channel:
    s3 = item["S3Input"]
    pipe = s3["S3InputMode"] == "Pipe"
    path = _below(s3["LocalPath"])
    return Channel(
        name=item["InputName"],
        uri=s3["S3Uri"],
        path=f"{path}/input" if pipe else path,
        data_type=s3["S3DataType"],
        sharded=s3["S3DataDistributionType"] == "ShardedByS3Key",
        pipe=pipe,
        gzip=s3["S3CompressionType"] == "Gzip",
    )


def _upload(item: Body) -> Upload:
    s3 = item["S3Output"]
    return Upload(_below(s3["LocalPath"]), s3["S3Uri"], UploadTiming(s3["S3UploadMode"]))


def _below(path: str) -> str:
    return str(PurePosixPath(path).relative_to("/opt/ml"))


def _check_path(name: str, path: str | None) -> str:
    parts = PurePosixPath(path or "").parts
    if path is None or ".." in parts or not (path == _FOLDER or path.startswith(f"{_FOLDER}/")):
        raise ValidationError(f"The LocalPath of '{name}' must start with {_FOLDER}/; it is '{path or ''}'.")
    return str(PurePosixPath(path))
