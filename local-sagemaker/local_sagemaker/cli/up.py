"""``local-sagemaker up``: starts the service."""

from __future__ import annotations

import argparse
from dataclasses import replace

from local_sagemaker import lifecycle
from local_sagemaker.config import Settings, check_account, check_port, check_region


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this subcommand."""
    parser.add_argument("--port", help="port on loopback (default: a free one, kept from then on)")
    parser.add_argument("--region", help="region that the service acts as (default: the environment's, us-east-1)")
    parser.add_argument("--account", help="account that it acts as (default 123456789012)")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Starts it, or finds it running, and says where it is."""
    settings = replace(
        settings,
        port=check_port(options.port, "--port") if options.port else settings.port,
        region=check_region(options.region, "--region") if options.region else settings.region,
        account=check_account(options.account, "--account") if options.account else settings.account,
    )
    before = lifecycle.find_running(settings)
    if before:
        _refuse_changes(options, before, settings)
    service = before or lifecycle.start(settings)
    print(f"{'Already running' if before else 'Running'} at {service['url']} (process {service['pid']}), "
          f"state in {settings.home}")  # fmt: skip
    if not before:
        print('Next: local-sagemaker exec -- COMMAND, or eval "$(local-sagemaker env)" for this shell')
    return 0


def _refuse_changes(options: argparse.Namespace, running: dict[str, object], settings: Settings) -> None:
    """:raises LifecycleError: if the service runs otherwise than these options ask for."""
    wanted = {"port": settings.port or running["port"]}
    wanted |= {"region": options.region or running["region"], "account": options.account or running["account"]}
    for name, value in wanted.items():
        if value != running[name]:
            raise lifecycle.LifecycleError(
                f"The service of {settings.home} runs already, with {name} {running[name]} (process {running['pid']}). "
                "Run 'local-sagemaker down' first to change it."
            )
