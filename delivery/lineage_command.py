"""``model-registry lineage``: where an endpoint's or a version's model comes from, as text or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from delivery import lineage, versions
from delivery.command_line import CommandContext
from delivery.errors import NotFoundError
from delivery.lineage import ApprovalDecision, EndpointLineage, VersionLineage

WIDTH = 13  # columns of the names at the left


def show_lineage(work: CommandContext) -> None:
    """Prints it. A name is an endpoint's if there is one of it, else a version's reference."""
    name = work.arguments.name
    record = _read(work, name)
    if work.arguments.json:
        print(json.dumps(asdict(record), indent=2, default=str))
        return
    for line in _endpoint_lines(record) if isinstance(record, EndpointLineage) else _version_lines(record):
        print(line)


def _read(work: CommandContext, name: str) -> EndpointLineage | VersionLineage:
    if ":endpoint/" in name or (not name.startswith("arn:") and "/" not in name):
        try:
            return lineage.read_endpoint(work.clients, name)
        except NotFoundError as error:
            try:
                version = versions.find(work.clients, name)
            except NotFoundError:
                raise NotFoundError(f"there is neither an endpoint nor a group of models {name}") from error
            return lineage.read_version(work.clients, version)
    return lineage.read_version(work.clients, versions.find(work.clients, name))


def _endpoint_lines(record: EndpointLineage) -> Iterator[str]:
    yield f"endpoint {record.endpoint}: {record.status} since {record.updated:%Y-%m-%d %H:%M:%S %Z}"
    for remark in record.remarks:
        yield f"  - {remark}"
    for variant, served in record.variants.items():
        for version in served:
            yield f"variant {variant} serves"
            yield from (f"  {line}" for line in _version_lines(version))


def _version_lines(record: VersionLineage) -> Iterator[str]:
    yield _row("version", f"{record.version}, {record.approval}{f', {record.stage}' if record.stage else ''}")
    yield _row("commit", f"{record.commit or 'unknown'}{f' of {record.repository}' if record.repository else ''}")
    yield _row("execution", record.execution or "unknown")
    yield from _rows("parameters", record.parameters)
    if record.training:
        yield _row("training", f"{record.training.job} in {record.training.image}")
        yield from _rows("hyperparams", record.training.hyperparameters)
        yield from _rows("channels", record.training.data)
    for index, uri in enumerate(record.data):
        yield _row("" if index else "data", uri)
    yield from _rows("metrics", {name: f"{value:.6g}" for name, value in record.metrics.items()})
    for index, decision in enumerate(record.decisions):
        yield _row("" if index else "decisions", _decision(decision))
    for remark in record.remarks:
        yield f"- {remark}"


def _decision(decision: ApprovalDecision) -> str:
    time = f"{decision.time:%Y-%m-%d %H:%M:%S}  " if decision.time else ""
    comment = f', "{decision.comment}"' if decision.comment else ""
    return f"{time}{decision.what}: {decision.status}{comment}{f' by {decision.by}' if decision.by else ''}"


def _rows(name: str, values: Mapping[str, str]) -> Iterator[str]:
    for index, (key, value) in enumerate(values.items()):
        yield _row("" if index else name, f"{key} = {value}")


def _row(name: str, text: str) -> str:
    return f"{name:{WIDTH}}{text}"
