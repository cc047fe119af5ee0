"""The search field: any name, execution id, ARN or S3 URI to its page."""

from __future__ import annotations

from dataclasses import dataclass, field

from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.jobs import LISTS
from local_sagemaker.studio.pages.listing import items_or_none


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


def load(visit: Visit) -> SearchContext:
    """The List operations with NameContains, and executions by their id."""
    text = visit.value("q").strip()
    if not text:
        return SearchContext("", [])
    if urls.resource(text):
        return SearchContext(text, [SearchHit("resource", text, urls.resource(text))])
    hits = [*_executions(visit, text), *_find_by_name(visit, text)]
    return SearchContext(text, hits)


def _executions(visit: Visit, text: str) -> list[SearchHit]:
    hits = []
    for pipeline in items_or_none(visit, "sagemaker:ListPipelines", "PipelineSummaries", 200, MaxResults=100):
        name, arn = pipeline["PipelineName"], pipeline["PipelineArn"]
        if text.lower() in name.lower():
            hits.append(SearchHit("pipeline", name, urls.to("pipelines", name)))
        if len(text) == 12 and visit.optional(
            "sagemaker:DescribePipelineExecution", {"PipelineExecutionArn": f"{arn}/execution/{text}"}
        ):
            hits.append(SearchHit("execution", f"{name} {text}", urls.to("pipelines", name, "executions", text)))
    return hits


def _find_by_name(visit: Visit, text: str) -> list[SearchHit]:
    hits = []
    for kind, (operation, member, noun) in LISTS.items():
        for item in items_or_none(visit, operation, member, 20, NameContains=text[:63], MaxResults=20):
            name = item[f"{noun}Name"]
            hits.append(SearchHit(f"{kind} job", name, urls.to("jobs", kind, name)))
    for kind, operation, member, key, place in (
        (
            "model group",
            "sagemaker:ListModelPackageGroups",
            "ModelPackageGroupSummaryList",
            "ModelPackageGroupName",
            "models",
        ),
        ("endpoint", "sagemaker:ListEndpoints", "Endpoints", "EndpointName", "endpoints"),
    ):
        for item in items_or_none(visit, operation, member, 20, NameContains=text[:63], MaxResults=20):
            hits.append(SearchHit(kind, item[key], urls.to(place, item[key])))
    for item in items_or_none(visit, "s3:ListBuckets", "Buckets", 100):
        if text.lower() in item["Name"]:
            hits.append(SearchHit("bucket", item["Name"], urls.to("s3", bucket=item["Name"])))
    return hits


PAGE = Page("/search", load, "search.html")
