"""What things cost on AWS: the worked example, old and missing prices, an execution's steps."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from delivery.cost import (
    DeliveryUse,
    EndpointUse,
    MonitorUse,
    estimate_delivery,
    estimate_endpoint,
    estimate_monitors,
)
from delivery.project.command import main
from pipelines.cost import prices
from pipelines.cost.run import estimate_run, own_parameters

TODAY = date(2026, 12, 1)
START = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def table() -> prices.PriceTable:
    return prices.load(today=TODAY)


def test_the_worked_example(table: prices.PriceTable, capsys: pytest.CaptureFixture[str]) -> None:
    """DEL-48: an endpoint 84 a month, four hourly monitors of six jobs 83, daily ones 3.5; the command prints them."""
    endpoint = estimate_endpoint(EndpointUse("ml.m5.large"), table)
    hourly = estimate_monitors(MonitorUse(runs_per_day=24), table)
    daily = estimate_monitors(MonitorUse(runs_per_day=1), table)
    assert round(endpoint.cost(endpoint.items[0])) == 84
    assert round(hourly.cost(hourly.items[0])) == 83
    assert daily.cost(daily.items[0]) == pytest.approx(3.45)
    with mock.patch.dict(os.environ):
        for words in (["endpoint"], ["monitors", "--runs-per-day", "24"], ["monitors", "--runs-per-day", "1"]):
            assert main(["cost", *words, "--region", "us-east-1"]) == 0
    printed = capsys.readouterr().out
    for line in ("instances all the time: USD 83.95", "jobs: USD 82.80", "jobs: USD 3.45"):
        assert line in printed


def test_an_update_has_two_fleets_and_explainability_an_endpoint_of_its_own(table: prices.PriceTable) -> None:
    still = estimate_endpoint(EndpointUse(count=2, updates=0), table).total
    shifting = estimate_endpoint(EndpointUse(count=2, updates=6, shift_minutes=30), table).total
    assert shifting - still == pytest.approx(2 * 3 * 0.115)
    native, portable = (estimate_monitors(MonitorUse(portable=flag), table).total for flag in (False, True))
    assert portable - native == pytest.approx(2 * 720 / 6 * 0.115)  # nine jobs against six and an endpoint
    assert estimate_monitors(MonitorUse(("DataQuality",)), table).total == pytest.approx(720 / 6 * 0.115)


def test_the_first_hundred_minutes_are_free(table: prices.PriceTable) -> None:
    few = estimate_delivery(DeliveryUse(commits=4, build_minutes=20, action_minutes=25, alarms=0, gigabytes=0), table)
    assert few.total == 0
    more = estimate_delivery(DeliveryUse(commits=10, build_minutes=20, action_minutes=25, alarms=0), table)
    assert more.total == pytest.approx(100 * 0.005 + 150 * 0.002 + 5 * 0.023)


def test_every_price_has_a_source_and_a_date() -> None:
    for price in prices.load().prices:
        assert price.price > 0 and price.unit and price.source and price.date <= datetime.now(UTC).date(), price
    pairs = [(price.item, price.region) for price in prices.load().prices]
    assert len(pairs) == len(set(pairs))


def test_old_prices_warn_and_foreign_ones_are_named() -> None:
    newest = max(price.date for price in prices.load().prices)
    fresh = estimate_endpoint(EndpointUse(), prices.load("eu-west-1", today=newest))
    assert not fresh.warnings()
    assert any("prices are those of us-east-1" in line and "eu-west-1" in line for line in fresh.lines())
    old = estimate_endpoint(EndpointUse(), prices.load(today=newest + timedelta(days=181)))
    (warning,) = old.warnings()
    assert "older than 180 days: ml.m5.large" in warning
    assert any(warning in line for line in old.lines())


def test_the_region_s_own_price_is_preferred() -> None:
    own = prices.Price("ml.m5.large", "eu-west-1", "hour", 0.128, "test", TODAY, True)
    table = prices.PriceTable([*prices.load().prices, own], "eu-west-1", TODAY)
    assert table.find("ml.m5.large") is own
    assert list(table.remarks(["ml.m5.large"])) == []


def step(name: str, kind: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "Arguments": arguments, **more}


def ran(seconds: float, **more: Any) -> dict[str, Any]:
    return {"StepStatus": "Succeeded", "StartTime": START, "EndTime": START + timedelta(seconds=seconds), **more}


CLUSTER = {"InstanceType": {"Get": "Parameters.Instance"}, "InstanceCount": 2, "VolumeSizeInGB": 30}
DEFINITION = {
    "Parameters": [{"Name": "Instance", "Type": "String", "DefaultValue": "ml.m5.large"}],
    "Steps": [
        step("Prepare", "Processing", {"ProcessingResources": {"ClusterConfig": CLUSTER}}),
        step("Train", "Training", {"ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}}),
        step("Cached", "Training", {"ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}}),
        step("Score", "Transform", {"TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}}),
        step(
            "Bias", "ClarifyCheck",
            {"ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1}}},
            CheckType="MODEL_BIAS",
        ),
        step("Gpu", "Training", {"ResourceConfig": {"InstanceType": "ml.unknown", "InstanceCount": 1}}),
        step("Notify", "Lambda", {}),
        step("Gate", "Condition", {"Conditions": [], "IfSteps": [
            step("Tune", "Tuning", {
                "HyperParameterTuningJobConfig": {"ResourceLimits": {"MaxParallelTrainingJobs": 3}},
                "TrainingJobDefinition": {"ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}},
            }),
        ], "ElseSteps": []}),
    ],
}  # fmt: skip
RUN = {
    "Prepare": ran(1800), "Train": ran(3600), "Cached": ran(3600, CacheHitResult={"SourcePipelineExecutionArn": "a"}),
    "Bias": ran(360), "Gpu": ran(3600), "Notify": ran(2), "Gate": ran(1), "Tune": ran(1200),
}  # fmt: skip


def test_a_run_is_the_sum_over_the_jobs_that_really_ran(table: prices.PriceTable) -> None:
    values = {"Parameters.Instance": '"ml.m5.xlarge"', "Steps.Train.Outcome": "x"}
    estimate = estimate_run(DEFINITION, RUN, own_parameters(values), table)
    hours = {item.item: item.amount for item in estimate.items}
    assert hours["ml.m5.xlarge"] == pytest.approx(2 * 0.5 + 1 + 3 / 3)  # prepared, trained, tuned; never the cached one
    assert hours["ml.c5.xlarge"] == pytest.approx(2 * 0.1)  # the job's instance, and that of its endpoint
    assert hours["instance storage"] == pytest.approx(0.5 / 730 * 30 * 2)
    assert estimate.total == pytest.approx(3 * 0.23 + 0.2 * 0.204 + 30 / 730 * 0.14)
    text = "\n".join(estimate.lines())
    assert "Gpu is not counted: the table has no price of ml.unknown" in text
    assert "Notify is not counted" in text
    assert "180.0 min of ml.m5.xlarge" in estimate.summarize()
    longer = estimate_run(DEFINITION, RUN, own_parameters(values), table, minutes=120)
    assert {item.item: item.amount for item in longer.items}["ml.m5.xlarge"] == pytest.approx(2 * 2 + 2 + 3 * 2)
    assert "ml.m5.large" in {item.item for item in estimate_run(DEFINITION, RUN, {}, table).items}  # the default


def test_the_command_prints_a_project_s_month_with_its_assumptions(capsys: pytest.CaptureFixture[str]) -> None:
    with mock.patch.dict(os.environ):
        assert main(["cost", "--region", "us-east-1"]) == 0
        printed = capsys.readouterr().out
        for text in ("Endpoint of staging: USD 84", "Endpoint of production", "Delivery: USD", "no autoscaling"):
            assert text in printed
        assert main(["cost", "monitors", "--runs-per-day", "1", "--portable", "--region", "us-east-1"]) == 0
        assert "USD 5.17 per month" in capsys.readouterr().out
        assert main(["cost", "run", "--region", "us-east-1"]) == 1
        assert "takes the ARN of an execution" in capsys.readouterr().err
        assert main(["cost", "run", "arn:mine", "--region", "us-east-1"]) == 1
        assert "arn:mine is no ARN of an execution; one is like" in capsys.readouterr().err
        words = ["cost", "endpoint", "--instance-type", "ml.none", "--region", "us-east-1"]
        assert main(words) == 1
        assert "no price of ml.none" in capsys.readouterr().err
        assert main(["cost", "endpoint", "--instance-type", "ml.t2.medium", "--region", "us-east-1"]) == 1
        assert "no price of ml.t2.medium in us-east-1: add one with its source" in capsys.readouterr().err
