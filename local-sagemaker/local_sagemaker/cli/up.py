"""``local-sagemaker up``: starts the service."""

from __future__ import annotations

import argparse
from dataclasses import replace

from local_sagemaker import lifecycle
from local_sagemaker.config import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this subcommand."""
    parser.add_argument("--port", type=int, default=0, help="port on loopback (default: a free one, kept from then on)")
    parser.add_argument("--region", help="region that the service answers as (default: the environment's, us-east-1)")
    parser.add_argument("--account", help="account that it answers as (default 123456789012)")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Starts it, or finds it running, and says where it is."""
    settings = replace(
        settings,
        port=options.port or settings.port,
        region=options.region or settings.region,
        account=options.account or settings.account,
    )
    before = lifecycle.running(settings)
    if before and settings.port not in (0, before["port"]):
        raise lifecycle.LifecycleError(
            f"The service of {settings.home} runs on port {before['port']} already (process {before['pid']}). "
            "Run 'local-sagemaker down' first to move it."
        )
    found = before or lifecycle.start(settings)
    print(f"{'Already running' if before else 'Running'} at {found['url']} (process {found['pid']}), "
          f"state in {settings.home}")  # fmt: skip
    if not before:
        print('Next: local-sagemaker exec -- COMMAND, or eval "$(local-sagemaker env)" for this shell')
    return 0
