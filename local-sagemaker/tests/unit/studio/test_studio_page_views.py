"""The pure parts of the pages of monitoring, endpoints, builds and lineage, and of lists as CSV."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from local_sagemaker.errors import ValidationError
from local_sagemaker.ids import instant
from local_sagemaker.masking import MASK
from local_sagemaker.studio import urls
from local_sagemaker.studio.charts import trend as trend_chart
from local_sagemaker.studio.exports import export
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages import builds, delivery, endpoint, lineage, model_version, monitoring_schedule, search
from local_sagemaker.studio.pages.monitoring import run_prefix, schedule_of
from local_sagemaker.studio.views.build_log import find_failed_command
from local_sagemaker.studio.views.csv_text import csv_line
from local_sagemaker.studio.views.lineage_graph import Entity, walk
from local_sagemaker.studio.views.monitor_trend import MonitorFiles, drift_distance, read_trends
from local_sagemaker.studio.views.numbers import whole
from local_sagemaker.studio.views.rollout import make_policy, policy_in_words, rollout_of
from local_sagemaker.studio.views.violation_texts import violations_in_words
from model_checks.analysis import drift


def feature(name: str, values: list[float], missing: int = 0) -> dict[str, Any]:
    common = {"num_present": len(values), "num_missing": missing}
    kll = {"sketch": {"data": [sorted(values)]}}
    return {"name": name, "numerical_statistics": {"common": common, "distribution": {"kll": kll}}}


@pytest.mark.parametrize("shift", [0.0, 0.3, 4.0])
def test_distances_are_those_of_the_monitor(shift: float) -> None:
    draw = np.random.default_rng(2)
    left, right = feature("a", list(draw.normal(size=300))), feature("a", list(draw.normal(size=90) + shift))
    plain = drift.numeric_distance(left["numerical_statistics"], right["numerical_statistics"])
    assert drift_distance(left, right, is_robust=False) == pytest.approx(plain)
    assert drift_distance(left, right) == pytest.approx(drift.robust(plain, 300, 90))
    assert drift_distance(None, right) is None


def test_trends_have_baseline_and_bound_and_the_nearest_is_first() -> None:
    statistics = {"features": [feature("a", [1.0, 2, 3]), feature("b", [1.0, 2, 3])]}
    moved = {"features": [feature("a", [1.0, 2, 3]), feature("b", [9.0, 9, 9], missing=1)]}
    constraints = {
        "features": [{"name": "b", "completeness": 1.0}],
        "monitoring_config": {"distribution_constraints": {"comparison_threshold": 0.2, "comparison_method": "Simple"}},
    }
    trends = read_trends(
        "DataQuality", [MonitorFiles(2.0, moved), MonitorFiles(1.0, statistics)], statistics, constraints
    )
    first = trends[0]
    assert (first.name, first.baseline, first.bound, first.is_outside) == ("b", 0.0, 0.2, True)
    assert first.points == [(1.0, 0.0), (2.0, 1.0)]
    share = next(item for item in trends if item.measure.startswith("share"))
    assert (share.newest, share.bound, share.is_outside) == (0.75, 1.0, True)
    assert not next(item for item in trends if item.name == "a").is_outside
    drawn = trend_chart.draw(first.points, "<b>", first.baseline, first.bound, is_outside=True)
    assert "bound 0.2" in drawn
    assert "&lt;b&gt;" in drawn
    assert "dot c0 newest" in drawn


def test_labels_of_a_trend_are_apart() -> None:
    """Where the baseline is just below the bound, its label is on the other side of its line."""
    for newest, sides in ((0.12, [-4.0, -4.0]), (0.9, [11.0, -4.0])):
        drawn = trend_chart.draw([(0.0, newest)], "c", 0.0, 0.1)
        lines = [float(y) for y in re.findall(r'<line class="[^"]*" x1="[^"]*" x2="[^"]*" y1="([^"]*)"', drawn)]
        labels = [float(y) for y in re.findall(r'<text class="note" x="[^"]*" y="([^"]*)"', drawn)]
        assert [round(label - line, 1) for label, line in zip(labels, lines, strict=True)] == sides


def test_trends_of_models() -> None:
    quality = {"regression_metrics": {"mae": {"value": 2.0}, "r2": {"value": 0.7}}}
    bounds = {
        "regression_constraints": {
            "mae": {"threshold": 1.5, "comparison_operator": "GreaterThanThreshold"},
            "r2": {"threshold": 0.5, "comparison_operator": "LessThanThreshold"},
        }
    }
    trends = {item.name: item for item in read_trends("ModelQuality", [MonitorFiles(0.0, quality)], quality, bounds)}
    assert (trends["mae"].is_outside, trends["r2"].is_outside) == (True, False)
    analysis = {"explanations": {"kernel_shap": {"label0": {"global_shap_values": {"a": 3.0, "b": 1.0}}}}}
    other = {"explanations": {"kernel_shap": {"label0": {"global_shap_values": {"a": 0.1, "b": 9.0}}}}}
    score = read_trends("ModelExplainability", [MonitorFiles(0.0, other)], None, analysis)[0]
    assert (score.name, score.bound, score.baseline) == ("label0", 0.9, 1.0)
    assert score.is_outside
    facets = {"a": [{"value_or_threshold": "1", "metrics": [{"name": "CI", "value": -0.4}]}]}
    bias = read_trends(
        "ModelBias", [MonitorFiles(0.0, {"pre_training_bias_metrics": {"facets": facets}})], None,
        {"pre_training_bias_metrics": {"facets": facets}},
    )  # fmt: skip
    assert (bias[0].name, bias[0].newest, bias[0].bound) == ("CI of a 1", 0.4, 0.4)


@pytest.mark.parametrize(
    ("violation", "sentence"),
    [
        (
            {"feature_name": "c", "constraint_check_type": "baseline_drift_check",
             "description": "Baseline drift distance: 0.5 exceeds threshold: 0.1"},
            "c is distributed differently than in the baseline: 0.5 apart, 5 times what is allowed.",
        ),
        (
            {"metric_name": "mae", "constraint_check_type": "greater_than_threshold",
             "description": "Metric mae with 2.5 was GreaterThanThreshold '2.0'"},
            "mae is 2.5, 0.5 above its bound.",
        ),
        (
            {"feature_name": "c", "constraint_check_type": "completeness_check",
             "description": "Value: 0.5 does not meet the constraint requirement! "},
            "Only 50 % of the rows have a value for c.",
        ),
        ({"feature_name": "c", "constraint_check_type": "new_check", "description": "unknown"}, "unknown"),
    ],
)  # fmt: skip
def test_violations_are_sentences(violation: dict[str, str], sentence: str) -> None:
    (found,) = violations_in_words({"violations": [violation]})
    assert found.sentence == sentence
    assert found.text == violation["description"]


def test_rollouts_in_words() -> None:
    status = [{"Status": "Baking", "StatusMessage": "10% of the traffic goes to this variant's new version."}]
    canary = make_policy("CANARY", 10, 60, ["errors"])
    described = {
        "EndpointStatus": "Updating", "EndpointConfigName": "old", "LastDeploymentConfig": canary,
        "ProductionVariants": [{"VariantName": "A", "CurrentInstanceCount": 1, "DesiredInstanceCount": 1}],
        "PendingDeploymentSummary": {
            "EndpointConfigName": "new", "ProductionVariants": [{"VariantName": "A", "VariantStatus": status}],
        },
    }  # fmt: skip
    rollout = rollout_of(described)
    assert rollout is not None
    assert [(item.fleet, item.share) for item in rollout.fleets] == [("old", 90), ("new", 10)]
    assert (rollout.policy, rollout.alarms) == ("Canary: 10 % first, all of it after 1 min 00 s.", ["errors"])
    assert rollout_of({"EndpointStatus": "InService"}) is None
    assert policy_in_words(make_policy("LINEAR", 20, 5, [])).startswith("Linear: 20 % more every 5.0 s")
    assert policy_in_words({}).startswith("All at once")


def test_the_failed_command_of_a_build() -> None:
    agent = "[Container] 2026/11/29 13:34:46.1"
    lines = [f"{agent} Running command true", f"{agent} Running command cat x", "no such file",
             f"{agent} Command did not exit successfully cat x exit status 1", f"{agent} Phase complete"]  # fmt: skip
    failed = find_failed_command(lines)
    assert failed is not None
    assert (failed.command, failed.status, failed.output, failed.line) == ("cat x", 1, ["no such file"], 1)
    assert find_failed_command(lines[:2]) is None


def test_a_stage_that_was_not_entered_says_which_rule_was_not_met() -> None:
    rules = [
        {"ruleName": "Ready", "latestExecution": {"status": "Failed", "summary": "'waiting' EQ 'ready' is false"}},
        {"ruleName": "Open", "latestExecution": {"status": "Succeeded"}},
    ]
    entry = {"latestExecution": {"status": "Failed"}, "conditionStates": [{"ruleStates": rules}]}
    stage = {"stageName": "Staging", "latestExecution": {"status": "Skipped"}, "beforeEntryConditionState": entry}
    answer = {"stageStates": [{"stageName": "Source"}, stage]}
    visit = Visit({}, {}, lambda _name, _request: answer, None, "", 0.0)  # type: ignore[arg-type]
    assert [item.unmet for item in delivery.stages_of(visit, "p")] == [[], ["Ready: 'waiting' EQ 'ready' is false"]]


def test_a_stage_waits_for_the_person_that_its_approval_waits_for() -> None:
    def stage(**latest: str) -> dict[str, Any]:
        return {"stageName": "Staging", "actionStates": [{"actionName": "Approve", "latestExecution": latest}]}

    states = [stage(status="InProgress", token="t"), stage(status="InProgress"), stage(status="Succeeded", token="t")]
    visit = Visit({}, {}, lambda _name, _request: {"stageStates": states}, None, "", 0.0)  # type: ignore[arg-type]
    assert [item.waits for item in delivery.stages_of(visit, "p")] == [True, False, False]


def test_names_in_a_text_lead_to_their_pages() -> None:
    """ARNs and S3 URIs of failures and log lines; all of the text stays, in its order."""
    uri, arn = "s3://b/a/report.json", "arn:aws:sagemaker:us-east-1:1:endpoint/e"
    text = f"See {uri}. Then '{arn}', s3:// or arn:aws:unknown:x"
    parts = list(urls.find_links(text))
    assert "".join(part for part, _ in parts) == text
    assert [(part, href) for part, href in parts if href] == [
        (uri, "/_studio/s3/object?bucket=b&key=a%2Freport.json"), (arn, "/_studio/endpoints/e"),
    ]  # fmt: skip
    assert list(urls.find_links("plain")) == [("plain", "")]


def test_a_search_says_of_what_there_is_more() -> None:
    jobs = {"ProcessingJobSummaries": [{"ProcessingJobName": f"job-{number}"} for number in range(21)]}
    visit = visit_of(defaultdict(dict, {"sagemaker:ListProcessingJobs": jobs}), query={"q": ["job"]})
    found = search.load(visit)
    assert (len(found.hits), found.more) == (20, {"processing job": "/_studio/jobs?kind=processing&q=job"})


def test_lineage_is_in_order_of_distance() -> None:
    entities = {name: Entity(name, "data", name, f"s3://b/{name}") for name in "abcd"}
    above, below = walk(["x"], [("b", "x"), ("a", "b"), ("x", "c"), ("a", "x"), ("c", "d"), ("d", "c")], entities)
    assert [(item.name, item.distance) for item in above] == [("b", 1), ("a", 1)]
    assert [(item.name, item.distance) for item in below] == [("c", 1), ("d", 2)]


@pytest.mark.parametrize(
    ("arn", "page"),
    [
        ("arn:aws:lambda:us-east-1:1:function:echo", "/_studio/functions/echo"),
        ("arn:aws:codebuild:us-east-1:1:build/a:b", "/_studio/builds/a%3Ab"),
        ("arn:aws:codebuild:us-east-1:1:build-batch/a:b", "/_studio/batches/a%3Ab"),
        ("arn:aws:codepipeline:us-east-1:1:deploy/Stage", "/_studio/delivery/deploy"),
        ("arn:aws:sagemaker:us-east-1:1:monitoring-schedule/drift", "/_studio/monitoring/drift"),
        ("arn:aws:logs:us-east-1:1:log-group:/aws/x:*", "/_studio/logs?group=%2Faws%2Fx"),
        ("arn:aws:logs:us-east-1:1:log-group:/aws/x:log-stream:a", "/_studio/logs?group=%2Faws%2Fx&stream=a"),
        ("arn:aws:s3:::bucket/key", "/_studio/s3/object?bucket=bucket&key=key"),
        ("arn:aws:iam::1:role/x", ""),
    ],
)
def test_arns_lead_to_their_pages(arn: str, page: str) -> None:
    assert urls.resource(arn) == page


@dataclass(frozen=True)
class Row:
    name: str
    tags: list[str]


@dataclass(frozen=True)
class ListContext:
    rows: list[Row] = field(metadata={"help": "rows"})
    next: str = field(metadata={"help": "token"})


def test_a_list_as_csv_has_all_of_its_pages() -> None:
    def load(visit: Visit) -> ListContext:
        pages = {"": ([Row("=1+1", [])], "2"), "2": ([Row("b,c", ["x"])], "")}
        return ListContext(*pages[visit.value("token")])

    visit = Visit({}, {}, lambda _name, _request: {}, None, "", 0.0)  # type: ignore[arg-type]
    content = export(Page("/toys", load, "toys.html"), visit)
    assert not isinstance(content.body, bytes)
    assert b"".join(content.body).decode().splitlines() == ["name,tags", "'=1+1,[]", '"b,c","[""x""]"']
    assert content.name == "toys.csv"


@pytest.mark.parametrize(
    ("cell", "shown"),
    [("=1+1", "'=1+1"), ("\tx", "'\tx"), ("@a", "'@a"), ("-0.5", "-0.5"), ("+3", "+3"), ("-a", "'-a"), (-2, "-2"),
     ("a=1", "a=1")],
)  # fmt: skip
def test_cells_of_csv_are_no_formulas(cell: object, shown: str) -> None:
    assert csv_line([cell]).decode() == f"{shown}\r\n"
    assert csv_line(["\rx"]).decode() == '"\'\rx"\r\n'


def visit_of(answers: dict[str, dict[str, Any]], **values: Any) -> Visit:
    rest = {"path": {}, "query": {}, "reads": None, "region": "us-east-1", "now": 0.0, **values}
    return Visit(call=lambda name, _request: answers[name], **rest)


def test_secret_variables_of_a_build_are_nowhere_on_its_page() -> None:
    variables = [{"name": "API_TOKEN", "value": "hidden"}, {"name": "STAGE", "value": "test"}]
    build = {"id": "p:1", "buildStatus": "SUCCEEDED", "environment": {"environmentVariables": variables}}
    context = builds.load(visit_of({"codebuild:BatchGetBuilds": {"builds": [build]}}, path={"build": "p:1"}))
    assert context.environment == {"API_TOKEN": MASK, "STAGE": "test"}
    assert "hidden" not in repr(context.described)
    assert context.described["environment"]["environmentVariables"][1] == variables[1]


@pytest.mark.parametrize("text", ["inf", "nan", "1e999", "ten"])
def test_numbers_of_a_rollout_that_are_none_are_refused(text: str) -> None:
    visit = visit_of({}, path={"endpoint": "e"}, form={
        "action": ["update"], "config": ["c"], "strategy": ["CANARY"], "step": [text],
    })  # fmt: skip
    with pytest.raises(ValidationError, match="is no share"):
        endpoint.act(visit)


@pytest.mark.parametrize("text", ["²", "٣", "9" * 5000, "-1", "", "1.5"])
def test_what_is_no_number_is_the_default(text: str) -> None:
    assert whole(text, 7) == 7
    answers: dict[str, dict[str, Any]] = {
        "sagemaker:ListEndpoints": {"Endpoints": []}, "sagemaker:ListModelPackageGroups": {}
    }  # fmt: skip
    assert lineage.load(visit_of(answers, query={"depth": [text]})).depth == 1


def test_a_run_by_hand_belongs_to_its_schedule_though_its_name_has_not_all_of_it() -> None:
    long = "a" * 62
    schedules = ["a", "b", f"{long}1", f"{long}2"]
    for schedule in schedules:
        run = f"{run_prefix(schedule)}{instant(1790000000.123)}"
        assert len(run) <= 63
        assert schedule_of(run, schedules) == schedule
    assert schedule_of("a-now-1790000000", schedules) == "a"
    assert schedule_of("a-now-soon", schedules) == "a-now-soon"
    assert schedule_of("deleted-now-1790000000", schedules) == "deleted-now-1790000000"


@pytest.mark.parametrize("page", [monitoring_schedule, model_version])
def test_what_is_made_twice_in_one_second_has_two_names(page: Any) -> None:
    """Run now and Deploy, by two people or in two windows: the second is no "already existing"."""
    made: list[str] = []
    package = {
        "ModelPackageGroupName": "g" * 63,
        "ModelPackageGroupArn": "arn:g",
        "ModelPackageVersion": 7,
        "ModelPackageArn": "arn:p/g/7",
    }
    answers: dict[str, dict[str, Any]] = {
        "sagemaker:DescribeMonitoringSchedule": {
            "MonitoringScheduleName": "a" * 63, "MonitoringScheduleConfig": {"MonitoringType": "DataQuality"}
        },
        "sagemaker:DescribeModelPackageGroup": package,
        "sagemaker:DescribeModelPackage": package,
    }  # fmt: skip

    def call(name: str, request: Any) -> dict[str, Any]:
        if name in ("sagemaker:CreateMonitoringSchedule", "sagemaker:CreateEndpointConfig"):
            made.append(request.get("MonitoringScheduleName") or request["EndpointConfigName"])
        return answers.get(name, {})

    reads = SimpleNamespace(settings=SimpleNamespace(role_arn="arn:aws:iam::123456789012:role/r"))
    path = {"schedule": "a" * 63, "group": "g" * 63, "version": "7"}
    action = "run" if page is monitoring_schedule else "deploy"
    form = {"action": [action], "endpoint": ["e"]}
    for now in [1790000000.0, *(1790000000.1 + number / 1000 for number in range(10))]:
        page.act(Visit(path, {}, call, reads, "us-east-1", now, "", form))  # type: ignore[arg-type]
    assert len(set(made)) == len(made) == 11
    assert max(map(len, made)) <= 63


def test_commands_of_a_schedule_have_no_secrets_of_its_definition() -> None:
    """Of one that was made with its definition in place: its variables stand in Run now, in Change and in Describe."""
    variables = {"API_TOKEN": "hidden", "STAGE": "test"}
    config = {
        "MonitoringType": "DataQuality", "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
        "MonitoringJobDefinition": {"Environment": variables, "BaselineConfig": {}},
    }  # fmt: skip
    body = {
        "MonitoringScheduleName": "s", "MonitoringScheduleArn": "arn:s", "MonitoringScheduleStatus": "Scheduled",
        "MonitoringScheduleConfig": config, "CreationTime": 1.0,
    }  # fmt: skip

    def load(**query: list[str]) -> monitoring_schedule.ScheduleContext:
        answers = {"sagemaker:DescribeMonitoringSchedule": body}
        visit = Visit({"schedule": "s"}, query, lambda name, _: answers.get(name, {}), None, "us-east-1", 5.0)  # type: ignore[arg-type]
        return monitoring_schedule.load(visit)

    commands = load().commands
    for name in ("run now", "change"):
        assert "hidden" not in commands[name], name
        assert MASK in commands[name], name
        assert "test" in commands[name], name
    assert "hidden" in load(secrets=["1"]).commands["run now"], "where the address wants it"
