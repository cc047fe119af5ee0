"""Lineage: what a resource was made from, and what was made of it: QueryLineage, drawn and as lists, with commits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.listing import all_items, items_or_none
from local_sagemaker.studio.pages.serving import serving, version_name
from local_sagemaker.studio.views.lineage_graph import Entity, LineageNode, walk
from local_sagemaker.studio.views.numbers import whole
from local_sagemaker.studio.views.step_states import StepView

DEEPEST, MOST = 10, 200
DIRECTIONS = (("both", "both ways"), ("up", "made from"), ("down", "used by"))
_QUERIED = {"both": "Both", "up": "Ascendants", "down": "Descendants"}
_BY_SOURCE = (
    ("sagemaker:ListContexts", "ContextSummaries", "SourceUri", "ContextArn"),
    ("sagemaker:ListArtifacts", "ArtifactSummaries", "SourceUri", "ArtifactArn"),
    ("sagemaker:ListTrialComponents", "TrialComponentSummaries", "SourceArn", "TrialComponentArn"),
)


@dataclass(frozen=True)
class LineageContext:
    """What the lineage page shows."""

    arn: str = field(metadata={"help": "the resource in the middle, an ARN or S3 URI"})
    href: str = field(metadata={"help": "its page"})
    depth: int = field(metadata={"help": "how many associations are followed each way"})
    direction: str = field(metadata={"help": "both, up or down"})
    directions: tuple[tuple[str, str], ...] = field(metadata={"help": "directions to choose from"})
    above: list[LineageNode] = field(metadata={"help": "what it was made from, nearest first"})
    below: list[LineageNode] = field(metadata={"help": "what was made of it, nearest first"})
    left_off: bool = field(metadata={"help": "whether there are more than 200"})
    is_known: bool = field(metadata={"help": "whether anything is recorded of it"})
    steps: list[StepView] = field(metadata={"help": "the nodes as the graph draws them"})
    order: list[str] = field(metadata={"help": "the names of the nodes"})
    addresses: dict[str, str] = field(metadata={"help": "the lineage of each node"})
    chosen: str = field(metadata={"help": "the node in the middle"})
    starts: list[LineageNode] = field(metadata={"help": "endpoints and versions to start from"})


def load(visit: Visit) -> LineageContext:
    """QueryLineage from the entities of a resource; versions and their commits by DescribeModelPackage."""
    arn = visit.value("arn").strip()
    depth = min(max(whole(visit.value("depth"), 1), 1), DEEPEST)
    direction = visit.value("direction") if visit.value("direction") in _QUERIED else "both"
    if not arn:
        return LineageContext("", "", depth, direction, DIRECTIONS, [], [], False, True, [], [], {}, "", _starts(visit))
    starts = _entities_of(visit, arn)
    vertices, edges, left_off = _query(visit, starts, depth, direction) if starts else ([], [], False)
    entities = {item.arn: item for item in (_entity(visit, one) for one in vertices)}
    edges += list(_commits(visit, entities, starts, arn))
    above, below = ([_check_page(visit, node) for node in part] for part in walk(starts, edges, entities))
    middle = Entity(starts[0], "", _short(arn) or arn, arn) if starts else None
    steps, resources = _steps(middle, starts, entities, edges) if middle else ([], {})
    addresses = {
        name: urls.to("lineage", arn=resource, depth=depth, direction=direction) for name, resource in resources.items()
    }
    return LineageContext(
        arn, urls.resource(arn), depth, direction, DIRECTIONS, above, below, left_off, bool(starts), steps,
        [item.name for item in steps], addresses, steps[0].name if steps else "", [],
    )  # fmt: skip


_DELETABLE = {
    "endpoint": ("sagemaker:DescribeEndpoint", "EndpointName"),
    "model-package-group": ("sagemaker:DescribeModelPackageGroup", "ModelPackageGroupName"),
    "model-package": ("sagemaker:DescribeModelPackage", "ModelPackageName"),
}


def _check_page(visit: Visit, node: LineageNode) -> LineageNode:
    """A node without its page where the resource was deleted: its lineage outlives it."""
    kind, _, name = node.arn.split(":", 5)[-1].partition("/")
    if not node.href or kind not in _DELETABLE:
        return node
    operation, member = _DELETABLE[kind]
    request = {member: node.arn if kind == "model-package" else name}
    return node if visit.optional(operation, request) else replace(node, href="")


def _starts(visit: Visit) -> list[LineageNode]:
    """Where most questions start: what is served, endpoints, and the newest versions."""
    starts: dict[str, LineageNode] = {}
    for arn, endpoints in serving(visit).items():
        for name in endpoints:
            endpoint = visit.call("sagemaker:DescribeEndpoint", {"EndpointName": name})["EndpointArn"]
            starts.setdefault(endpoint, LineageNode("endpoint", name, urls.resource(endpoint), endpoint, 0))
        starts.setdefault(arn, _version(visit, arn))
    groups = items_or_none(visit, "sagemaker:ListModelPackageGroups", "ModelPackageGroupSummaryList", 20, MaxResults=20)
    for group in groups:
        versions = all_items(
            visit, "sagemaker:ListModelPackages", "ModelPackageSummaryList", 3, SortOrder="Descending", MaxResults=3,
            ModelPackageGroupName=group["ModelPackageGroupName"],
        )  # fmt: skip
        for version in versions:
            starts.setdefault(version["ModelPackageArn"].lower(), _version(visit, version["ModelPackageArn"]))
    return list(starts.values())


def _version(visit: Visit, arn: str) -> LineageNode:
    name = version_name(visit, arn).replace("/", " / ")
    return LineageNode("model version", name, urls.resource(arn), arn, 0)


def _entities_of(visit: Visit, arn: str) -> list[str]:
    """The ARNs of the lineage entities that stand for a resource."""
    kind = arn.split(":", 5)[-1].partition("/")[0]
    if kind in ("artifact", "context", "action", "experiment-trial-component"):
        return [arn]
    sources = list(dict.fromkeys([arn, arn.rstrip("/"), arn.lower() if arn.startswith("arn:") else arn]))
    return list(dict.fromkeys(
        item[key]
        for operation, member, name, key in _BY_SOURCE
        for source in sources
        if name == "SourceUri" or source.startswith("arn:")
        for item in items_or_none(visit, operation, member, 10, **{name: source})
    ))  # fmt: skip


def _query(
    visit: Visit, starts: list[str], depth: int, direction: str
) -> tuple[list[dict[str, Any]], list[tuple[str, str]], bool]:
    """Vertices, edges (source, destination), and whether there are more."""
    request: dict[str, Any] = {
        "StartArns": starts[:1], "Direction": _QUERIED[direction], "MaxDepth": depth, "IncludeEdges": True,
        "MaxResults": 50,
    }  # fmt: skip
    vertices: list[dict[str, Any]] = []
    edges: dict[tuple[str, str], None] = {}
    for start in starts:
        request["StartArns"] = [start]
        request.pop("NextToken", None)
        while True:
            response = visit.call("sagemaker:QueryLineage", request)
            known = {one["Arn"] for one in vertices}
            vertices += [one for one in response.get("Vertices", []) if one["Arn"] not in known]
            edges |= {(one["SourceArn"], one["DestinationArn"]): None for one in response.get("Edges", [])}
            if not response.get("NextToken") or len(vertices) >= MOST:
                break
            request["NextToken"] = response["NextToken"]
    return vertices[:MOST], list(edges), len(vertices) > MOST or bool(response.get("NextToken"))


_DESCRIBED = {
    "Artifact": ("sagemaker:DescribeArtifact", "ArtifactArn", "ArtifactArn"),
    "Action": ("sagemaker:DescribeAction", "ActionName", "ActionName"),
    "Context": ("sagemaker:DescribeContext", "ContextName", "ContextName"),
}
_WORDS = {
    "DataSet": "data", "Image": "image", "Model": "model", "ModelDeployment": "deployment", "Approval": "approval",
    "ModelGroup": "model group", "Endpoint": "endpoint", "TrainingJob": "training job", "TransformJob": "transform job",
    "ProcessingJob": "processing job",
}  # fmt: skip


def _entity(visit: Visit, vertex: dict[str, Any]) -> Entity:
    """A vertex with its name and the resource that it stands for."""
    arn, kind = vertex["Arn"], _WORDS.get(vertex["Type"], vertex["Type"])
    name = arn.rpartition("/")[2]
    source, detail = "", ""
    if vertex["LineageType"] in _DESCRIBED:
        operation, member, _ = _DESCRIBED[vertex["LineageType"]]
        body = visit.optional(operation, {member: arn if member.endswith("Arn") else name}) or {}
        source = str(body.get("Source", {}).get("SourceUri", ""))
        properties = body.get("Properties", {})
        detail = str(properties.get("ModelApprovalStatus", ""))
        detail += f": {properties['ApprovalDescription']}" if properties.get("ApprovalDescription") else ""
    else:
        body = visit.optional("sagemaker:DescribeTrialComponent", {"TrialComponentName": name}) or {}
        source = str(body.get("Source", {}).get("SourceArn", ""))
    if ":model-package/" in source and kind == "model":
        return Entity(arn, "model version", version_name(visit, source), source, detail)
    return Entity(arn, kind, _short(source) or name, source, detail)


def _short(source: str) -> str:
    """The end of a source by which people know it."""
    if source.startswith("s3://"):
        return source.removeprefix("s3://").partition("/")[2].rstrip("/") or source
    if source.startswith("arn:"):
        return source.split(":", 5)[-1].partition("/")[2]
    return source.rpartition("/")[2]


def _commits(visit: Visit, entities: dict[str, Entity], starts: list[str], arn: str) -> Iterator[tuple[str, str]]:
    """Adds the execution and the commit of each model version among the entities, as edges that lead to it."""
    versions = {one.source: one.arn for one in entities.values() if one.kind == "model version"}
    if ":model-package/" in arn and starts:
        versions.setdefault(arn, starts[0])
    for source, entity in versions.items():
        try:
            package = visit.call("sagemaker:DescribeModelPackage", {"ModelPackageName": source})
        except ServiceError:
            continue  # it was deleted since
        properties = package.get("MetadataProperties", {})
        made_by, commit = str(properties.get("GeneratedBy", "")), str(properties.get("CommitId", ""))
        if made_by.startswith("arn:"):
            entities[made_by] = Entity(made_by, "execution", _short(made_by).replace("/execution/", " "), made_by)
            yield made_by, entity
        if commit:
            entities[commit] = Entity(commit, "commit", commit[:12], "", str(properties.get("Repository", "")))
            yield commit, entity


def _steps(
    middle: Entity, starts: list[str], entities: dict[str, Entity], edges: Iterable[tuple[str, str]]
) -> tuple[list[StepView], dict[str, str]]:
    """The entities as the steps of a graph, and their resources; those of the resource in the middle are one."""
    shown = {arn: item for arn, item in entities.items() if arn not in starts}
    names = dict.fromkeys(starts, middle.name)
    taken = {middle.name}
    for arn, item in shown.items():
        choices = (item.name, f"{item.name} ({item.kind})", f"{item.name} ({item.detail or arn[-6:]})", arn)
        name = next(choice for choice in choices if choice not in taken)
        taken.add(name)
        names[arn] = name
    needs: dict[str, list[str]] = {name: [] for name in names.values()}
    for source, destination in edges:
        ends = names.get(source), names.get(destination)
        if ends[0] and ends[1] and ends[0] != ends[1] and ends[0] not in needs[ends[1]]:
            needs[ends[1]].append(ends[0])
    nodes = [(middle, middle.name), *((item, names[arn]) for arn, item in shown.items())]
    steps = [StepView(name, item.kind or "here", "Recorded", "", needs=tuple(needs[name])) for item, name in nodes]
    return steps, {name: item.source or item.arn for item, name in nodes}


PAGE = Page("/lineage", load, "lineage.html", "Lineage")
