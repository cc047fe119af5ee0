"""What CloudWatch Logs say about an execution: why a step was or was not reused, and how a failed job ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_logs.client import CloudWatchLogsClient

EXECUTIONS = "/aws/sagemaker/PipelineExecutions"
GROUPS: Mapping[str, str] = {
    "processing-job": "/aws/sagemaker/ProcessingJobs",
    "training-job": "/aws/sagemaker/TrainingJobs",
    "transform-job": "/aws/sagemaker/TransformJobs",
}


class Notes:
    """The engine's notes on the steps of one execution. AWS writes none: then there is nothing to tell."""

    def __init__(self, client: CloudWatchLogsClient, pipeline: str, execution_arn: str) -> None:
        self._client = client
        self._prefix = f"{pipeline}/{execution_arn.rpartition('/')[2]}/"
        self._absent = False

    def read(self) -> dict[str, str]:
        """The latest note by step."""
        notes: dict[str, str] = {}
        if self._absent:
            return notes
        try:
            pages = self._client.get_paginator("filter_log_events").paginate(
                logGroupName=EXECUTIONS, logStreamNamePrefix=self._prefix
            )
            for page in pages:
                for event in page["events"]:
                    notes[event["logStreamName"].removeprefix(self._prefix)] = event["message"].strip()
        except ClientError:  # a note is an extra: without the group, or the right to read it, there is none
            self._absent = True
        return notes


def group_and_name(job_arn: str) -> tuple[str, str] | None:
    """The log group of a job and the job's name; None where jobs of this kind write no log."""
    kind, _, name = job_arn.rpartition(":")[2].partition("/")
    return (GROUPS[kind], name) if kind in GROUPS else None


def job_log(client: CloudWatchLogsClient, job_arn: str, lines: int = 200) -> list[str]:
    """The last lines that a job wrote; none if there is no log, or no right to read it."""
    place = group_and_name(job_arn)
    if place is None:
        return []
    group, name = place
    try:
        streams = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
        last: list[str] = []
        for stream in streams:
            events = client.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], limit=lines, startFromHead=False
            )["events"]
            last += [event["message"].rstrip() for event in events]
    except ClientError:
        return []
    return last[-lines:]
