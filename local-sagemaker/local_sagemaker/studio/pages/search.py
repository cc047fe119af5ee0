"""The search field: any name, execution id, ARN or S3 URI to its page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.jobs import LISTS
from local_sagemaker.studio.pages.listing import items_or_none

_MOST = 20
_PIPELINES = 1_000
"""So many are looked at: ListPipelines finds by the beginning of a name only."""
_OTHERS = (
    (
        "model group", "sagemaker:ListModelPackageGroups", "ModelPackageGroupSummaryList", "ModelPackageGroupName",
        ("models",), "",
    ),
    ("endpoint", "sagemaker:ListEndpoints", "Endpoints", "EndpointName", ("endpoints",), ""),
)  # fmt: skip


@dataclass(frozen=True)
class SearchHit:
    """Something whose name has the text."""

    kind: str
    name: str
    href: str


@dataclass(frozen=True)
class SearchContext:
    """What the search shows."""

    text: str = field(metadata={"help": "what is searched"})
    hits: list[SearchHit] = field(metadata={"help": "what was found, at most twenty of a kind"})
    more: dict[str, str] = field(metadata={"help": "of which kinds there is more, with the page that has all of it"})


def load(visit: Visit) -> SearchContext:
    """The List operations with NameContains, and executions by their id."""
    text = visit.value("q").strip()
    if not text:
        return SearchContext("", [], {})
    if urls.resource(text):
        return SearchContext(text, [SearchHit("resource", text, urls.resource(text))], {})
    named, more = _find_by_name(visit, text)
    pipelines = items_or_none(visit, "sagemaker:ListPipelines", "PipelineSummaries", _PIPELINES + 1, MaxResults=100)
    if len(pipelines) > _PIPELINES:
        more["pipeline"] = urls.to("pipelines")
    return SearchContext(text, [*_executions(visit, text, pipelines[:_PIPELINES]), *named], more)


def _executions(visit: Visit, text: str, pipelines: list[dict[str, Any]]) -> list[SearchHit]:
    """Pipelines by a part of their name, executions by their whole id."""
    hits = []
    for pipeline in pipelines:
        name, arn = pipeline["PipelineName"], pipeline["PipelineArn"]
        if text.lower() in name.lower():
            hits.append(SearchHit("pipeline", name, urls.to("pipelines", name)))
        if len(text) == 12 and visit.optional(
            "sagemaker:DescribePipelineExecution", {"PipelineExecutionArn": f"{arn}/execution/{text}"}
        ):
            hits.append(SearchHit("execution", f"{name} {text}", urls.to("pipelines", name, "executions", text)))
    return hits


def _find_by_name(visit: Visit, text: str) -> tuple[list[SearchHit], dict[str, str]]:
    """What List operations find, and the kinds of which they find more than is shown."""
    hits, more = [], {}
    name = text[:63]
    listed = [
        (f"{kind} job", operation, member, f"{noun}Name", ("jobs", kind), urls.to("jobs", kind=kind, q=name))
        for kind, (operation, member, noun) in LISTS.items()
    ]
    for kind, operation, member, key, place, all_of_it in (*listed, *_OTHERS):
        items = items_or_none(visit, operation, member, _MOST + 1, NameContains=name, MaxResults=_MOST + 1)
        hits += [SearchHit(kind, item[key], urls.to(*place, item[key])) for item in items[:_MOST]]
        if len(items) > _MOST:
            more[kind] = all_of_it or urls.to(*place, q=name)
    for item in items_or_none(visit, "s3:ListBuckets", "Buckets"):
        if text.lower() in item["Name"]:
            hits.append(SearchHit("bucket", item["Name"], urls.to("s3", bucket=item["Name"])))
    return hits, more


PAGE = Page("/search", load, "search.html")
