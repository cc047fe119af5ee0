"""What a check left in S3: its own files, those of the baseline that it was compared with, and its violations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from pipelines.reports.checks import Files, ReportedCheck
from pipelines.reports.names import Names

if TYPE_CHECKING:
    from pipelines.session import AwsClients

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Evidence:
    """The contents of the files of one check. A file that does not exist, or cannot be read, is empty."""

    check: ReportedCheck
    names: Names = field(default_factory=Names)
    statistics: Json = field(default_factory=dict)
    constraints: Json = field(default_factory=dict)  # of Clarify: analysis.json
    baseline: Files | None = None
    baseline_statistics: Json = field(default_factory=dict)
    baseline_constraints: Json = field(default_factory=dict)
    violations: tuple[Json, ...] = ()
    origin: str = ""  # of the baseline: the version that has it, or when it was made


def gather(clients: AwsClients, check: ReportedCheck, names: Names) -> Evidence:
    """Reads the files of the check and of its baseline, as far as they exist."""
    baseline = find_baseline(clients, check)
    return Evidence(
        check=check,
        names=names,
        statistics=_read(clients, check.calculated.statistics),
        constraints=_read(clients, check.calculated.constraints),
        baseline=baseline,
        baseline_statistics=_read(clients, baseline.statistics if baseline else None),
        baseline_constraints=_read(clients, baseline.constraints if baseline else None),
        violations=tuple(_read(clients, check.violations).get("violations", [])),
        origin=origin_of(clients, check, baseline) if baseline else "",
    )


def origin_of(clients: AwsClients, check: ReportedCheck, baseline: Files) -> str:
    """Which version of the group has the baseline, and since when; else when the file was made; "" if unknown."""
    try:
        for version in _list_approved(clients, check.group) if check.group else ():
            described: Any = clients.sagemaker.describe_model_package(ModelPackageName=version["ModelPackageArn"])
            if str(baseline.constraints) in json.dumps(described.get("DriftCheckBaselines", {})):
                made = f"{described['CreationTime']:%Y-%m-%d %H:%M} UTC"
                return f"that of version {described['ModelPackageVersion']} of {check.group}, registered {made}"
        bucket, _, key = (baseline.constraints or "").removeprefix("s3://").partition("/")
        head = clients.s3.head_object(Bucket=bucket, Key=key)
        return f"a file of {head['LastModified']:%Y-%m-%d %H:%M} UTC"
    except (BotoCoreError, ClientError):
        return ""


def _list_approved(clients: AwsClients, group: str) -> list[Any]:
    """The newest approved versions of a group; a baseline in force is that of the newest."""
    listed = clients.sagemaker.list_model_packages(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending",
        MaxResults=10,
    )  # fmt: skip
    return list(listed["ModelPackageSummaryList"])


def find_baseline(clients: AwsClients, check: ReportedCheck) -> Files | None:
    """The baseline that the check was, or could have been, compared with; None if there is none.

    A check that compares and registers as well names its own files as the baseline that is used from then on: what
    it was compared with is then among the inputs of its job, where the service shows them.
    """
    if check.used.constraints and check.used != check.calculated:
        return check.used
    if check.compared.constraints:
        return check.compared
    if check.skipped or not check.job:
        return None
    try:
        described = clients.sagemaker.describe_processing_job(ProcessingJobName=check.job.rpartition("/")[2])
    except (BotoCoreError, ClientError):
        return None
    uris = {item["InputName"]: item.get("S3Input", {}).get("S3Uri") for item in described.get("ProcessingInputs", [])}
    baseline = Files(uris.get("baseline_statistics"), uris.get("baseline_constraints"))
    return baseline if baseline.constraints else None


def _read(clients: AwsClients, uri: str | None) -> Json:
    content = read_bytes(clients, uri)
    try:
        document = json.loads(content or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, Mapping) else {}


def read_bytes(clients: AwsClients, uri: str | None) -> bytes | None:
    """The object's content; None if there is no such object or no right to read it."""
    if not uri:
        return None
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        return clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (BotoCoreError, ClientError):
        return None
