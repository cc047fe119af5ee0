"""What StartPipelineExecution checks and writes: the snapshot that an execution runs with to its end.

Version, parameter values, experiment and selection are fixed here; the engine reads them from the record.
"""

from __future__ import annotations

from typing import Any

from local_sagemaker.api.operations import Request
from local_sagemaker.arns import last
from local_sagemaker.clock import now
from local_sagemaker.engine import experiments
from local_sagemaker.engine.definition import Definition
from local_sagemaker.engine.execution import execution_info
from local_sagemaker.engine.expressions import ExpressionError, resolve
from local_sagemaker.engine.graph import graph
from local_sagemaker.engine.journal import EXECUTION, STEP, Record, execution_key
from local_sagemaker.engine.parameters import as_text, values
from local_sagemaker.engine.scope import ExecutionScope
from local_sagemaker.engine.selective import check_source, select
from local_sagemaker.errors import ResourceNotFound, ValidationError
from local_sagemaker.ids import execution_id
from local_sagemaker.records import Records
from local_sagemaker.records.own_members import PipelineExecutionRecord, own_execution
from local_sagemaker.records.status import ExecutionStatus, StepStatus
from local_sagemaker.services.sagemaker.listing import pick


def new_execution(pipeline: Record, version: Record, definition: Definition, request: Request) -> Record:
    """The record of a new execution. Raises ValidationError for parameters that do not fit."""
    parameters = values(definition.parameters, request.get("PipelineParameters", []))
    created = now()
    body: Record = {
        "PipelineArn": pipeline["PipelineArn"],
        "PipelineExecutionArn": f"{pipeline['PipelineArn']}/execution/{execution_id()}",
        "PipelineExecutionDisplayName": f"execution-{int(created * 1000)}",
        "PipelineExecutionStatus": ExecutionStatus.EXECUTING,
        "CreationTime": created,
        "LastModifiedTime": created,
        "CreatedBy": {},
        "LastModifiedBy": {},
        "RoleArn": pipeline["RoleArn"],
        "PipelineVersionId": version["PipelineVersionId"],
        **pick(pipeline, "ParallelismConfiguration"),
        **pick(
            request,
            "PipelineExecutionDisplayName",
            "PipelineExecutionDescription",
            "ParallelismConfiguration",
            "SelectiveExecutionConfig",
            "RoleArn",
        ),
        "PipelineParameters": [{"Name": name, "Value": as_text(value)} for name, value in parameters.items()],
        **PipelineExecutionRecord(_pipeline=pipeline["PipelineName"], _values=parameters),
    }
    scope = ExecutionScope(execution_info(body), parameters, None)
    try:
        experiment = experiments.resolve_config(definition.experiment, scope)
        mlflow = resolve(definition.mlflow, scope)
    except ExpressionError as error:
        raise ValidationError(str(error)) from error
    if experiment:
        body["PipelineExperimentConfig"] = experiment
    if mlflow or "MlflowExperimentName" in request:
        body["MLflowConfig"] = {**(mlflow or {}), **pick(request, "MlflowExperimentName")}
    return body


def reuse(records: Records, body: Record, definition: Definition) -> None:
    """Checks a selective execution, and lists the source's results as steps of the new execution."""
    config: dict[str, Any] | None = body.get("SelectiveExecutionConfig")
    if not config:
        return
    selection = select(graph(definition), [item["StepName"] for item in config["SelectedSteps"]])
    source = config.get("SourcePipelineExecutionArn")
    results = _results(records, body, source) if source else {}
    check_source(selection, source, results)
    key = execution_key(body["PipelineExecutionArn"])
    for name in (name for name in results if name in selection.reuse):
        kept = {**results[name], "SelectiveExecutionResult": {"SourcePipelineExecutionArn": source}}
        kept.pop("CacheHitResult", None)
        records.put(STEP, f"{key}/{name}", kept)


def _results(records: Records, body: Record, source: str) -> dict[str, Record]:
    execution = records.get(EXECUTION, execution_key(source))
    if execution is None:
        raise ResourceNotFound(f"Pipeline execution '{source}' does not exist.")
    if execution["PipelineArn"] != body["PipelineArn"]:
        raise ValidationError(
            f"Invalid SourcePipelineExecutionArn: {source}. "
            f"It is not an execution of pipeline '{own_execution(body)['_pipeline']}'."
        )
    if execution["PipelineExecutionStatus"] not in (
        ExecutionStatus.SUCCEEDED,
        ExecutionStatus.FAILED,
        ExecutionStatus.COMPLETED_WITH_FAILURES,
    ):
        raise ValidationError(
            f"Invalid SourcePipelineExecutionArn: {source}. Execution {last(source)} is "
            f"{execution['PipelineExecutionStatus']}; it must be Succeeded or Failed."
        )
    steps = records.list(STEP, f"{execution_key(source)}/")
    return {step["StepName"]: step for step in steps if step["StepStatus"] == StepStatus.SUCCEEDED}
