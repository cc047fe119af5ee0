"""Transform jobs: S3 objects sent through a model server, answers written to S3 (specs: containers 6)."""

from __future__ import annotations

from copy import deepcopy

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
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
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.sagemaker.job_records import JobRecords
from local_sagemaker.services.sagemaker.tags import Tags

KIND = "transform-job"
LOG_GROUP = "/aws/sagemaker/TransformJobs"
_LARGEST = 100  # MaxConcurrentTransforms x MaxPayloadInMB (API reference, CreateTransformJob)
_MAXIMUM = 5 * 86400.0
_AGENT = Program(("batch-agent", "/opt/ml/plan.json"), "local_sagemaker.batch.agent:main")


class TransformJobs(Resource):
    """CreateTransformJob, Describe, List, Stop."""

    def __init__(
        self, *, settings: Settings, records: Records, objects: Objects, tags: Tags,
        runner: JobRunner, call: Call,
    ) -> None:  # fmt: skip
        self._settings, self._objects, self._runner, self._call = settings, objects, runner, call
        self._jobs = JobRecords("TransformJob", KIND, settings=settings, records=records, tags=tags, call=call)

    @operation("CreateTransformJob")
    def create(self, request: Request) -> Response:
        """Checks model, limits and input, then queues the job."""
        model = self._call("sagemaker:DescribeModel", {"ModelName": request["ModelName"]})
        source = request["TransformInput"]["DataSource"]["S3DataSource"]
        channels.check(
            source["S3Uri"], self._objects, region=self._settings.region, role=model.get("ExecutionRoleArn", "")
        )
        uris.split(request["TransformOutput"]["S3OutputPath"])
        if "DataCaptureConfig" in request:
            uris.split(request["DataCaptureConfig"]["DestinationS3Uri"])
        _check(request)
        body = self._jobs.new(_with_defaults(request))
        job = self._spec(body, model)
        self._jobs.add(body, request.get("Tags"))
        self._runner.submit(job, self)
        return {"TransformJobArn": body["TransformJobArn"]}

    @operation("DescribeTransformJob")
    def describe(self, request: Request) -> Response:
        """The request with what has become of it."""
        return public(self._jobs.require(request["TransformJobName"]))

    @operation("ListTransformJobs")
    def list_jobs(self, request: Request) -> Response:
        """Newest first unless asked otherwise."""
        return self._jobs.listed(request, "TransformEndTime", "FailureReason")

    @operation("StopTransformJob")
    def stop(self, request: Request) -> Response:
        """Ends the job; answers that are complete by then are uploaded."""
        body = self._jobs.stopping(request["TransformJobName"])
        self._runner.stop(body["TransformJobArn"])
        return {}

    def resume(self) -> None:
        """Runs again what a kill of the service interrupted; what was being stopped is stopped."""
        self._jobs.resume(self._again, self._end)

    def _again(self, body: Body) -> None:
        if body["TransformJobStatus"] == "Stopping":
            self._end(body["TransformJobName"], Outcome("Stopped", ended=now()))
            return
        model = self._call("sagemaker:DescribeModel", {"ModelName": body["ModelName"]})
        self._runner.submit(self._spec(body, model), self)

    def phase(self, job: JobSpec, phase: Phase) -> None:
        """A transform job shows no phases, only its start."""
        if phase is Phase.DOWNLOADING:
            self._jobs.change(job.name, lambda body: body.update(TransformStartTime=now()))

    def ended(self, job: JobSpec, outcome: Outcome) -> None:
        """Records the outcome."""
        self._end(job.name, outcome)

    def _end(self, name: str, outcome: Outcome) -> None:
        def change(body: Body) -> None:
            body["TransformJobStatus"] = outcome.status
            body["TransformEndTime"] = outcome.ended or now()
            if outcome.started is not None:
                body["TransformStartTime"] = outcome.started
            if outcome.reason:
                body["FailureReason"] = outcome.reason

        self._jobs.change(name, change)

    def _spec(self, body: Body, model: Response) -> JobSpec:
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


def _with_defaults(request: Request) -> Request:
    """The request as Describe shows it."""
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
