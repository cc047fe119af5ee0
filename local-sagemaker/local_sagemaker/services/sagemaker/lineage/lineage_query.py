"""QueryLineage: what an entity was made of, and what was made of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.errors import ResourceNotFound, ValidationError
from local_sagemaker.records.store import Body
from local_sagemaker.services.sagemaker.lineage.lineage_records import LineageRecords, lineage_type
from local_sagemaker.services.sagemaker.listing import page, pick

_DEEPEST = 10
_WAYS = {"Ascendants": (-1,), "Descendants": (1,), "Both": (-1, 1)}


class LineageQueries(Resource):
    """The operation."""

    def __init__(self, *, lineage: LineageRecords, catch_up: Callable[[], None]) -> None:
        self._lineage, self._catch_up = lineage, catch_up

    @operation("QueryLineage")
    def query(self, request: Request) -> Response:
        """Vertices in the order in which they are met, nearest first; the start is not among them."""
        self._catch_up()
        starts = request.get("StartArns") or []
        for arn in starts:
            if self._lineage.find(arn) is None:
                raise ResourceNotFound(f"'{arn}' does not exist.")
        if not starts and not request.get("Filters"):
            raise ValidationError("StartArns or Filters must be specified.")
        met, edges = self._walk(request, starts) if starts else (self._all(), [])
        kept = [arn for arn in met if self._passes(arn, request.get("Filters", {}))]
        vertices = [self._vertex(arn) for arn in kept]
        chosen, token = page(vertices, request, default=50, limit=50)
        shown = edges if request.get("IncludeEdges", True) else []
        members = ("SourceArn", "DestinationArn", "AssociationType")
        return {"Vertices": chosen, "Edges": [pick(one, *members) for one in shown], **token}

    def _walk(self, request: Request, starts: list[str]) -> tuple[list[str], list[Body]]:
        """The entities within the depth, and the associations on the way to them."""
        sides: dict[int, dict[str, list[tuple[str, Body]]]] = {-1: defaultdict(list), 1: defaultdict(list)}
        for one in self._lineage.associations():
            sides[1][one["SourceArn"]].append((one["DestinationArn"], one))
            sides[-1][one["DestinationArn"]].append((one["SourceArn"], one))
        met, edges = dict.fromkeys(starts), {}
        for way in _WAYS[request.get("Direction", "Ascendants")]:
            for arn, one in _walk_from(sides[way], starts, min(request.get("MaxDepth", _DEEPEST), _DEEPEST)):
                met.setdefault(arn)
                edges[one["SourceArn"], one["DestinationArn"]] = one
        return [arn for arn in met if arn not in starts], list(edges.values())

    def _all(self) -> list[str]:
        ends = ((one["SourceArn"], one["DestinationArn"]) for one in self._lineage.associations())
        return list(dict.fromkeys(arn for pair in ends for arn in pair))

    def _vertex(self, arn: str) -> dict[str, Any]:
        return {"Arn": arn, "Type": self._lineage.type_of(arn).removeprefix("SageMaker"),
                "LineageType": lineage_type(arn)}  # fmt: skip

    def _passes(self, arn: str, filters: Request) -> bool:
        body, vertex = self._lineage.find(arn) or {}, self._vertex(arn)
        if filters.get("LineageTypes") and vertex["LineageType"] not in filters["LineageTypes"]:
            return False
        if filters.get("Types") and vertex["Type"] not in [one.removeprefix("SageMaker") for one in filters["Types"]]:
            return False
        created, modified = body.get("CreationTime", 0), body.get("LastModifiedTime", 0)
        bounds = (
            ("CreatedBefore", created, -1), ("CreatedAfter", created, 1), ("ModifiedBefore", modified, -1),
            ("ModifiedAfter", modified, 1),
        )  # fmt: skip
        if any(name in filters and (value - filters[name]) * sign <= 0 for name, value, sign in bounds):
            return False
        properties = body.get("Properties", {})
        return all(properties.get(name) == value for name, value in (filters.get("Properties") or {}).items())


def _walk_from(
    neighbours: dict[str, list[tuple[str, Body]]], starts: list[str], depth: int
) -> Iterator[tuple[str, Body]]:
    """Entities reached from the starts within a depth, breadth first, each with the association that led there."""
    seen, current = set(starts), list(starts)
    for _ in range(depth):
        following = []
        for arn in current:
            for other, one in neighbours.get(arn, ()):
                yield other, one
                if other not in seen:
                    seen.add(other)
                    following.append(other)
        current = following
