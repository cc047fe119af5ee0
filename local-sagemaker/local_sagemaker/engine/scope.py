"""The values that expressions of a running execution see: parameters, variables, and properties of ended steps.

A step's properties are requested once, when the first expression needs them, and kept for the execution's other
steps; property files and JSON objects likewise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.clock import iso, now
from local_sagemaker.engine.definition import Definition
from local_sagemaker.engine.expressions import ExpressionError
from local_sagemaker.engine.paths import ReferencePathError, Token, descend
from local_sagemaker.engine.steps import step_type
from local_sagemaker.engine.steps.step_type import ExecutionInfo, Record, StepContext
from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import load
from local_sagemaker.objects.uris import join, split
from local_sagemaker.records.status import StepStatus

_ENDED = (StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.STOPPED)


class Results:
    """What ended steps left, shared by the scopes of an execution. `records` are the steps' journal entries."""

    def __init__(self, definition: Definition, records: Mapping[str, Record], context: StepContext) -> None:
        self._definition = definition
        self._records = records
        self._context = context
        self._properties: dict[str, Record] = {}
        self._files: dict[tuple[str, str], Any] = {}

    def properties(self, step: str) -> Record:
        """The step's properties. A step that failed or was stopped has those of the job that it left, if any."""
        if step not in self._properties:
            self._properties[step] = self._read(step, self._records.get(step, {}))
        return self._properties[step]

    def _read(self, step: str, record: Record) -> Record:
        kind = step_type(self._definition.steps[step].type)
        status = record.get("StepStatus")
        if kind is None or status not in _ENDED or not record.get("Metadata"):
            raise ExpressionError(f"Step '{step}' has no properties, since it did not succeed.")
        try:
            return kind.properties(record, self._context)
        except ServiceError as error:
            raise ExpressionError(f"The properties of step '{step}' can't be read: {error.message}") from error
        except (KeyError, StopIteration) as error:
            if status == StepStatus.SUCCEEDED:
                raise
            raise ExpressionError(f"Step '{step}' has no properties, since it did not succeed.") from error

    def file(self, step: str, name: str) -> Any:
        """The parsed property file."""
        if (step, name) not in self._files:
            declared = self._definition.steps[step].property_files[name]
            try:
                output = descend(
                    self.properties(step),
                    ("ProcessingOutputConfig", "Outputs", declared.output, "S3Output", "S3Uri"),
                )
            except ReferencePathError as error:
                raise ExpressionError(
                    f"Property file '{name}' is in output '{declared.output}' of step '{step}': {error}."
                ) from error
            self._files[step, name] = self.json(join(output, declared.path))
        return self._files[step, name]

    def json(self, uri: str) -> Any:
        """The parsed S3 object."""
        try:
            data = self._context.objects.read(*split(uri))
        except ServiceError as error:
            raise ExpressionError(f"Unable to read {uri}: {error.message}") from error
        if data is None:
            raise ExpressionError(f"Unable to read {uri}: there is no such object.")
        try:
            return load(data)
        except ValueError as error:
            raise ExpressionError(f"{uri} does not hold JSON: {error}.") from error


class ExecutionScope:
    """The `ExpressionScope` of one step; `job_name` is what Execution.TrainingJobName and .ProcessingJobName mean."""

    def __init__(
        self, execution: ExecutionInfo, values: Mapping[str, Any], results: Results | None, job_name: str = ""
    ) -> None:
        self._execution = execution
        self._values = values
        self._results = results
        self._job_name = job_name

    def parameter(self, name: str) -> Any:
        """The value of a pipeline parameter."""
        if name not in self._values:
            raise ExpressionError(f"Parameter '{name}' is undefined.")
        return self._values[name]

    def variable(self, name: str) -> str:
        """The value of ``Execution.<name>``; times are ISO-8601 in UTC."""
        execution = self._execution
        known = {
            "StartDateTime": iso(execution.started),
            "CurrentDateTime": iso(now()),
            "PipelineName": execution.pipeline_name,
            "PipelineArn": execution.pipeline_arn,
            "PipelineExecutionId": execution.id,
            "PipelineExecutionArn": execution.arn,
            "TrainingJobName": self._job_name,
            "ProcessingJobName": self._job_name,
        }
        if name not in known:
            raise ExpressionError(f"Execution variable '{name}' is undefined.")
        return known[name]

    def experiment(self, name: str) -> str:
        """The value of ``PipelineExperimentConfig.<name>``."""
        config = self._execution.experiment or {}
        if name not in config:
            raise ExpressionError(f"PipelineExperimentConfig.{name} is undefined.")
        return config[name]

    def property(self, step: str, path: tuple[Token, ...]) -> Any:
        """A property of an ended step."""
        return descend(self._steps().properties(step), path)

    def property_file(self, step: str, name: str) -> Any:
        """The content of a property file."""
        return self._steps().file(step, name)

    def json_object(self, uri: str) -> Any:
        """The content of an S3 object."""
        return self._steps().json(uri)

    def _steps(self) -> Results:
        if self._results is None:
            raise ExpressionError("Properties of steps can't be used here.")
        return self._results
