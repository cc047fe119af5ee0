"""The list of a pipeline's executions: filtered, sorted, any page of it, with parameters as columns, and as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from local_sagemaker.engine.definition import parse
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.selection import PairCondition, Selection
from local_sagemaker.studio.page import Content, Page, Visit
from local_sagemaker.studio.views.csv_text import csv_line
from local_sagemaker.studio.views.executions import ExecutionRow, find_differences, row
from local_sagemaker.studio.views.numbers import whole
from local_sagemaker.studio.views.times import iso

SIZES = (25, 50, 100, 250, 500)
STATUSES = ("Executing", "Succeeded", "Failed", "Stopped", "Stopping", "CompletedWithFailures")
SINCE = (("", "any time"), ("3600", "last hour"), ("86400", "last 24 hours"), ("604800", "last 7 days"),
         ("2592000", "last 30 days"))  # fmt: skip
ORDERS = (("newest", "created", True), ("oldest", "created", False), ("longest", "length", True),
          ("shortest", "length", False), ("status", "status", False))  # fmt: skip
_TEXTS = ("PipelineExecutionDisplayName", "PipelineExecutionDescription")
_MOST_COLUMNS = 4


@dataclass(frozen=True)
class ExecutionList:
    """One page of the executions that fit. `columns` are parameters, `filters` what their fields hold."""

    rows: list[ExecutionRow]
    total: int
    number: int
    pages: int
    first: int
    columns: list[str]
    filters: dict[str, str] = field(default_factory=dict)
    longest: float = 0.0

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
    filters = {name[2:]: values[0] for name, values in visit.query.items() if name.startswith("p.") and values[0]}
    chosen = wanted or [*filters, *(name for name in find_differences(rows) if name not in filters)][:_MOST_COLUMNS]
    longest = max((item.seconds or 0 for item in rows), default=0.0)
    return ExecutionList(rows, total, number, pages, (number - 1) * size + 1, chosen, filters, longest)


def select(visit: Visit, pipeline: str) -> Selection:
    """What the address chooses and in which order."""
    text = visit.value("q").strip()
    conditions = [
        _condition(name[2:], values[0]) for name, values in visit.query.items()
        if name.startswith("p.") and values[0].strip()
    ]  # fmt: skip
    order, descending = _order(visit.value("sort"))
    seconds = visit.value("since")
    since = visit.now - int(seconds) if seconds in dict(SINCE) and seconds else None
    return Selection(
        "pipeline-execution", pipeline.lower(), visit.value("status"), since, text.rpartition("/")[2], _TEXTS,
        "PipelineParameters", conditions, order, descending,
    )  # fmt: skip


def _order(name: str) -> tuple[str, bool]:
    if name.startswith(("p.", "-p.")):
        return f"pair:{name.removeprefix('-').removeprefix('p.')}", name.startswith("-")
    return next(((column, down) for key, column, down in ORDERS if key == name), ("created", True))


def _condition(name: str, text: str) -> PairCondition:
    """``=v``, ``<v``, ``>v``, else: contains."""
    sign, rest = text.strip()[:1], text.strip()[1:].strip()
    return PairCondition(name, sign, rest) if sign in ("=", "<", ">") else PairCondition(name, "~", text.strip())


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
    return row({**body, "StartTime": body["CreationTime"], **listed}, visit.now)


def load_csv(visit: Visit) -> Content:
    """All executions that the address chooses, as CSV, written while they are read."""
    body = visit.call("sagemaker:DescribePipeline", {"PipelineName": visit.path["pipeline"]})
    name, declared = body["PipelineName"], list(parse(body["PipelineDefinition"]).parameters)
    lines = _csv(visit, body["PipelineArn"], select(visit, name), declared)
    return Content(lines, "text/csv", f"{name}-executions.csv")


def _csv(visit: Visit, arn: str, selection: Selection, declared: Sequence[str]) -> Iterator[bytes]:
    """The lines. Columns are the declared parameters, and those that the newest executions had besides."""
    parameters: list[str] = []
    offset, size, total = 0, 250, 1
    while offset < total:
        keys, total = visit.reads.select(selection, size, offset)
        rows = [item for item in (describe(visit, arn, key) for key in keys) if item is not None]
        if not offset:
            parameters = list(dict.fromkeys([*declared, *(name for item in rows for name in item.parameters)]))
            yield csv_line(["execution", "name", "status", "started", "seconds", "version", *parameters, "reason"])
        yield b"".join(csv_line(_cells(item, parameters)) for item in rows)
        offset += size


def _cells(item: ExecutionRow, parameters: Sequence[str]) -> list[object]:
    values: Mapping[str, str] = item.parameters
    length = "" if item.seconds is None else round(item.seconds, 3)
    named = [values.get(name, "") for name in parameters]
    return [item.identifier, item.name, item.status, iso(item.start), length, item.version, *named, item.reason]


CSV = Page("/pipelines/{pipeline}/executions.csv", load_csv)
