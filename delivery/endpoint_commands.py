"""The commands of ``model-registry`` that deal with endpoints, and with the end of everything."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from delivery import artifacts, cleanup, endpoints, ownership, versions
from delivery.command_line import CommandContext, show_waiting
from delivery.endpoints import Capture, Deployment
from delivery.errors import DeliveryError
from delivery.invocation import invoke as ask
from delivery.owned_resources import OwnerFilter
from delivery.traffic import AT_ONCE, CANARY, WAIT, Size, Traffic
from pipelines.local import next_command


def deploy(work: CommandContext) -> None:
    arguments = work.arguments
    version = versions.find(work.clients, arguments.version, default=versions.APPROVED)
    if version.approval != "Approved":
        approve = next_command(f"model-registry approve {version.name}")
        raise DeliveryError(f"{version.name} is {version.approval}: approve it first: {approve}")
    deployment = deployment_of(work, version)
    timeout = arguments.timeout + _compute_wait(deployment)
    done = endpoints.deploy(work.clients, deployment, timeout)
    print(
        f"endpoint {deployment.endpoint} {done}: {version.name} on {_machines(deployment)}{_shift(deployment, done)}",
        flush=True,
    )
    if arguments.no_wait:
        print(f"To wait for it:\n  {next_command(f'model-registry wait {deployment.endpoint}')}")
        return
    states = endpoints.wait(work.clients, deployment.endpoint, deployment.configuration, timeout)
    show_waiting(work, f"endpoint {deployment.endpoint}", states)
    print(f"Next, invoke it:\n  {next_command(f'model-registry invoke {deployment.endpoint} ROW')}")


def deployment_of(work: CommandContext, version: versions.DeliveredVersion) -> Deployment:
    """The deployment that the arguments of ``deploy`` describe."""
    arguments = work.arguments
    endpoint = arguments.endpoint or version.group
    capture = None
    if arguments.data_capture is not None:
        prefix = artifacts.prefix(ownership.REGISTRY, version.group)
        destination = arguments.capture_to or f"s3://{work.own_bucket}/{prefix}capture"
        capture = Capture(arguments.data_capture, destination)
    elif arguments.capture_to:
        raise DeliveryError("--capture-to goes with --data-capture")
    return Deployment(
        endpoint=endpoint,
        container={"ModelPackageName": version.arn},
        role=work.role,
        tags=ownership.tags(ownership.REGISTRY, version.group),
        instance_type=arguments.instance_type,
        instance_count=arguments.instance_count,
        capture=capture,
        revision=version.created.isoformat(),
        traffic=traffic_of(arguments),
    )


def traffic_of(arguments: argparse.Namespace) -> Traffic | None:
    """The policy of the flags of ``deploy``; None without any of them."""
    values = (arguments.traffic, arguments.traffic_size, arguments.traffic_wait, arguments.termination_wait)
    if not arguments.alarm and all(one is None for one in values):
        return None
    kind, size = arguments.traffic or AT_ONCE, arguments.traffic_size
    if kind != AT_ONCE and size is None:
        size = Size(10 if kind == CANARY else 20, percent=True)
    wait = WAIT if arguments.traffic_wait is None else arguments.traffic_wait
    return Traffic(kind, size, wait, arguments.termination_wait or 0, tuple(arguments.alarm or ()))


def _shift(deployment: Deployment, done: str) -> str:
    """The end of the line about a deployment."""
    if deployment.traffic is None:
        return ""
    if done == "created":
        return " (new: there is no traffic to shift)"
    return f", {deployment.traffic}" if done == "updated" else ""


def _compute_wait(deployment: Deployment) -> float:
    """Seconds that the traffic policy takes."""
    return deployment.traffic.seconds(deployment.instance_count) if deployment.traffic else 0.0


def _machines(deployment: Deployment) -> str:
    return f"{deployment.instance_count} x {deployment.instance_type}"


def wait(work: CommandContext) -> None:
    arguments = work.arguments
    states = endpoints.wait(work.clients, arguments.endpoint, None, arguments.timeout)
    show_waiting(work, f"endpoint {arguments.endpoint}", states)


def invoke(work: CommandContext) -> None:
    arguments = work.arguments
    response = ask(
        work.clients,
        arguments.endpoint,
        _body(arguments.row, arguments.file),
        arguments.content_type,
        arguments.accept,
        arguments.target_model,
        arguments.target_variant,
    )
    sys.stdout.buffer.write(response.body)
    if sys.stdout.isatty() and not response.body.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()


def _body(row: str | None, file: str | None) -> bytes:
    """What is to be sent: the row, the file, or what comes from the standard input."""
    if row is not None and file is not None:
        raise DeliveryError("a row or --file, not both")
    if row not in (None, "-"):
        return str(row).encode()
    if file is None or file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise DeliveryError(f"--file {file}: {error.strerror}") from error


def clean_up(work: CommandContext) -> None:
    arguments = work.arguments
    selection = OwnerFilter(arguments.made_by, arguments.name, (work.bucket,))
    clean(work, selection, arguments.keep or (), arguments.dry_run)


def clean(work: CommandContext, selection: OwnerFilter, keep: list[str] | tuple[str, ...], dry_run: bool) -> None:
    """Shows the owned resources and what bills them, and deletes them."""
    resources = cleanup.find(work.clients, selection, keep)
    if not resources:
        print("There is nothing to clean up, and nothing that would be billed.")
        return
    work.console.print(cleanup.bill(resources))
    if dry_run:
        for item in resources:
            print("\n".join(f"would send: {deletion}" for deletion in item.deletions))
        print("Nothing was deleted (--dry-run).")
        return
    cleanup.clean_up(work.clients, resources)
    print("Nothing of it is billed any more." if cleanup.is_billed(resources) else "None of it was billed.")
