"""The list of a pipeline's executions: filtered, sorted, any page of it, with parameters and metrics as columns, and as
CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from local_sagemaker.engine.definition import parse
from local_sagemaker.engine.property_metrics import METRICS
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.selection import PairCondition, Selection
from local_sagemaker.studio.page import Content, Page, Visit
from local_sagemaker.studio.views.csv_text import csv_line
from local_sagemaker.studio.views.executions import ExecutionRow, find_differences, name_metrics, row
from local_sagemaker.studio.views.numbers import whole
from local_sagemaker.studio.views.times import iso

SIZES = (25, 50, 100, 250, 500)
STATUSES = ("Executing", "Succeeded", "Failed", "Stopped", "Stopping", "CompletedWithFailures")
SINCE = (("", "any time"), ("3600", "last hour"), ("86400", "last 24 hours"), ("604800", "last 7 days"),
         ("2592000", "last 30 days"))  # fmt: skip
ORDERS = (("newest", "created", True), ("oldest", "created", False), ("longest", "length", True),
          ("shortest", "length", False), ("status", "status", False))  # fmt: skip
_TEXTS = ("PipelineExecutionDisplayName", "PipelineExecutionDescription")
_MOST_COLUMNS, _MOST_METRICS = 4, 2
_SPREAD = ".standard_deviation"


@dataclass(frozen=True)
class ExecutionList:
    """One page of the executions that fit. `columns` are parameters, `filters` what their fields hold; `metrics` are
    the metrics that are columns, `metric_names` all that the rows have, with their headings."""

    rows: list[ExecutionRow]
    total: int
    number: int
    pages: int
    first: int
    columns: list[str]
    filters: dict[str, str] = field(default_factory=dict)
    longest: float = 0.0
    metrics: list[str] = field(default_factory=list)
    metric_names: dict[str, str] = field(default_factory=dict)
    metric_filters: dict[str, str] = field(default_factory=dict)

    @property
    def numbers(self) -> list[int]:
        """The pages that the pager names: the first, the last, and those around this one."""
        near = range(self.number - 2, self.number + 3)
        return sorted({1, self.pages, *(item for item in near if 1 <= item <= self.pages)})


def load_list(visit: Visit, pipeline: str, arn: str, parameters: Sequence[str]) -> ExecutionList:
    """The page of the address; `arn` is the pipeline's.

    Which executions fit comes from an index; each is described by operations.
    """
    size = whole(visit.value("size"), 50)
    size = size if size in SIZES else 50
    number = max(1, whole(visit.value("page"), 1))
    selection = select(visit, pipeline)
    keys, total = visit.reads.select(selection, size, (number - 1) * size)
    pages = max(1, -(-total // size))
    if number > pages:
        number = pages
        keys, total = visit.reads.select(selection, size, (number - 1) * size)
    rows = [item for item in (describe(visit, arn, key) for key in keys) if item is not None]
    wanted = [column for column in visit.query.get("column", []) if column in parameters]
    filters = _filters(visit, "p.")
    chosen = wanted or [*filters, *(name for name in find_differences(rows) if name not in filters)][:_MOST_COLUMNS]
    longest = max((item.seconds or 0 for item in rows), default=0.0)
    metric_filters = _filters(visit, "m.")
    metrics, names = _metric_columns(visit, rows, metric_filters)
    return ExecutionList(
        rows, total, number, pages, (number - 1) * size + 1, chosen, filters, longest, metrics, names,
        metric_filters,
    )  # fmt: skip


def _filters(visit: Visit, prefix: str) -> dict[str, str]:
    return {name[2:]: values[0] for name, values in visit.query.items() if name.startswith(prefix) and values[0]}


def _metric_columns(
    visit: Visit, rows: list[ExecutionRow], filters: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """The metrics that are columns, and all names with their headings. Unless some are chosen: those by which the list
    is filtered or sorted, and the first two."""
    names = name_metrics(rows)
    used = list(filters)
    order = visit.value("sort").removeprefix("-")
    used += [order[2:]] if order.startswith("m.") and order[2:] not in used else []
    names |= {name: name for name in used if name not in names}
    chosen = [name for name in visit.query.get("metric", []) if name in names]
    first = [name for name in names if not name.endswith(_SPREAD) and name not in used][:_MOST_METRICS]
    return (chosen or [*used, *first]), names


def select(visit: Visit, pipeline: str) -> Selection:
    """What the address chooses and in which order."""
    text = visit.value("q").strip()
    conditions = [
        _condition(name[2:], values[0], "" if name.startswith("p.") else METRICS)
        for name, values in visit.query.items()
        if name.startswith(("p.", "m.")) and values[0].strip()
    ]
    order, descending = _order(visit.value("sort"))
    is_metric = visit.value("sort").removeprefix("-").startswith("m.")
    seconds = visit.value("since")
    since = visit.now - int(seconds) if seconds in dict(SINCE) and seconds else None
    return Selection(
        "pipeline-execution", pipeline.lower(), visit.value("status"), since, text.rpartition("/")[2], _TEXTS,
        "PipelineParameters", conditions, order, descending, METRICS if is_metric else "",
    )  # fmt: skip


def _order(name: str) -> tuple[str, bool]:
    if name.startswith(("p.", "-p.", "m.", "-m.")):
        return f"pair:{name.removeprefix('-')[2:]}", name.startswith("-")
    return next(((column, down) for key, column, down in ORDERS if key == name), ("created", True))


def _condition(name: str, text: str, pairs: str) -> PairCondition:
    """``=v``, ``<v``, ``>v``, else: contains."""
    sign, rest = text.strip()[:1], text.strip()[1:].strip()
    if sign in ("=", "<", ">"):
        return PairCondition(name, sign, rest, pairs)
    return PairCondition(name, "~", text.strip(), pairs)


def describe(visit: Visit, pipeline_arn: str, key: str) -> ExecutionRow | None:
    """The row of an execution, None if it was deleted since it was listed."""
    arn = f"{pipeline_arn}/execution/{key.rpartition('/')[2]}"
    try:
        body = visit.call("sagemaker:DescribePipelineExecution", {"PipelineExecutionArn": arn})
        listed = visit.call(
            "sagemaker:ListPipelineParametersForExecution", {"PipelineExecutionArn": arn, "MaxResults": 100}
        )
    except ServiceError:
        return None
    execution = row({**body, "StartTime": body["CreationTime"], **listed}, visit.now)
    return replace(execution, metrics=visit.reads.metrics(arn))


def load_csv(visit: Visit) -> Content:
    """All executions that the address chooses, as CSV, written while they are read."""
    body = visit.call("sagemaker:DescribePipeline", {"PipelineName": visit.path["pipeline"]})
    name, declared = body["PipelineName"], list(parse(body["PipelineDefinition"]).parameters)
    lines = _csv(visit, body["PipelineArn"], select(visit, name), declared)
    return Content(lines, "text/csv", f"{name}-executions.csv")


def _csv(visit: Visit, arn: str, selection: Selection, declared: Sequence[str]) -> Iterator[bytes]:
    """The lines. Columns are the declared parameters, and those that the newest executions had besides."""
    parameters, metrics = list[str](), list[str]()
    offset, size, total = 0, 250, 1
    while offset < total:
        keys, total = visit.reads.select(selection, size, offset)
        rows = [item for item in (describe(visit, arn, key) for key in keys) if item is not None]
        if not offset:
            parameters = list(dict.fromkeys([*declared, *(name for item in rows for name in item.parameters)]))
            metrics = list(name_metrics(rows))
            first = ["execution", "name", "status", "started", "seconds", "version"]
            yield csv_line([*first, *parameters, *metrics, "reason"])
        yield b"".join(csv_line(_cells(item, parameters, metrics)) for item in rows)
        offset += size


def _cells(item: ExecutionRow, parameters: Sequence[str], metrics: Sequence[str]) -> list[object]:
    values: Mapping[str, str] = item.parameters
    length = "" if item.seconds is None else round(item.seconds, 3)
    named = [*(values.get(name, "") for name in parameters), *(item.metrics.get(name, "") for name in metrics)]
    return [item.identifier, item.name, item.status, iso(item.start), length, item.version, *named, item.reason]


CSV = Page("/pipelines/{pipeline}/executions.csv", load_csv)
