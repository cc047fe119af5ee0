"""Transform jobs: S3 objects sent through a model server, returns written to S3 (contracts: containers 6)."""

from __future__ import annotations

from copy import deepcopy

from local_sagemaker.api.operations import Call, Request, Response
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import ValidationError
from local_sagemaker.images.image import Program
from local_sagemaker.jobs import channels
from local_sagemaker.jobs.runner import JobRunner
from local_sagemaker.jobs.spec import Batch, JobSpec, Outcome, Phase, Upload
from local_sagemaker.objects import uris
from local_sagemaker.objects.types import Objects
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import TRANSFORM_JOB
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.sagemaker.job_resource import RunnerJobs
from local_sagemaker.services.sagemaker.model_containers import refuse_data_source
from local_sagemaker.services.sagemaker.tags import Tags

KIND = TRANSFORM_JOB.kind
LOG_GROUP = "/aws/sagemaker/TransformJobs"
_LARGEST = 100  # MaxConcurrentTransforms x MaxPayloadInMB (API reference, CreateTransformJob)
_MAXIMUM = 5 * 86400.0
_AGENT = Program(("batch-agent", "/opt/ml/plan.json"), "local_sagemaker.batch.agent:main")


class TransformJobs(RunnerJobs):
    """The operations on transform jobs; SageMaker has none that deletes one."""

    kind = TRANSFORM_JOB
    summary = ("TransformEndTime", "FailureReason")

    def __init__(
        self, *, settings: Settings, records: Records, objects: Objects, tags: Tags, runner: JobRunner, call: Call
    ) -> None:
        super().__init__(settings=settings, records=records, tags=tags, call=call, runner=runner)
        self._objects = objects

    def check(self, request: Request) -> None:
        """Raises what CreateTransformJob refuses: a model, limits or an input that can't be used."""
        model = self._model(request)
        source = request["TransformInput"]["DataSource"]["S3DataSource"]
        role = model.get("ExecutionRoleArn", "")
        channels.check(source["S3Uri"], self._objects, region=self._settings.region, role=role)
        uris.split(request["TransformOutput"]["S3OutputPath"])
        if "DataCaptureConfig" in request:
            uris.split(request["DataCaptureConfig"]["DestinationS3Uri"])
        _check(request)

    def defaults(self, request: Request) -> Request:
        """The request as Describe shows it."""
        return _fill(request)

    def phase(self, job: JobSpec, phase: Phase) -> None:
        """Only the start shows."""
        if phase is Phase.DOWNLOADING:
            self.change(job.name, lambda body: body.update(TransformStartTime=now()))

    def record_outcome(self, body: Body, outcome: Outcome) -> None:
        """Times."""
        body["TransformEndTime"] = outcome.ended or now()
        if outcome.started is not None:
            body["TransformStartTime"] = outcome.started

    def _model(self, body: Body) -> Response:
        return self._call("sagemaker:DescribeModel", {"ModelName": body["ModelName"]})

    def work(self, body: Body) -> JobSpec:
        """The batch agent with the model's server."""
        model = self._model(body)
        refuse_data_source(model, "batch transform")
        resources, output = body["TransformResources"], body["TransformOutput"]
        containers = model.get("Containers") or [model["PrimaryContainer"]]
        accept = output.get("Accept") or "application/octet-stream"
        batch = Batch(tuple(containers), {**public(body)}, _environment(body))
        return JobSpec(
            kind=KIND,
            name=body["TransformJobName"],
            arn=body["TransformJobArn"],
            log_group=LOG_GROUP,
            program=_AGENT,
            hosts=resources["InstanceCount"],
            instance_type=resources["InstanceType"],
            uploads=(Upload("batch/output", output["S3OutputPath"], content_type=accept), *_captures(body)),
            maximum=_MAXIMUM,
            batch=batch,
        )


def _captures(body: Body) -> tuple[Upload, ...]:
    """Where the manifests of DataCaptureConfig go."""
    config = body.get("DataCaptureConfig")
    return (Upload("batch/capture", config["DestinationS3Uri"], content_type="application/json"),) if config else ()


def _environment(body: Body) -> dict[str, str]:
    """The server's variables; those of the limits only where the request sets them."""
    variables = {"SAGEMAKER_BATCH": "true"}
    if "MaxPayloadInMB" in body:
        variables["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(body["MaxPayloadInMB"])
    if "BatchStrategy" in body:
        strategies = {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}
        variables["SAGEMAKER_BATCH_STRATEGY"] = strategies[body["BatchStrategy"]]
    if "MaxConcurrentTransforms" in body:
        variables["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = str(body["MaxConcurrentTransforms"])
    return {**variables, **body.get("Environment", {})}


def _fill(request: Request) -> Request:
    filled = deepcopy(request)
    filled["TransformInput"].setdefault("CompressionType", "None")
    filled["TransformInput"].setdefault("SplitType", "None")
    filled["TransformOutput"].setdefault("AssembleWith", "None")
    filled["TransformOutput"].setdefault("KmsKeyId", "")
    filled.setdefault("DataProcessing", {})
    for member, value in (("InputFilter", "$"), ("OutputFilter", "$"), ("JoinSource", "None")):
        filled["DataProcessing"].setdefault(member, value)
    return filled


def _check(request: Request) -> None:
    concurrent, payload = request.get("MaxConcurrentTransforms", 1), request.get("MaxPayloadInMB", 6)
    if concurrent * payload > _LARGEST:
        raise ValidationError(
            f"MaxConcurrentTransforms ({concurrent}) times MaxPayloadInMB ({payload}) must not exceed {_LARGEST} MB."
        )
    processing = request.get("DataProcessing", {})
    if processing.get("JoinSource", "None") != "None":
        split = request["TransformInput"].get("SplitType", "None")
        assemble = request["TransformOutput"].get("AssembleWith", "None")
        if split != assemble:
            raise ValidationError(
                f"To join input and output, SplitType ({split}) and AssembleWith ({assemble}) must be the same."
            )
