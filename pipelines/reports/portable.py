"""Portable checks in the words of the managed ones: the Metadata of a QualityCheck or ClarifyCheck step, from the job.

The step itself is a processing step, whose Metadata names the job and nothing else. The job's arguments say which check
it is, and the check.json that it wrote says the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.check_job.arguments import REPORT, switch
from pipelines.check_job.baselines import BASELINES
from pipelines.checks.definition import options

if TYPE_CHECKING:
    from pipelines.session import AwsClients

Steps = Mapping[str, Mapping[str, Any]]
_ENDED = ("Succeeded", "Failed", "Stopped")


class PortableResults:
    """Looks up what portable checks did, each job once."""

    def __init__(self, clients: AwsClients) -> None:
        self._clients = clients
        self._known: dict[str, Mapping[str, Any]] = {}

    def add_metadata(self, steps: Steps) -> dict[str, Mapping[str, Any]]:
        """The steps, where those that are portable checks and have ended have the Metadata of managed ones."""
        return {name: self._add(step) for name, step in steps.items()}

    def _add(self, step: Mapping[str, Any]) -> Mapping[str, Any]:
        arn = step.get("Metadata", {}).get("ProcessingJob", {}).get("Arn")
        if not arn or step["StepStatus"] not in _ENDED:
            return step
        if arn not in self._known:
            self._known[arn] = self._read(arn)
        return {**step, "Metadata": {**step["Metadata"], **self._known[arn]}}

    def _read(self, arn: str) -> Mapping[str, Any]:
        """Empty for any other job, and where the job may not be described."""
        try:
            described: Any = self._clients.sagemaker.describe_processing_job(ProcessingJobName=arn.rpartition("/")[2])
        except (BotoCoreError, ClientError):
            return {}
        arguments = options(described["AppSpecification"].get("ContainerArguments") or [])
        if arguments.get("--check") not in BASELINES:
            return {}
        check = {
            "CheckType": arguments["--check"],
            "CheckJobArn": arn,
            "SkipCheck": _is_on(arguments.get("--skip", "")),
            "RegisterNewBaseline": _is_on(arguments.get("--register", "")),
            **_files(self._report(described)),
        }
        return {"QualityCheck" if arguments["--check"].endswith("QUALITY") else "ClarifyCheck": check}

    def _report(self, described: Any) -> Mapping[str, Any]:
        """check.json; empty where the job has not come as far."""
        try:
            uri = described["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
            bucket, _, prefix = uri.removeprefix("s3://").partition("/")
            content = self._clients.s3.get_object(Bucket=bucket, Key=f"{prefix.rstrip('/')}/{REPORT}")["Body"].read()
            return dict(json.loads(content))
        except (BotoCoreError, ClientError, KeyError, IndexError, ValueError):
            return {}


def _files(report: Mapping[str, Any]) -> Mapping[str, Any]:
    calculated, used, compared = (report.get(name) or {} for name in ("calculated", "baseline_used", "compared_with"))
    return {
        "CalculatedBaselineStatistics": calculated.get("statistics"),
        "CalculatedBaselineConstraints": calculated.get("constraints"),
        "BaselineUsedForDriftCheckStatistics": used.get("statistics"),
        "BaselineUsedForDriftCheckConstraints": used.get("constraints"),
        "ComparedStatistics": compared.get("statistics"),
        "ComparedConstraints": compared.get("constraints"),
        "ViolationReport": report.get("report") or None,
    }


def _is_on(text: str) -> bool:
    try:
        return switch(text)
    except ValueError:
        return False
