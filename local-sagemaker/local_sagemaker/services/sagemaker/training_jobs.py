"""Training jobs: an algorithm or a script over channels that writes a model (contracts: containers 2)."""

from __future__ import annotations

import math
from copy import deepcopy
from pathlib import PurePosixPath
from typing import Any

from local_sagemaker import images
from local_sagemaker.api.operations import Call, Request, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import MissingResource, ServiceError, ValidationError
from local_sagemaker.images.image import Image, ImageUri, Program
from local_sagemaker.jobs import channels
from local_sagemaker.jobs.resources import input_data_config
from local_sagemaker.jobs.runner import JobRunner
from local_sagemaker.jobs.spec import Channel, JobSpec, Outcome, Phase, Upload, UploadTiming
from local_sagemaker.objects import uris
from local_sagemaker.objects.types import Objects
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import TRAINING_JOB
from local_sagemaker.records.own_members import own_training_job
from local_sagemaker.records.status import JobStatus, TrainingStage
from local_sagemaker.records.store import Body
from local_sagemaker.regexes import bounded
from local_sagemaker.regexes.bounded import RegexError
from local_sagemaker.services.sagemaker.instance_preferences import check_cluster, fill_cluster, instances
from local_sagemaker.services.sagemaker.job_resource import RunnerJobs
from local_sagemaker.services.sagemaker.listing import pick
from local_sagemaker.services.sagemaker.tags import Tags

KIND = TRAINING_JOB.kind
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_MAXIMUM = 86400
_FINAL_METRIC = ("MetricName", "Value", "Timestamp")
_CHECKPOINTS = "/opt/ml/checkpoints"
_TENSORBOARD = "/opt/ml/output/tensorboard"
# What clients print while a job runs (the SDK shows a line for each new message).
_MESSAGES = {
    TrainingStage.STARTING: "Starting the training job",
    TrainingStage.DOWNLOADING: "Downloading input data",
    TrainingStage.TRAINING: "Training image download completed. Training in progress.",
    TrainingStage.UPLOADING: "Uploading generated training model",
    TrainingStage.STOPPING: "Stopping the training job",
    TrainingStage.COMPLETED: "Training job completed",
    TrainingStage.FAILED: "Training job failed",
    TrainingStage.STOPPED: "Training job stopped",
    TrainingStage.MAX_RUNTIME_EXCEEDED: "Training job runtime exceeded MaxRuntimeInSeconds provided",
}
_PHASES = {
    Phase.DOWNLOADING: TrainingStage.DOWNLOADING,
    Phase.RUNNING: TrainingStage.TRAINING,
    Phase.UPLOADING: TrainingStage.UPLOADING,
}


class TrainingJobs(RunnerJobs):
    """The operations on training jobs."""

    kind = TRAINING_JOB
    summary = ("TrainingEndTime", "SecondaryStatus")

    def __init__(
        self, *, settings: Settings, records: Records, objects: Objects, tags: Tags, runner: JobRunner, call: Call
    ) -> None:
        super().__init__(settings=settings, records=records, tags=tags, call=call, runner=runner)
        self._objects = objects

    @operation("ListTrainingJobs")
    def list_jobs(self, request: Request) -> Response:
        """Newest first unless the request says otherwise; no job has a warm pool or a training plan."""
        if "WarmPoolStatusEquals" in request or "TrainingPlanArnEquals" in request:
            return {"TrainingJobSummaries": []}
        return super().list_jobs(request)

    @operation("UpdateTrainingJob", atomic=True)
    def update(self, request: Request) -> Response:
        """Changes the members that AWS lets one change while a job runs."""
        job = self.require(request["TrainingJobName"])

        def change(body: Body) -> None:
            self.refuse_ended(body)
            for member in ("ProfilerConfig", "ResourceConfig", "RemoteDebugConfig"):
                if member in request:
                    body[member] = {**body.get(member, {}), **request[member]}
            if "ProfilerRuleConfigurations" in request:
                body["ProfilerRuleConfigurations"] = request["ProfilerRuleConfigurations"]

        self.change(job["TrainingJobName"], change)
        return {"TrainingJobArn": job["TrainingJobArn"]}

    @operation("DeleteTrainingJob", atomic=True)
    def delete(self, request: Request) -> Response:
        """Forgets a job that has ended; its model stays."""
        return super().delete(request)

    def link(self, name: str, tuning_job: str) -> None:
        """Notes which tuning job, by its ARN, made a training job."""
        self.change(name, lambda body: body.update(TuningJobArn=tuning_job))

    def not_found(self, name: str) -> ServiceError:  # noqa: ARG002 - as JobResource has it
        """SageMaker names no training job here (contracts: api-errors 1)."""
        return MissingResource("Requested resource not found.")

    def defaults(self, request: Request) -> Request:
        """The request as Describe shows it, with the image's metric definitions, also where a script trains in it."""
        return _fill(request)

    def new(self, request: Request) -> Body:
        """A new job is Starting."""
        body = super().new(request)
        enter_secondary_status(body, TrainingStage.STARTING)
        return body

    def record_stop(self, body: Body) -> None:
        """Another secondary status."""
        enter_secondary_status(body, TrainingStage.STOPPING)

    def record_restart(self, body: Body) -> None:
        """Another secondary status."""
        enter_secondary_status(body, TrainingStage.STARTING)

    def phase(self, job: JobSpec, phase: Phase) -> None:
        """Each phase is a secondary status."""

        def change(body: Body) -> None:
            if phase is Phase.DOWNLOADING:
                body["TrainingStartTime"] = now()
            if body["TrainingJobStatus"] == JobStatus.IN_PROGRESS:
                enter_secondary_status(body, _PHASES[phase])

        self.change(job.name, change)

    def record_outcome(self, body: Body, outcome: Outcome) -> None:
        """Times, the model and the metrics."""
        timed_out = outcome.timed_out and outcome.status == JobStatus.STOPPED
        enter_secondary_status(body, TrainingStage.MAX_RUNTIME_EXCEEDED if timed_out else TrainingStage(outcome.status))
        if outcome.started is not None:
            seconds = max(1, math.ceil(outcome.ended - outcome.started))
            body.update(
                TrainingStartTime=outcome.started,
                TrainingEndTime=outcome.ended,
                TrainingTimeInSeconds=seconds,
                BillableTimeInSeconds=seconds,
            )
        if outcome.status != JobStatus.FAILED:
            body["ModelArtifacts"] = {"S3ModelArtifacts": _model_uri(body)}
        if outcome.metrics:
            body["FinalMetricDataList"] = [pick(dict(one), *_FINAL_METRIC) for one in outcome.metrics]
            own_training_job(body)["_metrics"] = [dict(one) for one in outcome.metrics]

    def work(self, body: Body) -> JobSpec:
        """The algorithm's program with its channels and outputs."""
        algorithm, (instance_type, hosts) = body["AlgorithmSpecification"], instances(body["ResourceConfig"])
        image, uri = images.find(algorithm["TrainingImage"], "train")
        inputs = body.get("InputDataConfig", [])
        mode = algorithm["TrainingInputMode"]
        environment = {
            "TRAINING_JOB_NAME": body["TrainingJobName"],
            "TRAINING_JOB_ARN": body["TrainingJobArn"],
            **body.get("Environment", {}),
        }
        files: dict[str, Any] = {
            "input/config/hyperparameters.json": body.get("HyperParameters", {}),
            "input/config/inputdataconfig.json": input_data_config(inputs, mode),
        }
        if "CheckpointConfig" in body:
            files["input/config/checkpointconfig.json"] = body["CheckpointConfig"]
        return JobSpec(
            kind=KIND,
            name=body["TrainingJobName"],
            arn=body["TrainingJobArn"],
            log_group=LOG_GROUP,
            program=_program(image, uri, algorithm),
            hosts=hosts,
            instance_type=instance_type,
            channels=tuple(_channel(channel, mode) for channel in inputs) + _checkpoint_channel(body),
            uploads=_uploads(body),
            folders=("input/config", "input/data", "model", "output/data"),
            environment=environment,
            files=files,
            resource_config="input/config/resourceconfig.json",
            maximum=body["StoppingCondition"]["MaxRuntimeInSeconds"],
            metrics=tuple(algorithm.get("MetricDefinitions", [])),
            image=image,
        )

    def check(self, request: Request) -> None:
        """Raises ValidationError for what CreateTrainingJob refuses."""
        algorithm = request.get("AlgorithmSpecification", {})
        if "TrainingImage" not in algorithm:
            raise ValidationError("The local service needs AlgorithmSpecification.TrainingImage.")
        check_metrics(algorithm)
        check_cluster(request.get("ResourceConfig", {}))
        uris.split(request["OutputDataConfig"]["S3OutputPath"])
        check_waiting(request)
        for member, default in (("CheckpointConfig", _CHECKPOINTS), ("TensorBoardOutputConfig", _TENSORBOARD)):
            path = request.get(member, {}).get("LocalPath", default)
            if ".." in PurePosixPath(path).parts or not path.startswith("/opt/ml/"):
                raise ValidationError(f"{member}.LocalPath must be below /opt/ml here; it is '{path}'.")
        if "TensorBoardOutputConfig" in request:
            uris.split(request["TensorBoardOutputConfig"]["S3OutputPath"])
        inputs = request.get("InputDataConfig", [])
        names = [channel["ChannelName"] for channel in inputs]
        if len(set(names)) != len(names):
            raise ValidationError("Channel names in InputDataConfig must be unique.")
        modes = {channel.get("InputMode", algorithm.get("TrainingInputMode", "File")) for channel in inputs}
        if {"Pipe", "FastFile"} <= modes:  # text: a public notebook
            raise ValidationError("Cannot use both 'Pipe' and 'FastFile' TrainingInputMode on the same Training Job.")
        for channel in inputs:
            self._check_channel(channel, request["RoleArn"])

    def _check_channel(self, channel: Request, role: str) -> None:
        source = channel["DataSource"].get("S3DataSource")
        if source is None or source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
            raise ValidationError(
                f"Channel '{channel['ChannelName']}': the local service reads S3Prefix and ManifestFile data sources."
            )
        channels.check(source["S3Uri"], self._objects, region=self._settings.region, role=role)


def check_metrics(algorithm: Request) -> None:
    """Refuses metrics for an image that has its own, as XGBoost's has in script mode, too, and a Regex that is none.

    The first text: awslabs' MLSpace, and several public projects.
    """
    definitions = algorithm.get("MetricDefinitions", [])
    image, uri = images.find(algorithm["TrainingImage"], "train")
    if definitions and image.default_metrics(uri):
        raise ValidationError(
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the request "
            "without specifying metric definitions."
        )
    for definition in definitions:
        try:
            bounded.check(definition["Regex"])
        except RegexError as error:
            raise ValidationError(f"Regex of metric '{definition['Name']}' is not valid: {error}.") from error


def check_waiting(definition: Request) -> None:
    """Refuses a time to wait for spot instances that does not fit the definition of a training job."""
    stopping = definition.get("StoppingCondition", {})
    longest, runs = stopping.get("MaxWaitTimeInSeconds"), stopping.get("MaxRuntimeInSeconds", _MAXIMUM)
    if definition.get("EnableManagedSpotTraining"):
        if longest is None or longest < runs:
            raise ValidationError(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
            )
    elif longest is not None:
        raise ValidationError(
            "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"
        )


def enter_secondary_status(body: Body, stage: TrainingStage) -> None:
    """Enters a secondary status: the transition before it ends where this one begins."""
    transitions = body.setdefault("SecondaryStatusTransitions", [])
    moment = now()
    if transitions:
        transitions[-1].setdefault("EndTime", moment)
    entered = {"Status": stage, "StartTime": moment, "StatusMessage": _MESSAGES[stage]}
    if stage.is_final:
        entered["EndTime"] = moment
    transitions.append(entered)
    body["SecondaryStatus"] = stage


def _fill(request: Request) -> Request:
    filled = deepcopy(request)
    algorithm = filled["AlgorithmSpecification"]
    algorithm.setdefault("TrainingInputMode", "File")
    image, uri = images.find(algorithm["TrainingImage"], "train")
    defaults = image.default_metrics(uri)
    if defaults:
        algorithm["MetricDefinitions"] = defaults
    algorithm.setdefault("EnableSageMakerMetricsTimeSeries", False)
    filled.setdefault("StoppingCondition", {}).setdefault("MaxRuntimeInSeconds", _MAXIMUM)
    fill_cluster(filled["ResourceConfig"])
    filled["OutputDataConfig"].setdefault("KmsKeyId", "")
    filled["OutputDataConfig"].setdefault("CompressionType", "GZIP")
    for member in ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"):
        filled.setdefault(member, False)
    for channel in filled.get("InputDataConfig", []):
        channel.setdefault("CompressionType", "None")
        channel.setdefault("RecordWrapperType", "None")
        channel["DataSource"]["S3DataSource"].setdefault("S3DataDistributionType", "FullyReplicated")
    if "CheckpointConfig" in filled:
        filled["CheckpointConfig"].setdefault("LocalPath", _CHECKPOINTS)
    if "TensorBoardOutputConfig" in filled:
        filled["TensorBoardOutputConfig"].setdefault("LocalPath", _TENSORBOARD)
    return filled


def _program(image: Image, uri: ImageUri, algorithm: Request) -> Program:
    """Entrypoint and arguments of the request take precedence over the argument ``train``."""
    entrypoint, arguments = algorithm.get("ContainerEntrypoint"), algorithm.get("ContainerArguments")
    return image.process(uri, entrypoint, arguments) if entrypoint or arguments else image.train(uri)


def _channel(channel: Request, mode: str) -> Channel:
    s3 = channel["DataSource"]["S3DataSource"]
    return Channel(
        name=channel["ChannelName"],
        uri=s3["S3Uri"],
        path=f"input/data/{channel['ChannelName']}",
        data_type=s3["S3DataType"],
        sharded=s3.get("S3DataDistributionType") == "ShardedByS3Key",
        pipe=channel.get("InputMode", mode) == "Pipe",
        gzip=channel.get("CompressionType") == "Gzip",
        seed=channel.get("ShuffleConfig", {}).get("Seed"),
        record_io=channel.get("RecordWrapperType") == "RecordIO",
    )


def _checkpoint_channel(body: Body) -> tuple[Channel, ...]:
    """Checkpoints of an earlier job exist from the start."""
    if "CheckpointConfig" not in body:
        return ()
    uri = body["CheckpointConfig"]["S3Uri"].rstrip("/") + "/"
    return (Channel("checkpoints", uri, _local(body["CheckpointConfig"]), optional=True),)


def _local(config: Body) -> str:
    """A LocalPath below /opt/ml, relative to it."""
    return str(PurePosixPath(config["LocalPath"]).relative_to("/opt/ml"))


def _output_uri(body: Body) -> str:
    return uris.join(body["OutputDataConfig"]["S3OutputPath"], body["TrainingJobName"], "output")


def _model_uri(body: Body) -> str:
    compressed = body["OutputDataConfig"]["CompressionType"] != "NONE"
    return f"{_output_uri(body)}/model.tar.gz" if compressed else f"{_output_uri(body)}/model/"


def _uploads(body: Body) -> tuple[Upload, ...]:
    compressed = body["OutputDataConfig"]["CompressionType"] != "NONE"
    data = f"{_output_uri(body)}/output.tar.gz" if compressed else f"{_output_uri(body)}/data/"
    uploads = [
        Upload("model", _model_uri(body), archive=compressed, after_failure=False),
        Upload("output/data", data, archive=compressed),
    ]
    if "CheckpointConfig" in body:
        uploads.append(Upload(_local(body["CheckpointConfig"]), body["CheckpointConfig"]["S3Uri"], UploadTiming.MIRROR))
    if "TensorBoardOutputConfig" in body:  # the place is that of SDK v2's ``latest_job_tensorboard_artifacts_path``
        config = body["TensorBoardOutputConfig"]
        uri = uris.join(config["S3OutputPath"], body["TrainingJobName"], "tensorboard-output")
        uploads.append(Upload(_local(config), uri, UploadTiming.CONTINUOUS))
    return tuple(uploads)
