"""The versions of a pipeline: their aliases, and what a version changed in the one before it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.masking import Hide, number_secrets
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.compare import flatten
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.views.numbers import whole
from local_sagemaker.studio.views.times import seconds

_MOST = 500


@dataclass(frozen=True)
class PipelineVersionRow:
    """A version of the pipeline."""

    number: int
    created: float | None
    aliases: list[str]
    description: str
    last: str


@dataclass(frozen=True)
class VersionChange:
    """A member of the definition that two versions have differently; "" where one does not have it."""

    path: str
    was: str
    now: str


@dataclass(frozen=True)
class VersionChanges:
    """What the version `number` changed in `before`. `total`: all changes, of which the first 500 are here."""

    number: int
    before: int
    rows: list[VersionChange]
    total: int


def versions_of(visit: Visit, pipeline: str) -> list[PipelineVersionRow]:
    """ListPipelineVersions, newest first."""
    summaries = items_or_none(
        visit, "sagemaker:ListPipelineVersions", "PipelineVersionSummaries", 500, PipelineName=pipeline, MaxResults=100
    )
    return [
        PipelineVersionRow(
            item["PipelineVersionId"], seconds(item.get("CreationTime")), item.get("PipelineVersionAliases", []),
            item.get("PipelineVersionDescription", ""), item.get("LastExecutionPipelineExecutionArn", ""),
        )
        for item in summaries
    ]  # fmt: skip


def changes_of(visit: Visit, pipeline: str, versions: list[PipelineVersionRow]) -> VersionChanges | None:
    """What the version of the address changed; None without one, and for the first."""
    number = whole(visit.value("version"), 0)
    before = max((item.number for item in versions if item.number < number), default=0)
    if not before or number not in [item.number for item in versions]:
        return None
    try:
        hide = number_secrets()
        was, now = (_members(visit, pipeline, item, hide) for item in (before, number))
    except ServiceError:
        return None  # deleted since
    rows = [
        VersionChange(path, was.get(path, ""), now.get(path, ""))
        for path in dict.fromkeys([*was, *now])
        if was.get(path) != now.get(path)
    ]
    return VersionChanges(number, before, rows[:_MOST], len(rows))


def _members(visit: Visit, pipeline: str, number: int, hide: Hide) -> dict[str, str]:
    request = {"PipelineName": pipeline, "PipelineVersionId": number}
    definition: dict[str, Any] = json.loads(visit.call("sagemaker:DescribePipeline", request)["PipelineDefinition"])
    return flatten(definition, "Parameters") | flatten(visit.screen(definition, hide))


def name_version(visit: Visit, pipeline: str, arn: str) -> str:
    """Gives a version the aliases and the description of the form."""
    number = whole(visit.field("version"), 0)
    wanted = [word.strip() for word in visit.field("aliases").split(",") if word.strip()]
    known = {item.number: item for item in versions_of(visit, pipeline)}
    has = known[number].aliases if number in known else []
    request: dict[str, Any] = {
        "PipelineArn": arn, "PipelineVersionId": number, "PipelineVersionDescription": visit.field("description"),
    }  # fmt: skip
    changes = {
        "Add": [word for word in wanted if word not in has],
        "Remove": [word for word in has if word not in wanted],
    }
    operations = {name: words for name, words in changes.items() if words}
    if operations:
        request["PipelineVersionAliasOperations"] = operations
    visit.call("sagemaker:UpdatePipelineVersion", request)
    return urls.to("pipelines", pipeline, tab="versions")
