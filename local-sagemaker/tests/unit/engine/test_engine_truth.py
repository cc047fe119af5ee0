"""The recorded pipeline of AWS's own example, run here: the same steps, statuses, metadata and texts."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest

from tests.support import SHARED
from tests.unit.engine.world import ROLE, World

CASE = SHARED / "truth" / "abalone-pipeline-e2e"
BUCKET = "sagemaker-us-west-2-000000000000"

pytestmark = [
    pytest.mark.truth,
    pytest.mark.skipif(not CASE.is_dir(), reason="shared/truth/abalone-pipeline-e2e is not here"),
]


def recorded(name: str) -> list[dict[str, Any]]:
    """A recorded ListPipelineExecutionSteps, times as None."""
    text = re.sub(r"datetime\.datetime\(.*?tzlocal\(\)\)", "None", (CASE / name).read_text())
    found: list[dict[str, Any]] = ast.literal_eval(text[text.index("[") :])
    return found


def shape(step: dict[str, Any]) -> dict[str, Any]:
    """What of a step does not depend on the run: times by presence, ARNs by kind.

    Not the count of attempts, which began at 0 in 2022 and begins at 1 since (docs/reference/differences.md).
    """
    kind, details = next(iter(step["Metadata"].items()))
    if "Arn" in details:
        details = {"Arn": details["Arn"].split(":")[5].split("/")[0]}
    times = {name: name in step for name in ("StartTime", "EndTime")}
    kept = {name: step[name] for name in ("StepName", "StepStatus", "FailureReason") if name in step}
    return {**kept, **times, "Metadata": {kind: details}}


def run(world: World, parameters: dict[str, str]) -> str:
    world.objects.buckets.create(BUCKET)
    document = ast.literal_eval((CASE / "pipeline_definition_58_0.txt").read_text())
    report = next(step for step in document["Steps"] if step["Name"] == "AbaloneEval")
    uri = report["Arguments"]["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    metrics = {"regression_metrics": {"mse": {"value": 4.913856830660247, "standard_deviation": 2.2157255951663437}}}
    key = uri.removeprefix(f"s3://{BUCKET}/") + "/evaluation.json"
    world.objects.put(BUCKET, key, json.dumps(metrics).encode())

    def train(job: dict[str, Any]) -> None:
        artifacts = job["ModelArtifacts"]["S3ModelArtifacts"]
        world.objects.put(BUCKET, artifacts.removeprefix(f"s3://{BUCKET}/"), b"model")

    world.plan = {"AbaloneTrain": train}
    world.sagemaker(
        "CreatePipeline", PipelineName="AbalonePipeline", PipelineDefinition=json.dumps(document), RoleArn=ROLE
    )
    return world.wait(world.start("AbalonePipeline", parameters))


@pytest.mark.parametrize(
    ("file", "parameters", "status"),
    [("list_steps_68_0.txt", {}, "Succeeded"), ("cell_81_0.txt", {"MseThreshold": "3.0"}, "Failed")],
)
def test_the_recorded_listing(world: World, file: str, parameters: dict[str, str], status: str) -> None:
    arn = run(world, parameters)
    assert world.status(arn) == status
    theirs = {step["StepName"]: shape(step) for step in recorded(file)}
    ours = {name: shape(step) for name, step in world.steps(arn).items()}
    assert ours == theirs
    assert {step["AttemptCount"] for step in world.steps(arn).values()} == {1}
    identifier = arn.rsplit("/", 1)[-1]
    for step in recorded(file):
        details = next(iter(step["Metadata"].values()))
        if "Arn" in details and "pipelines-" in details["Arn"]:
            theirs_name, ours_name = details["Arn"].rsplit("/", 1)[-1], world.job_of(arn, step["StepName"])
            part = re.fullmatch(r"pipelines-[a-z0-9]{12}-(.+)-[a-z0-9]{10}", theirs_name)
            assert part and ours_name.lower().startswith(f"pipelines-{identifier}-{part[1]}-")


def test_the_recorded_description(world: World) -> None:
    text = re.sub(r"datetime\.datetime\(.*?tzlocal\(\)\)", "None", (CASE / "describe_execution_64_0.txt").read_text())
    theirs = ast.literal_eval(text)
    del theirs["ResponseMetadata"]
    ours = world.describe(run(world, {}))
    assert theirs.keys() <= ours.keys()
    assert (ours["CreatedBy"], ours["LastModifiedBy"]) == (theirs["CreatedBy"], theirs["LastModifiedBy"])
    for name in ("PipelineExecutionDisplayName",):
        assert re.sub(r"\d{13}", "", ours[name]) == re.sub(r"\d{13}", "", theirs[name])
