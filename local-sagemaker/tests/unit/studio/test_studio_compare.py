"""Executions side by side: metrics with what is better, and what the checks found."""

from __future__ import annotations

import json
from typing import Any

from local_sagemaker.masking import MASK
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.check_verdicts import verdicts_of
from local_sagemaker.studio.pages.compare import load
from local_sagemaker.studio.pages.pipeline_versions import PipelineVersionRow, changes_of

ARN = "arn:aws:sagemaker:us-east-1:1:pipeline/P"
VIOLATIONS = {"violations": [{"feature_name": "c", "constraint_check_type": "completeness_check",
                              "description": "Value: 0.5 does not meet the constraint requirement! "}]}  # fmt: skip


def check(name: str, report: str = "", **more: Any) -> dict[str, Any]:
    details = {"CheckType": "DATA_QUALITY", **({"ViolationReport": report} if report else {}), **more}
    return {"StepName": name, "StepStatus": "Failed" if report else "Succeeded", "Metadata": {"QualityCheck": details}}


def steps_of(execution: str) -> list[dict[str, Any]]:
    job = {"Arn": f"arn:aws:sagemaker:us-east-1:1:training-job/{execution}"}
    train = {"StepName": "Train", "StepStatus": "Succeeded", "Metadata": {"TrainingJob": job}}
    moved = check("Quality", "s3://b/violations.json") if execution == "two" else check("Quality")
    return [train, check("Bias", SkipCheck=True), moved]


def definition(version: str) -> str:
    variables = {"API_TOKEN": f"s3cr3t of {version}", "DB_PASSWORD": "s3cr3t of both", "MODE": version}
    return json.dumps({"Steps": [{"Name": "Train", "Arguments": {"Environment": variables}}]})


def answer(name: str, request: dict[str, Any]) -> dict[str, Any]:
    execution = str(request.get("PipelineExecutionArn", request.get("TrainingJobName", ""))).rpartition("/")[2]
    if name == "s3:GetObject":
        return {"Body": json.dumps(VIOLATIONS).encode()}
    if name == "sagemaker:DescribeTrainingJob":
        value = {"one": 4.5, "two": 4.0}[execution]
        return {
            "TrainingJobStatus": "Completed", "CreationTime": 1.0,
            "FinalMetricDataList": [{"MetricName": "mse", "Value": value}, {"MetricName": "count", "Value": 3.0}],
        }  # fmt: skip
    return {
        "sagemaker:DescribePipeline": {"PipelineName": "P", "PipelineArn": ARN},
        "sagemaker:DescribePipelineExecution": {
            "PipelineExecutionArn": f"{ARN}/execution/{execution}", "PipelineExecutionStatus": "Succeeded",
            "CreationTime": 1.0, "LastModifiedTime": 2.0, "PipelineVersionId": 1,
        },
        "sagemaker:ListPipelineExecutionSteps": {"PipelineExecutionSteps": steps_of(execution)},
        "sagemaker:DescribePipelineDefinitionForExecution": {"PipelineDefinition": definition(execution)},
        "s3:HeadObject": {"ContentLength": 200},
    }.get(name, {"logStreams": []})  # fmt: skip


def test_metrics_and_checks_that_differ() -> None:
    query = {"e": ["one", "two"]}
    visit = Visit({"pipeline": "P"}, query, answer, None, "", 5.0)  # type: ignore[arg-type]
    sections = {section.title: section for section in load(visit).sections}
    (metric,) = sections["Metrics"].rows
    assert (metric.name, metric.values, metric.verdicts) == ("Train mse", ["4.5", "4"], ["", "better"])
    assert sections["Metrics"].equal == 1, "what is equal is counted, not shown"
    (found,) = sections["Checks"].rows
    sentence = "1 violation: Only 50 % of the rows have a value for c."
    assert (found.name, found.values) == ("Quality", ["no violations", sentence])
    assert sections["Checks"].equal == 1
    (verdict,) = verdicts_of(visit, {"Quality": check("Quality", "s3://b/violations.json")})
    assert (verdict.is_violated, verdict.tab, verdict.sentences) == (True, "data", [sentence.partition(": ")[2]])


def test_secrets_that_differ_are_numbered_and_not_shown() -> None:
    """In executions, and in what a version changed; an equal one is counted as equal."""
    path = "[Train].Arguments.Environment"
    visit = Visit({"pipeline": "P"}, {"e": ["one", "two"]}, answer, None, "", 5.0)  # type: ignore[arg-type]
    section = {item.title: item for item in load(visit).sections}["Definition"]
    assert {item.name: item.values for item in section.rows} == {
        f"{path}.API_TOKEN": [f'"{MASK} 1"', f'"{MASK} 3"'], f"{path}.MODE": ['"one"', '"two"'],
    }  # fmt: skip
    shown = Visit({"pipeline": "P"}, {"e": ["one", "two"], "secrets": ["1"]}, answer, None, "", 5.0)  # type: ignore[arg-type]
    assert "s3cr3t of two" in repr(load(shown))
    versions = [PipelineVersionRow(number, None, [], "", "") for number in (1, 2)]
    for query, words in ({"version": ["2"]}, MASK), ({"version": ["2"], "secrets": ["1"]}, "s3cr3t of "):
        visit = Visit({}, query, _version, None, "", 5.0)  # type: ignore[arg-type]
        changes = changes_of(visit, "P", versions)
        assert changes is not None
        assert [item.path for item in changes.rows] == [f"{path}.API_TOKEN", f"{path}.MODE"]
        assert ("s3cr3t" in repr(changes)) == ("s3cr3t" in words)
        assert words in changes.rows[0].was


def _version(_name: str, request: dict[str, Any]) -> dict[str, Any]:
    return {"PipelineDefinition": definition(str(request["PipelineVersionId"]))}
