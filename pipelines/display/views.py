"""A pipeline and its executions for notebooks: small classes over boto3 with a rich display.

They do what ``run-pipeline`` does, with its functions, one cell at a time.
"""

from __future__ import annotations

import argparse
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines import conditions, loader, parameters, progress, run_pipeline, session
from pipelines.definition import Definition
from pipelines.display import drawing
from pipelines.display.checks import CheckView
from pipelines.display.graph import Graph, graph_of
from pipelines.logs import Notes
from pipelines.progress import Progress
from pipelines.reports import checks as reports
from pipelines.reports import names
from pipelines.reports.evidence import gather
from pipelines.reports.portable import PortableResults
from pipelines.summary import Summary

if TYPE_CHECKING:
    from typing import Self

    from pipelines.session import AwsClients

LONGEST_STILL = 1.0  # seconds between two pictures of an execution where only time passes
CACHED = "cache hit"
ROOM = 160  # characters of a remark in the table


class PipelineView:
    """A pipeline, as its definition says it is. Shown as its graph, and its parameters in a table."""

    def __init__(self, clients: AwsClients, built: loader.Built, columns: Sequence[str] = ()) -> None:
        self.clients = clients
        self.name = built.name
        self._built = built
        self._columns = columns
        self._published: run_pipeline.Published | None = None

    @classmethod
    def define(cls, module: str, **kwargs: Any) -> Self:
        """What a module's ``get_pipeline`` makes of the arguments; AWS does not know it yet.

        :raises pipelines.loader.LoadError: if there is no such module, or if it takes no such argument.
        """
        unset = argparse.Namespace(region=None, role_arn=None, bucket=None, debug=False)
        built = loader.define(module, kwargs, unset)
        return cls(session.AwsClients(built.region), built, names.of_module(module))

    @property
    def definition(self) -> Definition:
        """The definition that AWS has, or will get by ``upsert``."""
        return self._published.definition if self._published else self._built.definition

    @property
    def graph(self) -> Graph:
        """Which step waits for which."""
        return graph_of(self.definition)

    def upsert(self, description: str | None = None) -> Self:
        """Creates or updates the pipeline, with its data, and with switches that fit what the registry holds."""
        self._published = run_pipeline.publish(self.clients, self._built, description)
        return self

    def start(self, **values: Any) -> ExecutionView:
        """Starts an execution with these parameters; the others have their defaults.

        :raises pipelines.parameters.ParameterError: for a parameter that the pipeline does not have.
        :raises ValueError: if it has not been upserted.
        """
        if self._published is None:
            raise ValueError(f"{self.name} does not exist yet: upsert() it first")
        words = [f"{name}={value}" for name, value in values.items()]
        run = self._published.run(parameters.parse(words, self.definition["Parameters"]))
        arn = run_pipeline.start(run)
        print(f"Execution {arn}", flush=True)
        return ExecutionView(self.clients, self.name, arn, self.definition, self._columns)

    def delete(self) -> None:
        """Deletes the pipeline; its executions cannot be seen any more then."""
        self.clients.sagemaker.delete_pipeline(PipelineName=self.name, ClientRequestToken=str(uuid.uuid4()))
        self._published = None

    def __repr__(self) -> str:
        return f"{self.name}: {', '.join(self.graph.types)}"

    def _repr_html_(self) -> str:
        declared = self.definition["Parameters"]
        rows = [
            (drawing.text(item["Name"]), item["Type"], drawing.text(item.get("DefaultValue", "(required)")))
            for item in declared
        ]
        table = drawing.fold(f"{len(rows)} parameters", drawing.table(("Parameter", "Type", "Default"), rows))
        graph = drawing.draw(self.graph, {}, {})
        return f"<div><p><b>{drawing.text(self.name)}</b></p>{graph}{table}</div>"


@dataclass
class ExecutionView:
    """One execution of a pipeline. Shown as the graph in the colours of its steps' statuses, and a table of them.

    :param columns: the names of the columns that the checks read, where they are known.
    """

    clients: AwsClients
    pipeline: str
    arn: str
    definition: Definition
    columns: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.progress = Progress()
        self._notes = Notes(self.clients.logs, self.pipeline, self.arn)
        self._graph = graph_of(self.definition)

    @property
    def status(self) -> str:
        """As it was seen last."""
        return self.progress.status

    @property
    def steps(self) -> Mapping[str, Mapping[str, Any]]:
        """The steps that have started, by name, in AWS's own shape, as they were seen last."""
        return self.progress.steps

    def wait(self, timeout: float = 7200) -> Self:
        """Follows the execution to its end, and shows its progress.

        :param timeout: seconds.
        :raises TimeoutError: if it has not ended by then; it continues.
        """
        from IPython import display

        show: Any = display.display
        deadline = time.monotonic() + timeout
        shown, drawn = _Picture(show(self, display_id=True)), 0.0
        known: object = None
        for seen in progress.follow(self.clients.sagemaker, self.arn, self._notes):
            self.progress = seen
            statuses = {name: step["StepStatus"] for name, step in self.steps.items()}
            if (statuses, self.status) != known or time.monotonic() - drawn > LONGEST_STILL:
                known, drawn = (statuses, self.status), time.monotonic()
                shown.update(self)
            if self.progress.running and time.monotonic() > deadline:
                raise TimeoutError(f"{self.arn} is still {self.status} after {timeout:g} s")
        return self

    def checks(self) -> dict[str, CheckView]:
        """The checks that have ended, by step, with what they left in S3."""
        checks = {check.step: check for check in reports.find(PortableResults(self.clients).add_metadata(self.steps))}
        return {
            name: CheckView(gather(self.clients, check, names.for_check(check.kind, self.columns)))
            for name, check in checks.items()
        }

    def report(self, name: str) -> Any:
        """The contents of a property file, by the name that the definition gives it.

        :raises KeyError: if the execution has written none of that name.
        """
        by_path = conditions.read_reports(self.clients, self.definition, self.steps)
        by_name = {path.rpartition(".")[2]: content for path, content in by_path.items()}
        return by_name[name]

    @property
    def registered(self) -> list[str]:
        """The ARNs of the model versions that the execution registered."""
        registrations = (step.get("Metadata", {}).get("RegisterModel", {}) for step in self.steps.values())
        return [metadata["Arn"] for metadata in registrations if "Arn" in metadata]

    def summary(self) -> str:
        """What it came to, as ``run-pipeline`` says it."""
        return "\n".join(Summary(self.clients, self.arn, self.definition, self.progress).lines())

    def __repr__(self) -> str:
        done = sum(step["StepStatus"] not in progress.RUNNING for step in self.steps.values())
        return f"{self.arn}: {self.status}, {done} of {len(self._graph.types)} steps done"

    def _repr_html_(self) -> str:
        statuses = {name: step["StepStatus"] for name, step in self.steps.items()}
        remarks = {name: self._short(step) for name, step in self.steps.items()}
        graph = drawing.draw(self._graph, statuses, remarks)
        failure = f"<p>{drawing.text(self.progress.failure)}</p>" if self.progress.failure else ""
        title = f"{drawing.text(self.pipeline)} / {drawing.text(self.arn.rpartition('/')[2])}"
        head = f"<p><b>{title}</b> {drawing.badge(self.status)}</p>{failure}"
        columns = ("Step", "Type", "Status", "Time", "Remark")
        return f"<div>{head}{graph}{drawing.table(columns, self._rows())}</div>"

    def _rows(self) -> list[tuple[str, ...]]:
        names = [*self.steps, *(name for name in self._graph.types if name not in self.steps)]
        return [self._row(name) for name in names]

    def _row(self, name: str) -> tuple[str, ...]:
        kind, step = self._graph.types[name], self.steps.get(name)
        if step is None:
            return drawing.text(name), kind, drawing.badge("waiting" if self.progress.running else "not run"), "", ""
        note = step.get("FailureReason") or progress.remark(step, self.progress.notes.get(name, ""))
        status = drawing.badge(step["StepStatus"])
        return drawing.text(name), kind, status, progress.duration(step), _remark(note)

    def _short(self, step: Mapping[str, Any]) -> str:
        """What the step's box has room for."""
        if "CacheHitResult" in step:
            return CACHED
        return "" if step["StepStatus"] == "Starting" else progress.duration(step)


def _remark(note: str) -> str:
    """The note; if it is long without the values that differ, which the mouse still shows."""
    if len(note) <= ROOM:
        return drawing.text(note)
    return f'<span title="{drawing.text(note)}">{drawing.text(progress.shorten(note))}</span>'


class _Picture:
    """What IPython shows, to be drawn again; outside of a notebook there is nothing to draw on."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def update(self, shown: object) -> None:
        if self._handle is not None:
            self._handle.update(shown)
