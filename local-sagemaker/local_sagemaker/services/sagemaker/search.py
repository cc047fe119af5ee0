"""Search over all resource types that exist here; what is searched is what Describe returns, with the tags.

Its types are the kinds of `records.kinds` that have a name in Search, and the versions of pipelines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.records import Records, kinds
from local_sagemaker.records.kinds import KINDS, ResourceKind
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.sagemaker.experiments import ASSOCIATION
from local_sagemaker.services.sagemaker.listing import page, pick
from local_sagemaker.services.sagemaker.search_filters import check, matches, values
from local_sagemaker.services.sagemaker.search_properties import check_names
from local_sagemaker.services.sagemaker.tags import Tags


@dataclass(frozen=True)
class Searched:
    """A resource type: its member in a search record, its record kind, and how one is described."""

    member: str
    kind: str
    arn: str
    describe: str = ""
    named: str = ""  # The member of the record that the describing operation takes.


_DESCRIBED = (
    kinds.TRAINING_JOB, kinds.TUNING_JOB, kinds.TRIAL_COMPONENT, kinds.ENDPOINT, kinds.PIPELINE,
    kinds.PIPELINE_EXECUTION,
)  # fmt: skip
"""Kinds whose records don't hold all that Describe returns."""
_NAMED = {kinds.PIPELINE_EXECUTION: kinds.PIPELINE_EXECUTION.arn}
"""Which member the describing operation takes, where that is not the name."""


def _to_searched(kind: ResourceKind) -> Searched:
    describe = kind.describe if kind in _DESCRIBED else ""
    return Searched(kind.noun, kind.kind, kind.arn, describe, _NAMED.get(kind, kind.name))


SEARCHED: dict[str, Searched] = {kind.search: _to_searched(kind) for kind in KINDS.values() if kind.search} | {
    "PipelineVersion": Searched("PipelineVersion", "pipeline-version", "PipelineArn")
}


class Search(Resource):
    """Search and GetSearchSuggestions."""

    def __init__(self, *, records: Records, tags: Tags, call: Call) -> None:
        self._records = records
        self._tags = tags
        self._call = call

    @operation("Search")
    def search(self, request: Request) -> Response:
        """Resources that satisfy the expression, last modified first unless requested otherwise."""
        searched = self._find_searched(request)
        if request.get("CrossAccountFilterOption") == "CrossAccount":
            return {"Results": [], "TotalHits": {"Value": 0, "Relation": "EqualTo"}}
        if "SearchExpression" in request:
            check(request["SearchExpression"])
        check_names(searched.member, request)
        bodies = list(self._bodies(searched))
        if "SearchExpression" in request:
            bodies = [body for body in bodies if matches(request["SearchExpression"], body)]
        for condition in request.get("VisibilityConditions", ()):
            bodies = [body for body in bodies if condition.get("Value") in values(body, condition.get("Key", ""))]
        chosen, token = page(_sort(bodies, request), request)
        results = [{searched.member: {"Model": body} if searched.member == "Model" else body} for body in chosen]
        return {"Results": results, "TotalHits": {"Value": len(bodies), "Relation": "EqualTo"}, **token}

    @operation("GetSearchSuggestions")
    def suggest(self, request: Request) -> Response:
        """Names of properties that the resources have and that begin with the hint."""
        hint = request.get("SuggestionQuery", {}).get("PropertyNameQuery", {}).get("PropertyNameHint", "")
        names = {name for body in self._bodies(self._find_searched(request)) for name in _paths(body)}
        suggestions = sorted(name for name in names if name.lower().startswith(hint.lower()))
        return {"PropertyNameSuggestions": [{"PropertyName": name} for name in suggestions[:100]]}

    def _find_searched(self, request: Request) -> Searched:
        searched = SEARCHED.get(request["Resource"])
        if searched is None:
            raise ValidationError(
                f"The local service has no resources of type {request['Resource']} to search; "
                f"it has {', '.join(SEARCHED)}."
            )
        return searched

    def _bodies(self, searched: Searched) -> Iterator[Body]:
        parents: dict[str, list[Body]] = {}
        if searched.member == "TrialComponent":
            for place in self._records.list(ASSOCIATION):
                parents.setdefault(place["TrialComponentName"], []).append(pick(place, "TrialName", "ExperimentName"))
        for record in self._records.list(searched.kind):
            body = public(record)
            if searched.describe:
                try:
                    body = self._call(f"sagemaker:{searched.describe}", {searched.named: record[searched.named]})
                except ServiceError:
                    continue  # Deleted since it was listed.
            tags = self._tags.of(body[searched.arn])
            body = {**body, **({"Tags": tags} if tags else {}), **self._link(searched, body)}
            body.pop("PipelineDefinition", None)
            if body.get("TrialComponentName") in parents:
                body["Parents"] = parents[body["TrialComponentName"]]
            yield body

    def _link(self, searched: Searched, body: Body) -> Body:
        """What only Search says: the parameters of an execution, the components of a trial."""
        if searched.member == "PipelineExecution":
            request = {"PipelineExecutionArn": body["PipelineExecutionArn"], "MaxResults": 100}
            return pick(self._call("sagemaker:ListPipelineParametersForExecution", request), "PipelineParameters")
        if searched.member == "Trial":
            places = self._records.list(ASSOCIATION, f"{body['TrialName'].lower()}/")
            names = [place["TrialComponentName"] for place in places]
            return {"TrialComponentSummaries": [self._component(name) for name in names]}
        return {}

    def _component(self, name: str) -> Body:
        body = self._call("sagemaker:DescribeTrialComponent", {"TrialComponentName": name})
        source = {"TrialComponentSource": body["Source"]} if "Source" in body else {}
        return pick(body, "TrialComponentName", "TrialComponentArn", "CreationTime", "CreatedBy") | source


def _sort(bodies: list[Body], request: Request) -> list[Body]:
    """By a property of any depth; resources without it come last."""
    by = request.get("SortBy", "LastModifiedTime")

    def key(body: Body) -> tuple[int, Any]:
        sort_keys = values(body, by) or (values(body, "CreationTime") if by == "LastModifiedTime" else [])
        first = sort_keys[0] if sort_keys else ""
        return (1, first) if isinstance(first, int | float) else (0, str(first))

    there = [body for body in bodies if values(body, by) or by == "LastModifiedTime"]
    missing = [body for body in bodies if not (values(body, by) or by == "LastModifiedTime")]
    there.sort(key=key)
    if request.get("SortOrder", "Descending") == "Descending":
        there.reverse()
    return there + missing


def _paths(body: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(body, dict):
        for name, value in body.items():
            yield from _paths(value, f"{prefix}.{name}" if prefix else name)
    elif isinstance(body, list):
        for item in body:
            yield from _paths(item, prefix)
    else:
        yield prefix
