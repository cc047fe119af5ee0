"""The commands of ``model-registry`` that deal with groups and versions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from delivery import comparison, registry, sources, versions
from delivery.artifacts import locate
from delivery.clients import Clients
from delivery.command_line import CommandContext
from delivery.errors import DeliveryError
from delivery.ownership import REGISTRY
from pipelines import session
from pipelines.local import next_command

WITH_ARN = 140
"""Characters of a line from which on a table of versions has room for their ARNs."""


def create_group(work: CommandContext) -> None:
    arguments = work.arguments
    arn, new = registry.ensure_group(work.clients, arguments.group, arguments.description)
    print(f"{'created' if new else 'already there'}: {arn}")


def register(work: CommandContext) -> None:
    arguments = work.arguments
    candidate = sources.with_metrics(work.clients, _candidate(work), arguments.metrics)
    done = registry.register(
        work.clients,
        arguments.group,
        candidate,
        work.own_bucket if candidate.metrics else work.bucket,
        arguments.description,
        "Approved" if arguments.approved else "PendingManualApproval",
    )
    version = done.version
    print(f"{'registered' if done.new else 'already registered'}: {version.name} ({version.approval}) {version.arn}")
    if version.approval != "Approved":
        print(f"Next, approve it:\n  {next_command(f'model-registry approve {version.name} --comment WHY')}")


def _candidate(work: CommandContext) -> sources.Candidate:
    arguments = work.arguments
    if arguments.from_pipeline:
        return sources.from_pipeline(work.clients, arguments.from_pipeline, arguments.step)
    if arguments.step:
        raise DeliveryError("--step goes with --from-pipeline")
    if arguments.from_training_job:
        return sources.from_training_job(work.clients, arguments.from_training_job)
    image = arguments.image or _xgboost_image(work.region)
    source = arguments.model_data
    bucket = work.bucket if source.startswith(("s3://", "https://")) else work.own_bucket
    uri = locate(work.clients, source, bucket, REGISTRY, arguments.group)
    return sources.from_artifact(image, uri, source)


def _xgboost_image(region: str) -> str:
    from delivery.images import xgboost_image

    return xgboost_image(region)


def copy(work: CommandContext) -> None:
    """Copies a version into another group, region or account."""
    from delivery.artifacts import ensure_bucket
    from delivery.promotion import Promotion, RoleClients

    arguments = work.arguments
    region = arguments.to_region or work.region
    target: Clients = RoleClients(region, arguments.to_role_arn) if arguments.to_role_arn else Clients(region)
    bucket = arguments.to_bucket or (
        f"sagemaker-{region}-{target.account}" if isinstance(target, RoleClients) else session.find_bucket(region)
    )
    ensure_bucket(target, bucket)
    version = versions.find(work.clients, arguments.version)
    promotion = Promotion(work.clients, target, bucket, arguments.image or "")
    approval = "Approved" if arguments.approved else "PendingManualApproval"
    done = promotion.copy(version, arguments.group, approval)
    how = "copied" if done.new else "already copied"
    print(f"{how}: {version.name} is {done.version.name} ({done.version.approval}) {done.version.arn}")
    for remark in promotion.remarks(done.version):
        print(remark)


def list_(work: CommandContext) -> None:
    arguments = work.arguments
    if arguments.group:
        rows = versions.list_versions(work.clients, arguments.group, arguments.status)
        _print(work, [_row(version) for version in rows], f"{arguments.group}, as GROUP/VERSION in commands")
        return
    _print(
        work,
        [
            {"group": group.name, "created": f"{group.created:%Y-%m-%d %H:%M}", "description": group.description}
            for group in versions.list_groups(work.clients)
        ],
    )


def _row(version: versions.DeliveredVersion) -> dict[str, str]:
    return {
        "version": version.name,
        "approval": version.approval,
        "created": f"{version.created:%Y-%m-%d %H:%M}",
        "description": version.description,
        "arn": version.arn,
    }


def compare(work: CommandContext) -> None:
    arguments = work.arguments
    if arguments.numbers:
        chosen = [versions.find(work.clients, f"{arguments.group}/{number}") for number in arguments.numbers]
    else:
        chosen = versions.list_versions(work.clients, arguments.group)[: arguments.last][::-1]
    if not chosen:
        raise DeliveryError(f"the group {arguments.group} has no version yet")
    measured = comparison.measure(work.clients, chosen)
    if arguments.json:
        print(json.dumps({item.version.name: item.metrics for item in measured}, indent=2))
    else:
        for table in comparison.tables(measured, work.console.width):
            work.console.print(table)
        for item in measured:
            if item.remark:
                print(f"{item.version.name}: {item.remark}")
    if arguments.plot:
        file = comparison.plot(measured, Path(arguments.plot))
        if not arguments.json:
            print(f"Plot: {file}")


def describe(work: CommandContext) -> None:
    described = versions.describe(work.clients, versions.find(work.clients, work.arguments.version))
    print(json.dumps(described, indent=2, default=str))


def approve(work: CommandContext) -> None:
    _decide(work, "Approved")


def reject(work: CommandContext) -> None:
    _decide(work, "Rejected")


def _decide(work: CommandContext, approval: str) -> None:
    version = versions.find(work.clients, work.arguments.version)
    decided = registry.decide(work.clients, version, approval, work.arguments.comment)
    before = "" if version.approval == approval else f", before {version.approval}"
    print(f"{decided.name} is {decided.approval}{before}")
    if approval == "Approved":
        print(f"Next, deploy it:\n  {next_command(f'model-registry deploy {decided.name} --endpoint {decided.group}')}")


def latest(work: CommandContext) -> None:
    version = versions.latest_approved(work.clients, work.arguments.group)
    print(json.dumps(_row(version), indent=2) if work.arguments.json else version.arn)


def _print(work: CommandContext, rows: Sequence[dict[str, Any]], title: str | None = None) -> None:
    """Rows with the same keys, as JSON or as a table: its first and its short columns whole, the others as they fit."""
    if work.arguments.json:
        print(json.dumps(rows, indent=2))
        return
    from rich.table import Table

    if not rows:
        print("There is none.")
        return
    names = [name for name in rows[0] if name != "arn" or work.console.width >= WITH_ARN]
    table = Table(title=title, title_justify="left")
    cells = [[_short(name, str(row[name])) for name in names] for row in rows]
    columns = zip(names, zip(*cells, strict=True), strict=True)
    longest = {name: max(map(len, [name, *column])) for name, column in columns}
    rest = sum(length for name, length in longest.items() if name != "description") + 3 * len(names) + 1
    for name in names:
        most = max(len(name), work.console.width - rest) if name == "description" else None
        table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=most)
    for cell in cells:
        table.add_row(*cell)
    work.console.print(table)


def _short(name: str, value: str) -> str:
    """A version's number, and its approval in a word: what is said by the title, or in full by --json."""
    if name == "version":
        return value.rpartition("/")[2]
    return comparison.SHORT.get(value, value) if name == "approval" else value
