"""A version's head, and the test request of the endpoint that serves it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.inference import try_inference
from local_sagemaker.studio.pages.model_version import load

GROUP = "arn:aws:sagemaker:us-east-1:1:model-package-group/g"
MADE_BY = "arn:aws:sagemaker:us-east-1:1:pipeline/P/execution/e"


def package(version: int) -> dict[str, Any]:
    statistics = {"Statistics": {"S3Uri": f"s3://b/{version}/statistics.json"}}
    return {
        "ModelPackageGroupName": "G", "ModelPackageVersion": version, "CreationTime": float(version),
        "ModelPackageArn": f"arn:aws:sagemaker:us-east-1:1:model-package/g/{version}",
        "ModelApprovalStatus": "Approved" if version == 1 else "PendingManualApproval",
        "ModelMetrics": {"ModelQuality": statistics, "Bias": {"Report": {"S3Uri": "s3://b/bias.json"}}},
        "MetadataProperties": {"GeneratedBy": MADE_BY},
    }  # fmt: skip


def check(kind: str, **more: Any) -> dict[str, Any]:
    return {"StepName": kind, "StepStatus": "Succeeded", "Metadata": {"ClarifyCheck": {"CheckType": kind, **more}}}


def answer(name: str, request: dict[str, Any]) -> dict[str, Any]:
    if name == "sagemaker:DescribeModelPackage":
        return package(int(request["ModelPackageName"].rpartition("/")[2]))
    if name == "s3:GetObject":
        value = 4.5 if request["Key"].startswith("2/") else 5.0
        return {"Body": json.dumps({"regression_metrics": {"mse": {"value": value}}}).encode()}
    return {
        "sagemaker:DescribeModelPackageGroup": {"ModelPackageGroupArn": GROUP, "ModelPackageGroupName": "G"},
        "sagemaker:ListEndpoints": {"Endpoints": [{"EndpointName": "production"}]},
        "sagemaker:DescribeEndpoint": {"EndpointConfigName": "c"},
        "sagemaker:DescribeEndpointConfig": {"ProductionVariants": [{"ModelName": "m"}]},
        "sagemaker:DescribeModel": {"PrimaryContainer": {"ModelPackageName": package(1)["ModelPackageArn"]}},
        "sagemaker:ListPipelineExecutionSteps": {
            "PipelineExecutionSteps": [
                check("MODEL_QUALITY"), check("MODEL_BIAS", SkipCheck=True, RegisterNewBaseline=True),
            ]
        },
        "s3:HeadObject": {"ContentLength": 200},
    }.get(name, {})  # fmt: skip


def test_the_head_compares_with_what_is_served() -> None:
    """Metrics beside those of the version in production, and what the checks found, on any tab."""
    path = {"group": "G", "version": "2"}
    reads = SimpleNamespace(settings=SimpleNamespace(account="1"))
    context = load(Visit(path, {"tab": ["settings"]}, answer, reads, "", 5.0))  # type: ignore[arg-type]
    (metric,) = context.key_metrics
    assert (metric.name, metric.value, metric.production, metric.verdict) == ("mse", 4.5, 5.0, "better")
    assert (context.production, context.endpoints, context.status) == (1, [], "PendingManualApproval")
    assert [(item.tab, item.state, item.verdict) for item in context.badges] == [
        ("quality", "Completed", "no violations"), ("data", "Missing", ""),
        ("bias", "Completed", "not compared, made the baseline"),
        ("explainability", "Missing", ""),
    ]  # fmt: skip


def test_a_test_request_has_what_the_form_says() -> None:
    """Variant and target model reach the endpoint; the response is a table."""
    sent: list[tuple[str, dict[str, Any]]] = []
    reads = SimpleNamespace(settings=SimpleNamespace(home="here"))

    def call(name: str, request: dict[str, Any]) -> dict[str, Any]:
        sent.append((name, request))
        body = {"Body": b"1,2\n3,4\n", "ContentType": "text/csv", "InvokedProductionVariant": "B"}
        return body if name.endswith("InvokeEndpoint") else {}

    form = {"action": ["invoke"], "body": ["5,6"], "content_type": ["text/csv"], "accept": ["text/csv"],
            "variant": ["B"], "model": ["a.tar.gz"]}  # fmt: skip
    shown = try_inference(Visit({}, {}, call, reads, "", 5.0, form=form), "e")  # type: ignore[arg-type]
    request = {"EndpointName": "e", "Body": b"5,6", "ContentType": "text/csv", "Accept": "text/csv",
               "TargetVariant": "B", "TargetModel": "a.tar.gz"}  # fmt: skip
    assert sent[0] == ("sagemaker-runtime:InvokeEndpoint", request)
    assert shown.response is not None
    assert (shown.response.variant, shown.response.table) == ("B", [["1", "2"], ["3", "4"]])
