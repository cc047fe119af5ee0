"""The job of the same step in the last execution that succeeded before: what metrics and sizes are compared with."""

from __future__ import annotations

from dataclasses import replace

from local_sagemaker.errors import ServiceError
from local_sagemaker.records.selection import Selection
from local_sagemaker.studio.charts.line import Series
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.execution_data import steps_or_none
from local_sagemaker.studio.pages.job_details import JobView, job_of, load_job

_MOST = 20


def find_execution(visit: Visit, arn: str, begun: float | None) -> str:
    """The ARN of the last execution of the same pipeline that succeeded and was begun before; "" where there is none
    among the newest twenty."""
    pipeline = arn.partition(":pipeline/")[2].partition("/execution/")[0]
    chosen = Selection("pipeline-execution", pipeline.lower(), "Succeeded")
    for key in visit.reads.select(chosen, _MOST)[0]:
        other = f"{arn.rpartition('/')[0]}/{key.rpartition('/')[2]}"
        body = visit.optional("sagemaker:DescribePipelineExecution", {"PipelineExecutionArn": other}) or {}
        if other != arn and begun is not None and float(body.get("CreationTime", begun)) < begun:
            return other
    return ""


def find_job(visit: Visit, execution: str, step: str, kind: str, tab: str) -> JobView | None:
    """The job of a kind that a step of an execution ran; None where it ran none, or that was deleted."""
    steps = steps_or_none(visit, execution, 500)
    job = next((job_of(item.get("Metadata", {})) for item in steps if item["StepName"] == step), None)
    if job is None or job[0] != kind:
        return None
    try:
        return load_job(visit, *job, tab=tab)
    except ServiceError:
        return None  # deleted since


def add_baseline(job: JobView, before: JobView) -> JobView:
    """A job with the curves of the one before as baselines, and the sizes of that one's outputs that have another
    place: at the same place S3 has the newest only."""
    if before.name == job.name:
        return job  # a result that was reused
    names = {item.name for item in job.series}
    curves = [
        Series(f"{item.name}, last success", item.points, "baseline") for item in before.series if item.name in names
    ]
    sizes = {item.name: item for item in before.outputs}
    outputs = [
        replace(item, before=sizes[item.name].bytes)
        if item.name in sizes and sizes[item.name].uri != item.uri and sizes[item.name].objects
        else item
        for item in job.outputs
    ]
    return replace(job, series=[*job.series, *curves], outputs=outputs)
