"""``local-sagemaker exec -- COMMAND``: a command with every AWS client in it pointed at the service."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping

from local_sagemaker import lifecycle
from local_sagemaker.client_environment import client_environment, with_hook
from local_sagemaker.config import Settings

COMMAND_VARIABLE = "LOCAL_SAGEMAKER_COMMAND"
"""What a program puts in front of a command that it suggests, where the user's shell isn't set for the service."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command to run, after ``--``."""
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the command and its arguments")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Starts the service when it isn't running, then becomes the command."""
    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not words:
        raise lifecycle.LifecycleError("Nothing to run. Example: local-sagemaker exec -- aws s3 ls")
    service = lifecycle.find_running(settings) or lifecycle.start(settings)
    environment = with_hook(os.environ, connection(settings, service))
    if "LOCAL_SAGEMAKER_URL" not in os.environ:
        environment[COMMAND_VARIABLE] = "local-sagemaker exec --"
    sys.stdout.flush()
    try:
        os.execvpe(words[0], words, environment)
    except FileNotFoundError:
        print(f"local-sagemaker: there is no command '{words[0]}' on PATH.", file=sys.stderr)
        return 127
    except PermissionError:
        print(f"local-sagemaker: '{words[0]}' is not executable.", file=sys.stderr)
        return 126


def connection(
    settings: Settings, service: Mapping[str, object], environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The client environment of a running service.

    The region is the one that `environment` (this process's by default) names, else the one that the service was
    started as: it stands for all.
    """
    environment = os.environ if environment is None else environment
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or str(service["region"])
    keys = json.loads(settings.credentials_file.read_text())
    own_settings = Settings(home=settings.home, region=region, account=str(service["account"]))
    return {**client_environment(own_settings, str(service["url"]), keys), "LOCAL_SAGEMAKER_HOME": str(settings.home)}
