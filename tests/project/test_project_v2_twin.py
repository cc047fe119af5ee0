"""The pipeline written with SDK v2: the same steps and graph, and the same service runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.data import abalone_csv
from tests.project.building import STEPS, STOCK_EDGES, edges, steps, stock
from tests.support import ROLE, Service, finished, sdk_v2_python, start, steps_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
NAME, BUCKET = "Twin", "sdk-v2-twin"
SUFFIXES = ("-CreateModel", "-RegisterModel")  # which SDK v2 puts behind the name of a ModelStep


@pytest.fixture(scope="module")
def definition(service: Service, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What SDK v2 makes of the twin."""
    python = sdk_v2_python()
    s3 = service.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="abalone.csv", Body=abalone_csv())
    file = tmp_path_factory.mktemp("twin") / "definition.json"
    twin = Path(__file__).with_name("v2") / "twin.py"
    service.run(python, str(twin), str(file), "us-east-1", BUCKET, ROLE, NAME, f"s3://{BUCKET}/abalone.csv")
    return dict(json.loads(file.read_text()))


def without_suffixes(definition: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(definition)
    for suffix in SUFFIXES:
        text = text.replace(suffix, "")
    return dict(json.loads(text))


def test_the_twin_has_the_same_steps_graph_and_parameters(definition: dict[str, Any]) -> None:
    twin = without_suffixes(definition)
    assert {name: step["Type"] for name, step in steps(twin).items()} == STEPS
    assert edges(twin) == STOCK_EDGES
    assert [p["Name"] for p in twin["Parameters"]] == [p["Name"] for p in stock()["Parameters"]]


def test_the_service_executes_the_twin(service: Service, definition: dict[str, Any]) -> None:
    sagemaker = service.client("sagemaker")
    sagemaker.create_pipeline(PipelineName=NAME, PipelineDefinition=json.dumps(definition), RoleArn=ROLE)
    execution = start(sagemaker, NAME)
    assert finished(sagemaker, execution)["PipelineExecutionStatus"] == "Succeeded", steps_of(sagemaker, execution)
    assert len(steps_of(sagemaker, execution)) == len(STEPS)
    assert len(sagemaker.list_model_packages(ModelPackageGroupName=NAME)["ModelPackageSummaryList"]) == 1
