"""What the command line reads of executions, as any AWS client does: which is meant, its steps, and whether it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local_sagemaker.lifecycle import LifecycleError

RUNNING = ("Executing", "Stopping")
ARN = re.compile(r"arn:[^:]+:sagemaker:([^:]+):\d+:pipeline/([^/]+)/execution/([a-z0-9]+)")
ID = re.compile(r"[a-z0-9]{12}")
_FAILED_JOBS = (
    ("list_processing_jobs", "ProcessingJobSummaries", "ProcessingJobName"),
    ("list_training_jobs", "TrainingJobSummaries", "TrainingJobName"),
    ("list_transform_jobs", "TransformJobSummaries", "TransformJobName"),
)


_DESCRIBED = (("processing-job", "describe_processing_job"), ("training-job", "describe_training_job"))
_NAMED = 10
"""Pipelines that a message names; a line of all of them says nothing."""
_LOOKED_THROUGH = 10
"""Executions of each pipeline in which a step is looked for."""


@dataclass(frozen=True)
class StepJob:
    """A job: its kind as ARNs have it (``processing-job``), its name, and the step that ran it, if one did."""

    kind: str
    name: str
    step: str | None = None


class ExecutionCommands:
    """The executions of one region of a running service."""

    def __init__(self, connection: dict[str, str]) -> None:
        """`connection` is the client environment of the service."""
        import botocore.session
        from botocore.config import Config

        self._client: Any = botocore.session.get_session().create_client(
            "sagemaker",
            region_name=connection["AWS_REGION"],
            endpoint_url=connection["AWS_ENDPOINT_URL"],
            aws_access_key_id=connection["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=connection["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"max_attempts": 0}),
        )

    def find(self, text: str) -> str | None:
        """The ARN of the execution that an ARN, an id, or the name of a pipeline (its newest) means; None if none."""
        if ARN.fullmatch(text):
            return text
        if text in self._list_pipelines():
            return next((item["PipelineExecutionArn"] for item in self._list_of(text)), None)
        if ID.fullmatch(text):
            listed = (item["PipelineExecutionArn"] for name in self._list_pipelines() for item in self._list_of(name))
            return next((arn for arn in listed if arn.endswith(f"/{text}")), None)
        return None

    def require(self, text: str) -> str:
        """:raises LifecycleError: if no execution is called so."""
        arn = self.find(text)
        if arn is None:
            names = self._list_pipelines()
            more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
            pipelines = ", ".join([*names[:_NAMED], *more]) or "none"
            raise LifecycleError(f"There is no execution '{text}' here. The pipelines are: {pipelines}.")
        return arn

    def steps(self, arn: str) -> list[dict[str, Any]]:
        """The steps that have started, the last one first."""
        pages = self._client.get_paginator("list_pipeline_execution_steps").paginate(
            PipelineExecutionArn=arn, SortOrder="Descending"
        )
        return [step for page in pages for step in page["PipelineExecutionSteps"]]

    def has_ended(self, arn: str) -> bool:
        """Whether no step of it runs any more."""
        described = self._client.describe_pipeline_execution(PipelineExecutionArn=arn)
        return described["PipelineExecutionStatus"] not in RUNNING

    def last_failure(self) -> tuple[str | None, str | None]:
        """The execution that failed last, and the job outside of executions, if one failed after that."""
        failed = [item for name in self._list_pipelines() for item in self._list_of(name, "Failed")[:1]]
        execution = max(failed, key=lambda item: item["StartTime"], default=None)
        jobs = [
            (item["CreationTime"], item[name], item[name.replace("Name", "Arn")])
            for item, name in self._list_failed_jobs()
        ]
        created, job, arn = max(jobs, default=(None, "", ""))
        if execution and (created is None or created <= execution["StartTime"] or self._is_of_a_step(arn)):
            return execution["PipelineExecutionArn"], None
        return None, job or None

    def _is_of_a_step(self, arn: str) -> bool:
        tags = self._client.list_tags(ResourceArn=arn)["Tags"]
        return any(tag["Key"] == "sagemaker:pipeline-execution-arn" for tag in tags)

    def find_job(self, name: str, word: str | None) -> StepJob:
        """The job of a step: one with the word in its name, of an execution (or of a pipeline's newest).

        Without a word it is the one that failed; a name that is no execution's is a step's of the newest execution
        that has one, or a job's.

        :raises LifecycleError: if there is none.
        """
        arn = self.find(name)
        if arn is None and word is not None:
            self.require(name)
        part = name if arn is None else word
        for execution in [arn] if arn else self._list_newest():
            for step in self.steps(execution):
                job = job_arn_of(step)
                if job and (part.lower() in step["StepName"].lower() if part else step["StepStatus"] == "Failed"):
                    return StepJob(*job, step["StepName"])
        step_job = self._find_job_named(name) if arn is None else None
        if step_job is None:
            what = f"step with '{part}' in its name" if part else "failed step"
            raise LifecycleError(f"There is no {what} that ran a job{f' in {arn}' if arn else ', and no such job'}.")
        return step_job

    def _find_job_named(self, name: str) -> StepJob | None:
        from botocore.exceptions import ClientError

        for kind, operation in _DESCRIBED:
            member = f"{kind.partition('-')[0].title()}JobName"
            try:
                return StepJob(kind, getattr(self._client, operation)(**{member: name})[member])
            except ClientError:
                continue
        return None

    def _list_newest(self) -> list[str]:
        """The newest executions of all pipelines."""
        items = [
            item
            for pipeline in self._list_pipelines()
            for item in self._client.list_pipeline_executions(
                PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=_LOOKED_THROUGH
            )["PipelineExecutionSummaries"]
        ]
        return [item["PipelineExecutionArn"] for item in sorted(items, key=lambda it: it["StartTime"], reverse=True)]

    def _list_failed_jobs(self) -> Iterator[tuple[dict[str, Any], str]]:
        for operation, member, name in _FAILED_JOBS:
            listed = getattr(self._client, operation)(StatusEquals="Failed", SortBy="CreationTime", MaxResults=1)
            yield from ((item, name) for item in listed[member])

    def _list_pipelines(self) -> list[str]:
        pages = self._client.get_paginator("list_pipelines").paginate()
        return [item["PipelineName"] for page in pages for item in page["PipelineSummaries"]]

    def _list_of(self, pipeline: str, status: str | None = None) -> list[dict[str, Any]]:
        """The newest first."""
        pages = self._client.get_paginator("list_pipeline_executions").paginate(
            PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending"
        )
        items = (item for page in pages for item in page["PipelineExecutionSummaries"])
        return [item for item in items if status in (None, item["PipelineExecutionStatus"])]


def job_of(step: dict[str, Any]) -> str | None:
    """The name of the job that a step ran."""
    job = job_arn_of(step)
    return job[1] if job else None


def job_arn_of(step: dict[str, Any]) -> tuple[str, str] | None:
    """The kind and the name of the job that a step ran."""
    for details in step.get("Metadata", {}).values():
        arn = details.get("CheckJobArn") or details.get("Arn") or ""
        kind, _, name = arn.rpartition(":")[2].partition("/")
        if kind.endswith("-job"):
            return kind, str(name)
    return None
