"""Experiments: trial components with their parameters and metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.listing import items_or_none, order_of
from local_sagemaker.studio.views.times import seconds

_COLUMNS = 6


@dataclass(frozen=True)
class ComponentRow:
    """A trial component."""

    name: str
    source: str
    status: str
    created: float | None
    parameters: dict[str, str]
    metrics: dict[str, float]
    href: str


@dataclass(frozen=True)
class ExperimentsContext:
    """What the page of experiments shows."""

    experiments: list[str] = field(metadata={"help": "names of the experiments"})
    experiment: str = field(metadata={"help": "the experiment that is shown, empty for all"})
    rows: list[ComponentRow] = field(metadata={"help": "its trial components, newest first"})
    parameters: list[str] = field(metadata={"help": "parameters that are columns"})
    metrics: list[str] = field(metadata={"help": "metrics that are columns"})
    next: str = field(metadata={"help": "the next page's token, empty on the last"})


def load(visit: Visit) -> ExperimentsContext:
    """ListExperiments and ListTrialComponents; each component of the page is described, no other."""
    summaries = items_or_none(visit, "sagemaker:ListExperiments", "ExperimentSummaries", 200, MaxResults=100)
    chosen = visit.value("experiment")
    request: dict[str, Any] = {"MaxResults": 50, **order_of(visit, "Name", "CreationTime")}
    if visit.value("token"):
        request["NextToken"] = visit.value("token")
    if chosen:
        request["ExperimentName"] = chosen
    response = visit.call("sagemaker:ListTrialComponents", request)
    names = [item["TrialComponentName"] for item in response["TrialComponentSummaries"]]
    bodies = (visit.optional("sagemaker:DescribeTrialComponent", {"TrialComponentName": name}) for name in names)
    rows = [_row(body) for body in bodies if body is not None]
    columns = list(dict.fromkeys(name for row in rows for name in row.parameters if not name.startswith("SageMaker.")))
    metrics = list(dict.fromkeys(name for row in rows for name in row.metrics))
    experiments = [item["ExperimentName"] for item in summaries]
    return ExperimentsContext(
        experiments, chosen, rows, columns[:_COLUMNS], metrics[:_COLUMNS], response.get("NextToken", "")
    )


def _row(item: dict[str, Any]) -> ComponentRow:
    parameters = {
        name: str(value.get("StringValue", value.get("NumberValue", "")))
        for name, value in item.get("Parameters", {}).items()
    }
    source = item.get("Source", {}).get("SourceArn", "")
    metrics = {metric["MetricName"]: metric["Last"] for metric in item.get("Metrics", []) if "Last" in metric}
    return ComponentRow(
        item["TrialComponentName"], source, item.get("Status", {}).get("PrimaryStatus", ""),
        seconds(item.get("CreationTime")), parameters, metrics,
        urls.resource(source),
    )  # fmt: skip


PAGE = Page("/experiments", load, "experiments.html", "Experiments")
