"""What must not grow with what exists: the same requests to a service with much history and to a young one.

The history is made of one real execution, whose records are written again under other names while the service is down.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.executions import client, create, no_op, run
from benchmarks.measure import in_turn, report, seconds
from benchmarks.own_service import settle
from local_sagemaker import lifecycle
from local_sagemaker.config import Settings
from local_sagemaker.records import Records

PIPELINE = "growth"
YOUNG, OLD = 100, 10_000
"""Executions."""
TARGET = 1.5


def grown(folder: str, executions: int) -> Settings:
    """A running service with so many executions; everything else of it is as usual."""
    settings = Settings(home=Path(folder))
    lifecycle.start(settings)
    sagemaker = client(settings, "sagemaker")
    create(sagemaker, PIPELINE, [no_op("Only", "pass", None)])
    run(sagemaker, PIPELINE)
    lifecycle.stop(settings)
    records = Records(settings.records_file, settings.region)
    with records.transaction():
        for kind in ("pipeline-execution", "pipeline-step", "pipeline-cache", "processing-job"):
            multiply(records, kind, executions)
    records.close()
    service = lifecycle.start(settings)
    run(client(settings, "sagemaker"), PIPELINE)  # a warm one, as the service has been for long
    settle(int(service["pid"]))
    return settings


def multiply(records: Records, kind: str, count: int) -> None:
    """Writes the one record of a kind again under other names, until there are `count`."""
    [(key, body)] = records.items(kind)
    text, execution = json.dumps(body), key.split("/")[1] if kind == "pipeline-execution" else ""
    for number in range(1, count):
        fresh = f"{number:012x}"
        if kind == "pipeline-execution":
            records.insert(kind, f"{PIPELINE}/{fresh}", json.loads(text.replace(execution, fresh)))
        elif kind == "pipeline-step":
            records.insert(kind, f"{PIPELINE}/{fresh}/{key.rsplit('/', 1)[1]}", body)
        elif kind == "pipeline-cache":
            records.insert(kind, f"{key.rsplit('/', 1)[0]}/{fresh}", body)
        else:
            records.insert(kind, f"{kind}-{fresh}", json.loads(text.replace(key, f"{kind}-{fresh}")))


def compare(young: Settings, old: Settings) -> bool:
    """All comparisons, old service over young one."""
    both = client(old, "sagemaker"), client(young, "sagemaker")
    arns = [one.list_pipeline_executions(PipelineName=PIPELINE)["PipelineExecutionSummaries"][0]
            ["PipelineExecutionArn"] for one in both]  # fmt: skip

    def page(sagemaker: Any, **sorting: str) -> float:
        return seconds(lambda: sagemaker.list_pipeline_executions(PipelineName=PIPELINE, MaxResults=50, **sorting))

    def steps(sagemaker: Any) -> float:
        arn = arns[both.index(sagemaker)]
        return seconds(lambda: sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn))

    met = True
    for title, measure, runs in (
        (f"ListPipelineExecutions, a page at {OLD:,} / at {YOUNG}", page, 20),
        ("ListPipelineExecutions, the oldest first", lambda one: page(one, SortOrder="Ascending"), 20),
        (f"ListPipelineExecutionSteps at {OLD:,} executions / at {YOUNG}", steps, 40),
        (f"a one-step execution after {OLD:,} / after {YOUNG}", lambda one: run(one, PIPELINE), 20),
    ):
        pairs = in_turn(lambda of=measure: of(both[0]), lambda of=measure: of(both[1]), runs)
        met = report(title, pairs, TARGET) and met
    return met


def main() -> bool:
    """Makes both services and compares."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as first,
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as second,
    ):
        started = [Settings(home=Path(first)), Settings(home=Path(second))]
        try:
            return compare(grown(first, YOUNG), grown(second, OLD))
        finally:
            for settings in started:
                lifecycle.stop(settings)
