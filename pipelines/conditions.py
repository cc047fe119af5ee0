"""The decisions of condition steps in plain words: what was compared, with which value, and how it came out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.definition import Definition, Step, steps

if TYPE_CHECKING:
    from pipelines.session import Clients

SIGNS = {
    "Equals": "=",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": ">=",
    "LessThan": "<",
    "LessThanOrEqualTo": "<=",
}
Reports = Mapping[str, Any]


def read_reports(clients: Clients, definition: Definition, run: Mapping[str, Any]) -> dict[str, Any]:
    """The contents of the execution's property files, by the path that expressions call them by.

    :param run: the execution's steps by name. Files that cannot be read are left out.
    """
    reports = {}
    for step in steps(definition):
        job = run.get(step["Name"], {}).get("Metadata", {}).get("ProcessingJob", {}).get("Arn")
        for file in step.get("PropertyFiles", []) if job else []:
            try:
                content = _read(clients, job.rpartition("/")[2], file["OutputName"], file["FilePath"])
            except (BotoCoreError, ClientError, KeyError, ValueError):
                continue
            reports[f"Steps.{step['Name']}.PropertyFiles.{file['PropertyFileName']}"] = content
    return reports


def _read(clients: Clients, job: str, output: str, path: str) -> Any:
    described = clients.sagemaker.describe_processing_job(ProcessingJobName=job)
    outputs = {item["OutputName"]: item["S3Output"]["S3Uri"] for item in described["ProcessingOutputConfig"]["Outputs"]}
    bucket, _, prefix = outputs[output].removeprefix("s3://").partition("/")
    key = f"{prefix.rstrip('/')}/{path}"
    return json.loads(clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def metrics(report: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number in a report, with its path."""
    if isinstance(report, Mapping):
        for name, value in report.items():
            yield from metrics(value, f"{path}.{name}" if path else name)
    elif isinstance(report, int | float) and not isinstance(report, bool):
        yield path, report


def words(step: Step, reports: Reports) -> str:
    """All conditions of a step: ``regression_metrics.mse.value (4.8212) <= 6.0``."""
    return " and ".join(_words(condition, reports) for condition in step["Arguments"]["Conditions"])


def _words(condition: Mapping[str, Any], reports: Reports) -> str:
    kind = condition["Type"]
    if kind in SIGNS:
        left, right = (_operand(condition[side], reports) for side in ("LeftValue", "RightValue"))
        return f"{left} {SIGNS[kind]} {right}"
    if kind == "In":
        values = ", ".join(_operand(value, reports) for value in condition["Values"])
        return f"{_operand(condition['QueryValue'], reports)} in ({values})"
    if kind == "Not":
        return f"not ({_words(condition['Condition'], reports)})"
    return " or ".join(f"({_words(item, reports)})" for item in condition["Conditions"])


def _operand(value: Any, reports: Reports) -> str:
    if not isinstance(value, Mapping):
        return json.dumps(value)
    got = value.get("Std:JsonGet")
    if got is None:
        return str(value.get("Get", json.dumps(value)))
    report = reports.get(got.get("PropertyFile", {}).get("Get", ""))
    found = lookup(report, got["Path"])
    return f"{got['Path']} ({found:.4f})" if isinstance(found, int | float) else got["Path"]


def lookup(report: Any, path: str) -> Any:
    """The value at a path such as ``a.b[0]['c']``; None if there is none."""
    for name, index in re.findall(r"([^.\[\]'\"]+)(?=[.\['\"]|$)|\[(\d+)\]", path.removeprefix("$.")):
        try:
            report = report[name] if name else report[int(index)]
        except (KeyError, IndexError, TypeError):
            return None
    return report
