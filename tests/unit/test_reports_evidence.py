"""Where the files of a check come from, and what is said when they cannot be had."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from pipelines.reports import checks, evidence, names
from pipelines.reports.checks import Files
from pipelines.reports.writer import Reports
from pipelines.session import AwsClients, boto_session

NOW = Files("s3://reports/now/statistics.json", "s3://reports/now/constraints.json")
OLD = Files("s3://reports/old/statistics.json", "s3://reports/old/constraints.json")


def step(used: Files, *, skip: bool = False, register: bool = False, **more: Any) -> dict[str, Any]:
    """A QualityCheck step as ListPipelineExecutionSteps answers it."""
    return {
        "StepStatus": "Succeeded",
        "Metadata": {"QualityCheck": {
            "CheckType": "DATA_QUALITY", "SkipCheck": skip, "RegisterNewBaseline": register,
            "CalculatedBaselineStatistics": NOW.statistics, "CalculatedBaselineConstraints": NOW.constraints,
            "BaselineUsedForDriftCheckStatistics": used.statistics,
            "BaselineUsedForDriftCheckConstraints": used.constraints, "ViolationReport": "",
            "CheckJobArn": "arn:aws:sagemaker:us-east-1:123456789012:processing-job/the-check",
        }},
        **more,
    }  # fmt: skip


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsClients]:
    """Clients of in-process doubles that hold the files and the job of a check."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        boto_session.cache_clear()
        made = AwsClients("us-east-1")
        made.s3.create_bucket(Bucket="reports")
        for key in ("now/statistics.json", "old/statistics.json"):
            made.s3.put_object(Bucket="reports", Key=key, Body=json.dumps({"features": [], "which": key}).encode())
        made.s3.put_object(Bucket="reports", Key="old/constraints.json", Body=b"{}")
        made.s3.put_object(Bucket="reports", Key="now/constraints.json", Body=b"this is not JSON")
        inputs = [
            {"InputName": name, "S3Input": {"S3Uri": uri, "LocalPath": f"/opt/ml/{name}", "S3DataType": "S3Prefix",
                                            "S3InputMode": "File"}}
            for name, uri in (("baseline_statistics", OLD.statistics), ("baseline_constraints", OLD.constraints))
        ]  # fmt: skip
        made.sagemaker.create_processing_job(
            ProcessingJobName="the-check", ProcessingInputs=inputs, AppSpecification={"ImageUri": "analyzer"},
            ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large",
                                                   "VolumeSizeInGB": 1}},
            RoleArn="arn:aws:iam::123456789012:role/Reports",
        )  # type: ignore[call-overload] # fmt: skip
        yield made
    boto_session.cache_clear()


@pytest.mark.parametrize(
    ("given", "baseline"),
    [
        (step(OLD), OLD),
        (step(OLD, skip=True), OLD),
        (step(NOW, register=True), OLD),  # it compared with the old, and uses its own from then on
        (step(NOW, skip=True, register=True), None),
    ],
    ids=["compared", "kept", "compared and registered", "registered"],
)
def test_what_a_check_was_compared_with(clients: AwsClients, given: dict[str, Any], baseline: Files | None) -> None:
    (check,) = checks.find({"Check": given})
    assert evidence.find_baseline(clients, check) == baseline
    found = evidence.gather(clients, check, names.Names())
    assert found.statistics["which"] == "now/statistics.json"
    assert found.constraints == {}  # which is not JSON
    assert found.baseline_statistics.get("which") == ("old/statistics.json" if baseline else None)


def test_steps_that_run_or_are_no_checks_are_left_out() -> None:
    steps = {"A": {**step(OLD), "StepStatus": "Executing"}, "B": {"StepStatus": "Succeeded", "Metadata": {}},
             "C": step(OLD)}  # fmt: skip
    assert [check.step for check in checks.find(steps)] == ["C"]


def test_a_page_per_check_and_none_for_files_that_are_gone(clients: AwsClients, tmp_path: Path) -> None:
    gone = Files("s3://no-such-bucket/s.json", "s3://no-such-bucket/c.json")
    with Reports(clients, "arn:aws:sagemaker:x:1:pipeline/p/execution/abc", folder=tmp_path / "out") as reports:
        reports.see({"One": step(OLD)})
        one, two = reports.finish({"One": step(OLD), "Two": step(gone)})
    assert (one.path, two.path) == (tmp_path / "out/abc/One.html", tmp_path / "out/abc/Two.html")
    assert one.verdict.text == two.verdict.text == "passed"
    assert (tmp_path / "out/abc/Two.html").read_text().startswith("<!doctype html>")


def test_a_folder_that_cannot_be_written_is_said_and_stops_nothing(clients: AwsClients, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder would be")
    with Reports(clients, "arn:aws:sagemaker:x:1:pipeline/p/execution/abc", folder=tmp_path / "out") as reports:
        (found,) = reports.finish({"One": step(OLD)})
    assert found.path is None and "no page could be written" in found.where
    assert found.verdict.text == "passed"


def test_names_of_columns() -> None:
    known = names.Names(("rings", "length"))
    assert [known.of(name) for name in ("_c0", "column_1", "_c2", "weight", "_cx")] == [
        "rings (_c0)", "length (column_1)", "_c2", "weight", "_cx",
    ]  # fmt: skip
    assert names.for_check("MODEL_QUALITY", ("rings",)).of("_c0") == "_c0"
    assert names.of_module(None) == names.of_module("json") == ()


def test_the_abalone_columns_are_those_that_preprocessing_writes() -> None:
    from pipelines.abalone import preprocess

    indicators = [f"{preprocess.CATEGORY}={value}" for value in preprocess.CATEGORIES]
    expected = (preprocess.LABEL, *preprocess.NUMBERS, *indicators)
    assert names.of_module("pipelines.abalone.pipeline") == expected
