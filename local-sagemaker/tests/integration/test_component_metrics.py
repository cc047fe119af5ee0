"""Metrics that clients put for trial components, with unmodified boto3."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

from tests.support import Service


def test_values_are_shown_with_their_statistics(service: Service) -> None:
    sagemaker, metrics = service.client("sagemaker"), service.client("sagemaker-metrics")
    arn = sagemaker.create_trial_component(TrialComponentName="run-1")["TrialComponentArn"]
    moment = int(time.time())
    values = [
        {"MetricName": name, "Timestamp": moment + step, "Step": step, "Value": value}
        for name, series in (("loss", (4.0, 1.0, 2.5)), ("auc", (0.5,)))
        for step, value in enumerate(series)
    ]
    assert "Errors" not in metrics.batch_put_metrics(TrialComponentName="run-1", MetricData=values)
    shown = {
        one["MetricName"]: one for one in sagemaker.describe_trial_component(TrialComponentName="run-1")["Metrics"]
    }
    assert list(shown) == ["loss", "auc"]
    loss = shown["loss"]
    assert (loss["SourceArn"], int(loss["TimeStamp"].timestamp())) == (arn, moment + 2)
    assert [loss[name] for name in ("Count", "Min", "Max", "Last", "Avg")] == [3, 1.0, 4.0, 2.5, 2.5]
    assert loss["StdDev"] == pytest.approx(1.5**0.5)
    expression = {"Filters": [{"Name": "Metrics.loss.Min", "Operator": "LessThanOrEqualTo", "Value": "1"}]}
    found = sagemaker.search(Resource="ExperimentTrialComponent", SearchExpression=expression)["Results"]
    assert [one["TrialComponent"]["TrialComponentName"] for one in found] == ["run-1"]
    query = {"MetricName": "loss", "ResourceArn": arn, "Period": "IterationNumber", "XAxisType": "IterationNumber"}
    queries = [{**query, "MetricStat": "Last"}, {**query, "MetricStat": "Max", "Start": 1, "End": 1}]
    curve, second = metrics.batch_get_metrics(MetricQueries=queries)["MetricQueryResults"]
    assert (curve["XAxisValues"], curve["MetricValues"]) == ([0, 1, 2], [4.0, 1.0, 2.5])
    assert (second["XAxisValues"], second["MetricValues"]) == ([1], [1.0])
    sagemaker.delete_trial_component(TrialComponentName="run-1")
    sagemaker.create_trial_component(TrialComponentName="run-1")
    assert sagemaker.describe_trial_component(TrialComponentName="run-1")["Metrics"] == []


def test_values_that_are_not_valid_are_named(service: Service) -> None:
    sagemaker, metrics = service.client("sagemaker"), service.client("sagemaker-metrics")
    arn = sagemaker.create_trial_component(TrialComponentName="run-2")["TrialComponentArn"]
    good = {"MetricName": "loss", "Timestamp": time.time(), "Value": 1.0}
    old = {**good, "Timestamp": time.time() - 15 * 86400}
    answer = metrics.batch_put_metrics(TrialComponentName="run-2", MetricData=[good, old])
    assert answer["Errors"] == [{"Code": "VALIDATION_ERROR", "MetricIndex": 1}]
    assert [one["Count"] for one in sagemaker.describe_trial_component(TrialComponentName="run-2")["Metrics"]] == [1]
    absent = metrics.batch_put_metrics(TrialComponentName="no-run", MetricData=[good])
    assert absent["Errors"] == [{"Code": "VALIDATION_ERROR", "MetricIndex": 0}]
    query = {
        "MetricName": "loss",
        "ResourceArn": arn,
        "MetricStat": "Avg",
        "Period": "OneHour",
        "XAxisType": "Timestamp",
    }
    with pytest.raises(ClientError, match="not supported by the local service, which has IterationNumber"):
        metrics.batch_get_metrics(MetricQueries=[query])
