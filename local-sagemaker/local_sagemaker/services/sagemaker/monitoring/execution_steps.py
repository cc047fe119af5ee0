"""What an execution does next: find its data, merge it with labels, analyse it, and say how it ended.

Each step is written down before its job is made, and a job's name follows from its execution: after a crash the same
step is taken again, and finds the job that it had made.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.clarify_inputs import MODEL
from local_sagemaker.errors import TAKEN, ServiceError
from local_sagemaker.monitoring.definition import (
    BY_CLARIFY,
    DATA_QUALITY,
    EXPLAINABILITY,
    WITH_LABELS,
    MonitoringDefinition,
    from_job_definition,
    from_schedule,
)
from local_sagemaker.monitoring.job_requests import (
    MERGER,
    Data,
    Occasion,
    analysis_request,
    merge_request,
    place_of_merge,
)
from local_sagemaker.monitoring.windows import AnalysisWindow
from local_sagemaker.records.own_members import own_monitoring_run
from local_sagemaker.records.status import JobStatus, MonitoringStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.sagemaker.monitoring.captured_data import CaptureSources
from local_sagemaker.services.sagemaker.monitoring.execution_records import ExecutionRecords

log = logging.getLogger(__name__)
NO_DATA = "Job inputs had no data"
"""The reason of an execution without data (seen on AWS in July 2026)."""


class ExecutionEnd(Exception):
    """The execution ends here, with a status and a reason."""

    def __init__(self, status: MonitoringStatus, reason: str | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class ExecutionSteps:
    """Moves executions on."""

    def __init__(self, *, executions: ExecutionRecords, call: Call, ended: Callable[[str], None]) -> None:
        """`ended` is called with the schedule of an execution that has ended."""
        self._executions, self._call, self._ended = executions, call, ended
        self._data = CaptureSources(call)

    def advance(self, key: str) -> bool:
        """Does what can be done now; whether the execution has ended with it."""
        body = self._executions.get(key)
        if body is None:
            return False
        try:
            self._step(key, body)
        except ExecutionEnd as end:
            self._end(key, end.status, end.reason)
            return True
        except ServiceError as error:
            self._end(key, MonitoringStatus.FAILED, f"{error.code}: {error.message}"[:1024])
            return True
        return False

    def _step(self, key: str, body: Body) -> None:
        definition, occasion = self._definition(body), occasion_of(body)
        phase = own_monitoring_run(body)["_phase"]
        if phase == "new":
            self._begin(key, definition, occasion)
        elif phase == "merge":
            self._after_merge(key, definition, occasion)
        else:
            self._after_analysis(occasion.name(definition.type))

    def _definition(self, body: Body) -> MonitoringDefinition:
        return definition_of(own_monitoring_run(body)["_config"], self._call)

    def _begin(self, key: str, definition: MonitoringDefinition, occasion: Occasion) -> None:
        data = self._data.find(definition, occasion.window)
        if not data:
            raise ExecutionEnd(MonitoringStatus.FAILED, NO_DATA)
        if definition.type not in WITH_LABELS or definition.ground_truth is None:
            self._analyse(key, definition, occasion, data)
            return
        labels = self._data.labels(definition, occasion.window)
        if not labels:
            raise ExecutionEnd(MonitoringStatus.FAILED, NO_DATA)
        request = merge_request(definition, occasion, data, labels, _merger(definition.application["ImageUri"]))
        self._note(key, "merge")
        self._create(request)

    def _after_merge(self, key: str, definition: MonitoringDefinition, occasion: Occasion) -> None:
        job = self._job(occasion.merge_name)
        status = job["ProcessingJobStatus"]
        if not JobStatus(status).is_final:
            return
        if status != JobStatus.COMPLETED:
            self._note(key, "merge", job["ProcessingJobArn"])
            raise ExecutionEnd(MonitoringStatus(status), job.get("FailureReason") or job.get("ExitMessage"))
        data = self._data.below(place_of_merge(definition), definition, occasion.window)
        if not data:
            raise ExecutionEnd(MonitoringStatus.FAILED, NO_DATA)
        self._analyse(key, definition, occasion, data)

    def _analyse(self, key: str, definition: MonitoringDefinition, occasion: Occasion, data: Sequence[Data]) -> None:
        request = analysis_request(definition, occasion, data, self._baseline(definition))
        if definition.type == EXPLAINABILITY and definition.endpoint:
            request["Environment"][MODEL] = self._model(definition.endpoint)
        self._note(key, "analysis")
        self._note(key, "analysis", self._create(request))

    def _after_analysis(self, name: str) -> None:
        job = self._job(name)
        status, message = job["ProcessingJobStatus"], job.get("ExitMessage", "")
        if not JobStatus(status).is_final:
            return
        if status != JobStatus.COMPLETED:
            raise ExecutionEnd(MonitoringStatus(status), job.get("FailureReason") or message or None)
        violated = message.startswith("CompletedWithViolations")
        raise ExecutionEnd(MonitoringStatus.COMPLETED_WITH_VIOLATIONS if violated else MonitoringStatus.COMPLETED)

    def _baseline(self, definition: MonitoringDefinition) -> dict[str, str]:
        """The URIs of the baseline's files: those that are named, else those of the baselining job."""
        config, uris = definition.baseline, {}
        for name, member in (("constraints", "ConstraintsResource"), ("statistics", "StatisticsResource")):
            if uri := config.get(member, {}).get("S3Uri"):
                uris[name] = uri
        if job := config.get("BaseliningJobName"):
            outputs = self._job(job)["ProcessingOutputConfig"]["Outputs"]
            place = outputs[0]["S3Output"]["S3Uri"].rstrip("/")
            files = {"constraints": "analysis.json" if definition.type in BY_CLARIFY else "constraints.json"}
            if definition.type == DATA_QUALITY:
                files["statistics"] = "statistics.json"
            uris = {**{name: f"{place}/{file}" for name, file in files.items()}, **uris}
        return uris

    def _model(self, endpoint: str) -> str:
        """The model of an endpoint's first variant, which an explainability monitor queries."""
        body = self._call("sagemaker:DescribeEndpoint", {"EndpointName": endpoint})
        config = {"EndpointConfigName": body["EndpointConfigName"]}
        variant = self._call("sagemaker:DescribeEndpointConfig", config)["ProductionVariants"][0]
        return str(variant["ModelName"])

    def _create(self, request: dict[str, Any]) -> str:
        """Makes a job, or finds that it was made before a crash; its ARN."""
        try:
            return str(self._call("sagemaker:CreateProcessingJob", request)["ProcessingJobArn"])
        except TAKEN:
            return str(self._job(request["ProcessingJobName"])["ProcessingJobArn"])

    def _job(self, name: str) -> Body:
        return self._call("sagemaker:DescribeProcessingJob", {"ProcessingJobName": name})

    def _note(self, key: str, phase: str, job: str | None = None) -> None:
        def note(body: Body) -> None:
            own_monitoring_run(body)["_phase"] = phase
            body["MonitoringExecutionStatus"] = MonitoringStatus.IN_PROGRESS
            if job:
                body["ProcessingJobArn"] = job

        self._executions.change(key, note)

    def _end(self, key: str, status: MonitoringStatus, reason: str | None) -> None:
        def end(body: Body) -> None:
            body["MonitoringExecutionStatus"] = status
            if reason:
                body["FailureReason"] = reason[:1024]

        body = self._executions.change(key, end)
        if body is not None:
            self._ended(body["MonitoringScheduleName"])
            log.info("execution of %s: %s %s", body["MonitoringScheduleName"], status, reason or "")


def definition_of(config: Mapping[str, Any], call: Call) -> MonitoringDefinition:
    """The job of a MonitoringScheduleConfig. Raises the service's error when its definition does not exist."""
    if "MonitoringJobDefinition" in config:
        return from_schedule(config)
    kind, name = config["MonitoringType"], config["MonitoringJobDefinitionName"]
    body = call(f"sagemaker:Describe{kind}JobDefinition", {"JobDefinitionName": name})
    return from_job_definition(kind, body)


def occasion_of(body: Body) -> Occasion:
    """What an execution's record says of its jobs."""
    own = own_monitoring_run(body)
    return Occasion(
        schedule=body["MonitoringScheduleName"], scheduled=body["ScheduledTime"],
        window=AnalysisWindow(*own["_window"]), ending=own["_ending"], place=own["_place"],
    )  # fmt: skip


def _merger(analyzer: str) -> str:
    """The image that merges: in the registry of the analyzer's image, whatever its own name is."""
    registry = analyzer.partition("/")[0]
    return f"{registry}/{MERGER}"
