"""Pipeline executions: start, stop, retry, update, describe, and the lists of their steps and parameters.

The records are written here and by the engine, which runs one thread an execution; every response is read from them.
"""

from __future__ import annotations

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.arns import last
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.engine.definition import parse
from local_sagemaker.engine.executions import Executions
from local_sagemaker.engine.journal import EXECUTION, STEP, UNFINISHED, execution_key
from local_sagemaker.errors import Conflict, ResourceNotFound, ServiceError, ValidationError
from local_sagemaker.logs import Logs
from local_sagemaker.objects.types import Objects
from local_sagemaker.records import Records
from local_sagemaker.records.own_members import own_execution, own_pipeline_version, public_step
from local_sagemaker.records.status import ExecutionStatus, StepStatus
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.request_tokens import RequestTokens
from local_sagemaker.services.sagemaker.execution_start import new_execution, reuse
from local_sagemaker.services.sagemaker.listing import page, pick
from local_sagemaker.services.sagemaker.pipeline_versions import PIPELINE, PipelineVersions
from local_sagemaker.services.sagemaker.pipelines import find
from local_sagemaker.services.sagemaker.resource_records import page_of

_CHANGEABLE = ("PipelineExecutionDisplayName", "PipelineExecutionDescription", "ParallelismConfiguration")


class PipelineExecutions(Resource):
    """The operations on pipeline executions; owns the threads that run them."""

    def __init__(
        self,
        *,
        settings: Settings,
        records: Records,
        objects: Objects,
        logs: Logs,
        call: Call,
    ) -> None:
        self._settings = settings
        self._records = records
        self._tokens = RequestTokens(records)
        self._versions = PipelineVersions(records)
        self._executions = Executions(records=records, objects=objects, logs=logs, call=call)
        # Looked up now, since requests may start others before `resume` is called.
        self._interrupted = [key for key, _ in records.with_status(EXECUTION, *UNFINISHED)]

    def resume(self) -> None:
        """Continues with the executions that a stop or a crash of the service interrupted."""
        interrupted, self._interrupted = self._interrupted, []
        for key in interrupted:
            body = self._records.get(EXECUTION, key)
            if body is not None:  # None: a reset came first
                self._resume(key, body)

    def close(self) -> None:
        """Ends the threads; what they run continues at the next `resume`."""
        self._executions.close()

    def reset(self) -> None:
        """Ends the threads, before all records are removed."""
        self._interrupted = []
        self._executions.end_all()

    @operation("StartPipelineExecution")
    def start(self, request: Request) -> Response:
        """Fixes version and parameters, and starts; the response comes at once, the status is Executing."""
        text = ""

        def act() -> Response:
            nonlocal text
            pipeline = find(self._records, self._settings, request["PipelineName"])
            version = self._versions.find(pipeline, request)
            text = own_pipeline_version(version)["_definition"]
            definition = parse(text)
            body = new_execution(pipeline, version, definition, request)
            arn = body["PipelineExecutionArn"]
            reuse(self._records, body, definition)
            self._records.insert(EXECUTION, execution_key(arn), body)
            self._versions.record_execution(pipeline["PipelineName"], version["PipelineVersionId"], body)
            pipeline["LastRunTime"] = body["CreationTime"]
            self._records.put(PIPELINE, pipeline["PipelineName"].lower(), pipeline)
            return {"PipelineExecutionArn": arn}

        response, new = self._tokens.once(
            "StartPipelineExecution", request, act,
            exists=lambda response: self._records.get(EXECUTION, execution_key(response["PipelineExecutionArn"])),
        )  # fmt: skip
        if new:
            self._executions.start(execution_key(response["PipelineExecutionArn"]), text)
        return response

    @operation("StopPipelineExecution")
    def stop(self, request: Request) -> Response:
        """Returns at once with the status Stopping; running jobs are stopped, waiting steps never start."""
        arn = request["PipelineExecutionArn"]

        def act() -> Response:
            body = self._find(arn)
            if body["PipelineExecutionStatus"] != ExecutionStatus.EXECUTING:
                # Airflow's SageMakerHook.stop_pipeline recognises this code and text.
                raise ValidationError(
                    f"Pipeline execution '{arn}' has the status '{body['PipelineExecutionStatus']}'. "
                    "Only pipelines with 'Executing' status can be stopped."
                )
            body.update(PipelineExecutionStatus=ExecutionStatus.STOPPING, LastModifiedTime=now())
            self._records.put(EXECUTION, execution_key(arn), body)
            return {"PipelineExecutionArn": body["PipelineExecutionArn"]}

        response, new = self._tokens.once("StopPipelineExecution", request, act)
        if new:
            self._executions.refresh(execution_key(arn))
        return response

    @operation("RetryPipelineExecution")
    def retry(self, request: Request) -> Response:
        """Runs the failed and stopped steps, and what depends on them, again with the same snapshot."""
        key = execution_key(request["PipelineExecutionArn"])
        text, again = "", list[Body]()

        def act() -> Response:
            nonlocal text
            body = self._find(request["PipelineExecutionArn"])
            steps = self._records.items(STEP, f"{key}/")
            self._check_retry(body, [step for _, step in steps])
            attempts = own_execution(body).get("_attempts", {})
            for step_key, step in steps:
                if step["StepStatus"] != StepStatus.SUCCEEDED:
                    attempts[step["StepName"]] = step["AttemptCount"]
                    again.append(step)
                    self._records.delete(STEP, step_key)
            body.pop("FailureReason", None)
            body.update(PipelineExecutionStatus=ExecutionStatus.EXECUTING, LastModifiedTime=now(), _attempts=attempts)
            body.update(pick(request, "ParallelismConfiguration"))
            self._records.put(EXECUTION, key, body)
            text = own_pipeline_version(self._definition(body))["_definition"]
            return {"PipelineExecutionArn": body["PipelineExecutionArn"]}

        response, new = self._tokens.once("RetryPipelineExecution", request, act)
        if new:
            self._executions.note_retried(response["PipelineExecutionArn"], again)
            self._executions.start(key, text)
        return response

    @operation("UpdatePipelineExecution")
    def update(self, request: Request) -> Response:
        """Display name, description and parallelism, also while it runs."""
        key = execution_key(request["PipelineExecutionArn"])
        with self._records.transaction():
            body = self._find(request["PipelineExecutionArn"])
            body.update(pick(request, *_CHANGEABLE))
            body["LastModifiedTime"] = now()
            self._records.put(EXECUTION, key, body)
        self._executions.refresh(key)
        return {"PipelineExecutionArn": body["PipelineExecutionArn"]}

    @operation("DescribePipelineExecution")
    def describe(self, request: Request) -> Response:
        """The execution; its version's current aliases are looked up."""
        body = public(self._find(request["PipelineExecutionArn"]))
        body.pop("PipelineParameters", None)
        return {**body, **self._aliases(body, body["PipelineVersionId"])}

    @operation("ListPipelineExecutions")
    def list_executions(self, request: Request) -> Response:
        """Summaries of a pipeline's executions, newest first unless requested otherwise."""
        pipeline = find(self._records, self._settings, request["PipelineName"])
        equals = {}
        if "PipelineVersionAlias" in request:
            number = self._versions.by_alias(pipeline, request["PipelineVersionAlias"])["PipelineVersionId"]
            equals = {"PipelineVersionId": number}
        parent = pipeline["PipelineName"].lower()
        chosen, token = page_of(self._records, EXECUTION, request, default=100, parent=parent, equals=equals)
        aliases = {number: self._aliases(pipeline, number) for number in {body["PipelineVersionId"] for body in chosen}}
        summaries = [_summary(body) | aliases[body["PipelineVersionId"]] for body in chosen]
        return {"PipelineExecutionSummaries": summaries, **token}

    @operation("ListPipelineExecutionSteps")
    def list_steps(self, request: Request) -> Response:
        """The steps that have started, newest first unless requested otherwise."""
        if "PipelineExecutionArn" not in request:  # optional in the model, like NextToken
            raise ValidationError(
                "1 validation error detected: Value null at 'pipelineExecutionArn' failed to satisfy constraint: "
                "Member must not be null"
            )
        body = self._find(request["PipelineExecutionArn"])
        parent = execution_key(body["PipelineExecutionArn"])
        chosen, token = page_of(self._records, STEP, request, by="StartTime", default=100, parent=parent)
        return {"PipelineExecutionSteps": [public_step(step) for step in chosen], **token}

    @operation("ListPipelineParametersForExecution")
    def list_parameters(self, request: Request) -> Response:
        """All parameters with the values that the execution runs with, defaults included, as strings."""
        body = self._find(request["PipelineExecutionArn"])
        chosen, token = page(body["PipelineParameters"], request, default=100)
        return {"PipelineParameters": chosen, **token}

    @operation("DescribePipelineDefinitionForExecution")
    def describe_definition(self, request: Request) -> Response:
        """The definition that the execution was started with, as it was sent."""
        version = self._definition(self._find(request["PipelineExecutionArn"]))
        return {
            "PipelineDefinition": own_pipeline_version(version)["_definition"],
            "CreationTime": version["CreationTime"],
        }

    def _resume(self, key: str, body: Body) -> None:
        try:
            self._executions.start(key, own_pipeline_version(self._definition(body))["_definition"])
        except ServiceError as error:  # an older version of the service took a definition that this one does not
            body.update(
                PipelineExecutionStatus=ExecutionStatus.FAILED,
                FailureReason=error.message[:1300],
                LastModifiedTime=now(),
            )
            self._records.put(EXECUTION, key, body)

    def _check_retry(self, body: Body, steps: list[Body]) -> None:
        arn, status = body["PipelineExecutionArn"], body["PipelineExecutionStatus"]
        if status not in (ExecutionStatus.FAILED, ExecutionStatus.STOPPED):
            raise Conflict(f"Pipeline execution '{arn}' can't be retried, since its status is {status}.")
        for step in steps:
            if "Fail" in step.get("Metadata", {}):
                raise Conflict(
                    f"Pipeline execution '{arn}' can't be retried, since it was ended by Fail step "
                    f"'{step['StepName']}'."
                )

    def _find(self, arn: str) -> Body:
        body = self._records.get(EXECUTION, execution_key(arn))
        if body is None or body["PipelineExecutionArn"].lower() != arn.lower():
            raise ResourceNotFound(f"Pipeline execution '{arn}' does not exist.")
        return body

    def _definition(self, body: Body) -> Body:
        version = self._versions.get(own_execution(body)["_pipeline"], body["PipelineVersionId"])
        if version is None:
            raise ResourceNotFound(f"Pipeline version '{body['PipelineVersionId']}' does not exist.")
        return version

    def _aliases(self, body: Body, number: int) -> Body:
        version = self._versions.get(last(body["PipelineArn"]), number) or {}
        return pick(version, "PipelineVersionAliases") if version.get("PipelineVersionAliases") else {}


def _summary(body: Body) -> Body:
    summary = pick(
        body,
        "PipelineExecutionArn",
        "PipelineExecutionStatus",
        "PipelineExecutionDescription",
        "PipelineExecutionDisplayName",
    )
    summary["StartTime"] = body["CreationTime"]
    if "FailureReason" in body:
        summary["PipelineExecutionFailureReason"] = body["FailureReason"]
    return summary
