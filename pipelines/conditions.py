"""The decisions of condition steps in plain words: what was compared, with which value, and how it came out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.definition import Definition, Step, steps

if TYPE_CHECKING:
    from pipelines.session import AwsClients

SIGNS = {
    "Equals": "=",
    "NotEquals": "!=",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": ">=",
    "LessThan": "<",
    "LessThanOrEqualTo": "<=",
}
CLOCKS = timedelta(seconds=1)
"""How far the clocks of SageMaker and S3 may be apart; S3 has whole seconds."""
Values = Mapping[str, Any]
"""What is known of the values that conditions compare, by the path that expressions call them by."""


def read_reports(clients: AwsClients, definition: Definition, run: Mapping[str, Any]) -> dict[str, Any]:
    """The contents of the property files that the execution's steps wrote, by the path that expressions call them by.

    A file older than the step's job is ignored, as is one that cannot be read: outputs may go to the same place in
    every execution.

    :param run: the execution's steps by name.
    """
    reports = {}
    for step in steps(definition):
        ran = run.get(step["Name"], {})
        job = ran.get("Metadata", {}).get("ProcessingJob", {}).get("Arn")
        for file in step.get("PropertyFiles", []) if job and ran.get("StepStatus") == "Succeeded" else []:
            try:
                content = _read(clients, job.rpartition("/")[2], file["OutputName"], file["FilePath"])
            except (BotoCoreError, ClientError, KeyError, ValueError):
                continue
            reports[f"Steps.{step['Name']}.PropertyFiles.{file['PropertyFileName']}"] = content
    return reports


def _read(clients: AwsClients, job: str, output: str, path: str) -> Any:
    described = clients.sagemaker.describe_processing_job(ProcessingJobName=job)
    outputs = {item["OutputName"]: item["S3Output"]["S3Uri"] for item in described["ProcessingOutputConfig"]["Outputs"]}
    bucket, _, prefix = outputs[output].removeprefix("s3://").partition("/")
    key = f"{prefix.rstrip('/')}/{path}"
    response = clients.s3.get_object(Bucket=bucket, Key=key)
    if response["LastModified"] + CLOCKS < described["CreationTime"]:
        raise ValueError(f"{key} is older than the job {job}")
    return json.loads(response["Body"].read())


def read_values(clients: AwsClients, definition: Definition, execution: str, run: Mapping[str, Any]) -> dict[str, Any]:
    """What conditions compare: the execution's parameters, the outputs of its steps, and `read_reports`."""
    return {
        **read_parameters(clients, definition, execution),
        **dict(_outputs(run)),
        **read_reports(clients, definition, run),
    }


def read_parameters(clients: AwsClients, definition: Definition, execution: str) -> dict[str, Any]:
    """The execution's parameters by ``Parameters.NAME``; those of type String as JSON texts."""
    texts = {item["Name"] for item in definition.get("Parameters") or [] if item.get("Type", "String") == "String"}
    pages = clients.sagemaker.get_paginator("list_pipeline_parameters_for_execution")
    try:
        items = [item for page in pages.paginate(PipelineExecutionArn=execution) for item in page["PipelineParameters"]]
    except (BotoCoreError, ClientError):  # the values are an extra: without the right to read them there are none
        return {}
    return {
        f"Parameters.{item['Name']}": json.dumps(item["Value"]) if item["Name"] in texts else item["Value"]
        for item in items
    }


def _outputs(run: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, step in run.items():
        metadata = step.get("Metadata", {})
        if "Outcome" in metadata.get("Condition", {}):
            yield f"Steps.{name}.Outcome", metadata["Condition"]["Outcome"].lower()
        for output in metadata.get("Lambda", {}).get("OutputParameters", []):
            yield f"Steps.{name}.OutputParameters['{output['Name']}']", json.dumps(output["Value"])


def metrics(report: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number in a report, with its path."""
    if isinstance(report, Mapping):
        for name, value in report.items():
            yield from metrics(value, f"{path}.{name}" if path else name)
    elif isinstance(report, int | float) and not isinstance(report, bool):
        yield path, report


def words(step: Step, values: Values) -> str:
    """All conditions of a step: ``regression_metrics.mse.value (4.8212) <= Parameters.MaxMse (6.0)``."""
    return " and ".join(_words(condition, values) for condition in step["Arguments"]["Conditions"])


def _words(condition: Mapping[str, Any], values: Values) -> str:
    kind = condition["Type"]
    if kind in SIGNS:
        left, right = (_operand(condition[side], values) for side in ("LeftValue", "RightValue"))
        return f"{left} {SIGNS[kind]} {right}"
    if kind in ("In", "NotIn"):
        # The SDK's spelling, and that of the definition's public schema.
        query = condition["QueryValue"] if "QueryValue" in condition else condition["Value"]
        choices = condition["Values"] if "Values" in condition else condition["In"]
        among = ", ".join(_operand(choice, values) for choice in choices)
        return f"{_operand(query, values)} {'in' if kind == 'In' else 'not in'} ({among})"
    if kind == "Not":
        return f"not ({_words(condition['Condition'], values)})"
    return " or ".join(f"({_words(item, values)})" for item in condition["Conditions"])


def _operand(value: Any, values: Values) -> str:
    if not isinstance(value, Mapping):
        return json.dumps(value)
    got = value.get("Std:JsonGet")
    if got is None:
        path = value.get("Get")
        if path is None:
            return json.dumps(value)
        return f"{path} ({values[path]})" if path in values else str(path)
    report = values.get(got.get("PropertyFile", {}).get("Get", ""))
    operand = lookup(report, got["Path"])
    return f"{got['Path']} ({operand:.4f})" if isinstance(operand, int | float) else got["Path"]


def lookup(report: Any, path: str) -> Any:
    """The value at a path such as ``a.b[0]['c']``; None if there is none."""
    for name, index in re.findall(r"([^.\[\]'\"]+)(?=[.\['\"]|$)|\[(\d+)\]", path.removeprefix("$.")):
        try:
            report = report[name] if name else report[int(index)]
        except (KeyError, IndexError, TypeError):
            return None
    return report
