"""The switches of the checks: chosen per check from the latest approved version, against moto's registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipelines import switches
from tests.project.building import stock

GROUP = "AbalonePackageGroup"
SOURCE = {"ContentType": "application/json", "S3Uri": "s3://b/k.json"}
ALL = {
    "ModelDataQuality": {"Statistics": SOURCE, "Constraints": SOURCE},
    "ModelQuality": {"Statistics": SOURCE, "Constraints": SOURCE},
    "Bias": {"PreTrainingConstraints": SOURCE, "PostTrainingConstraints": SOURCE, "ConfigFile": SOURCE},
    "Explainability": {"Constraints": SOURCE},
}


@pytest.fixture
def sagemaker() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("sagemaker")


def register(sagemaker: Any, status: str, baselines: dict[str, Any]) -> None:
    if not sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]:
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    sagemaker.create_model_package(
        ModelPackageGroupName=GROUP, ModelApprovalStatus=status, DriftCheckBaselines=baselines
    )


def compared(sagemaker: Any) -> dict[str, bool]:
    return {choice.step: choice.compare for choice in switches.choose(stock(), sagemaker)}


def test_without_an_approved_version_all_ten_switches_are_on(sagemaker: Any) -> None:
    for _ in ("no group", "only versions that are not approved"):
        choices = switches.choose(stock(), sagemaker)
        values = {name: value for choice in choices for name, value in choice.values().items()}
        assert len(values) == 10 and all(values.values())
        assert all(name.startswith(("Skip", "RegisterNew")) for name in values)
        assert "has no approved version" in choices[0].reason
        register(sagemaker, "PendingManualApproval", ALL)


def test_with_an_approved_version_all_ten_are_off(sagemaker: Any) -> None:
    register(sagemaker, "Approved", ALL)
    values = {name: value for choice in switches.choose(stock(), sagemaker) for name, value in choice.values().items()}
    assert len(values) == 10 and not any(values.values())


@pytest.mark.parametrize(
    ("check", "kind", "field"),
    [
        ("DataQualityCheckStep", "ModelDataQuality", "Statistics"),
        ("DataQualityCheckStep", "ModelDataQuality", "Constraints"),
        ("ModelQualityCheckStep", "ModelQuality", "Constraints"),
        ("DataBiasCheckStep", "Bias", "PreTrainingConstraints"),
        ("ModelBiasCheckStep", "Bias", "PostTrainingConstraints"),
        ("ModelExplainabilityCheckStep", "Explainability", "Constraints"),
    ],
)
def test_a_check_whose_baseline_is_missing_is_skipped_alone(sagemaker: Any, check: str, kind: str, field: str) -> None:
    rest = {name: source for name, source in ALL[kind].items() if name != field}
    register(sagemaker, "Approved", {**ALL, kind: rest})
    assert [name for name, compare in compared(sagemaker).items() if not compare] == [check]


def test_a_supplied_baseline_is_compared_with_in_this_execution(sagemaker: Any) -> None:
    choices = switches.choose(stock(), sagemaker)
    given = {"DataBiasSuppliedBaselineConstraints": "s3://b/c", "DataQualitySuppliedConstraints": "s3://b/d"}
    supplied = {c.step for c in switches.with_supplied(choices, stock(), given) if c.compare}
    assert supplied == {"DataBiasCheckStep"}  # data quality also needs the statistics


def test_explanations_name_the_reason_and_what_was_given(sagemaker: Any) -> None:
    (choice, *_) = switches.choose(stock(), sagemaker)
    assert "skip the comparison" in switches.explain(choice, {})
    assert switches.explain(choice, {"SkipDataQualityCheck": "False"}).endswith("SkipDataQualityCheck=False as given")
