"""Pipeline executions on a warm service: the abalone pipeline, a chain of no-ops, many independent steps."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3

from benchmarks.measure import ABALONE, PLAIN_SCRIPT, command, in_turn, report, seconds
from local_sagemaker import lifecycle
from local_sagemaker.cli.exec import connection
from local_sagemaker.config import Settings

ROLE = "arn:aws:iam::123456789012:role/LocalSageMakerRole"
SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"


def client(settings: Settings, name: str) -> Any:
    """A boto3 client of the running service."""
    service = lifecycle.find_running(settings)
    assert service
    keys = connection(settings, service)
    session = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], region_name=keys["AWS_REGION"])
    return session.client(name, endpoint_url=service["url"])


def run(sagemaker: Any, name: str, parameters: dict[str, str] | None = None) -> float:
    """Starts an execution and waits for its end; seconds by the service's own clock, start to last change.

    As the clock is the service's, the pauses between two looks are not in the figure; without them the looks would be.
    """
    pairs = [{"Name": key, "Value": value} for key, value in (parameters or {}).items()]
    arn = sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=pairs)["PipelineExecutionArn"]
    while True:
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if described["PipelineExecutionStatus"] not in ("Executing", "Stopping"):
            break
        time.sleep(0.1)
    assert described["PipelineExecutionStatus"] == "Succeeded", described
    return float((described["LastModifiedTime"] - described["CreationTime"]).total_seconds())


def no_op(name: str, code: str, depends_on: str | None) -> dict[str, Any]:
    """A Processing step that runs a line of Python."""
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
            },
            "AppSpecification": {"ImageUri": SCIKIT_LEARN, "ContainerEntrypoint": ["python3", "-c", code]},
            "RoleArn": ROLE,
        },
        **({"DependsOn": [depends_on]} if depends_on else {}),
    }


def create(sagemaker: Any, name: str, steps: list[dict[str, Any]]) -> None:
    """A pipeline of these steps."""
    definition = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps}
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=json.dumps(definition), RoleArn=ROLE)


def abalone(settings: Settings) -> bool:
    """The main job against the plain script: the execution alone, and `run-pipeline --local` as a whole process."""
    if not PLAIN_SCRIPT.exists():
        print("abalone: skipped, the plain script is not at hand")
        return True
    home = {"LOCAL_SAGEMAKER_HOME": str(settings.home)}
    words = ("run-pipeline", "--local", "--module-name", "pipelines.abalone.pipeline")
    command(*words, **home)
    sagemaker = client(settings, "sagemaker")
    name = sagemaker.list_pipelines()["PipelineSummaries"][0]["PipelineName"]
    definition = json.loads(sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"])
    for step in definition["Steps"]:
        step.pop("CacheConfig", None)
    sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=json.dumps(definition))

    def floor() -> float:
        return command(sys.executable, str(PLAIN_SCRIPT), str(ABALONE))

    met = report("abalone: start to Succeeded / plain script", in_turn(lambda: run(sagemaker, name), floor), 1.0)
    s3 = client(settings, "s3")
    s3.create_bucket(Bucket="bench-data")
    keys = itertools.count()

    def whole_process() -> float:
        key = f"{next(keys)}/abalone.csv"  # a new key each time: nothing is taken from the cache
        s3.upload_file(str(ABALONE), "bench-data", key)
        return command(*words, "--parameter", f"InputDataUrl=s3://bench-data/{key}", **home)

    whole = in_turn(whole_process, floor)
    return report("abalone: run-pipeline --local / plain script", whole, 3.0) and met


def chain(settings: Settings, length: int = 50) -> bool:
    """Per step of a chain of no-ops, against a start of the bare interpreter."""
    sagemaker = client(settings, "sagemaker")
    name = f"chain-{os.getpid()}"
    steps = [no_op(f"s{n}", "pass", f"s{n - 1}" if n else None) for n in range(length)]
    create(sagemaker, name, steps)

    def per_step() -> float:
        return run(sagemaker, name) / length

    pairs = in_turn(per_step, lambda: seconds(lambda: command(sys.executable, "-c", "pass")))
    return report(f"chain of {length} no-op steps, per step / python -c pass", pairs, 3.0)


def burn(_: int = 0) -> None:
    """Half a second of CPU time."""
    start = time.process_time()
    while time.process_time() - start < 0.5:
        pass


def independent(settings: Settings, count: int = 200) -> bool:
    """Independent steps of half a CPU second each, against a pool of bare processes that burns the same.

    On a quiet machine the pool takes the CPU time divided by the cores; on a shared one both lose alike.
    """
    sagemaker = client(settings, "sagemaker")
    # On one line, since AWS's pattern for entrypoint strings allows no other.
    code = "import time; start = time.process_time(); all(time.process_time() - start < 0.5 for _ in iter(int, 1))"
    name = f"wide-{os.getpid()}"
    create(sagemaker, name, [no_op(f"s{n}", code, None) for n in range(count)])

    def pool() -> float:
        with multiprocessing.Pool(os.cpu_count()) as workers:
            return seconds(lambda: workers.map(burn, range(count), chunksize=1))

    pairs = in_turn(lambda: run(sagemaker, name), pool, runs=1)
    return report(f"{count} independent steps / a pool of bare processes", pairs, 1.2)


def main() -> bool:
    """Prints the figures; says whether all targets are met."""
    settings = Settings(home=Path(tempfile.mkdtemp(prefix="bench-")))
    lifecycle.start(settings)
    try:
        return all([abalone(settings), chain(settings), independent(settings)])
    finally:
        lifecycle.stop(settings)
