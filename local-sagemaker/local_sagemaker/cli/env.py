"""``local-sagemaker env``: lines that give a shell, or a tool that reads files of variables, what ``exec`` gives."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable, Iterator, Mapping

from local_sagemaker import lifecycle
from local_sagemaker.cli.exec import connection
from local_sagemaker.client_environment import changes
from local_sagemaker.config import Settings

Lines = Iterator[str]
Form = Callable[[Mapping[str, str], list[str]], Lines]
HOW_TO = """how to use them:
  bash, zsh, sh   eval "$(local-sagemaker env)"
  fish            local-sagemaker env --format fish | source
  PowerShell      local-sagemaker env --format powershell | Out-String | Invoke-Expression
  an editor       local-sagemaker env --format dotenv > .env
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The form of the lines."""
    parser.add_argument("--format", choices=sorted(FORMS), default="sh", help="whose syntax (default sh)")
    parser.epilog, parser.formatter_class = HOW_TO, argparse.RawDescriptionHelpFormatter


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Prints them; starts the service when it isn't running, as ``exec`` does."""
    service = lifecycle.find_running(settings) or lifecycle.start(settings)
    for line in FORMS[options.format](*changes(os.environ, connection(settings, service))):
        print(line)
    return 0


def _sh(values: Mapping[str, str], removed: list[str]) -> Lines:
    yield from (f"export {name}={shlex.quote(value)}" for name, value in values.items())
    if removed:
        yield f"unset {' '.join(removed)}"


def _fish(values: Mapping[str, str], removed: list[str]) -> Lines:
    for name, value in values.items():
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        yield f"set -gx {name} '{escaped}'"
    yield from (f"set -e {name}" for name in removed)


def _powershell(values: Mapping[str, str], removed: list[str]) -> Lines:
    for name, value in values.items():
        escaped = value.replace("'", "''")
        yield f"$env:{name} = '{escaped}'"
    yield from (f"Remove-Item Env:{name}" for name in removed)


def _dotenv(values: Mapping[str, str], removed: list[str]) -> Lines:
    """As docker, python-dotenv, VS Code and PyCharm read it: plain values, for quotes stay in them in some."""
    yield from (f"{name}={value}" for name, value in values.items())
    if removed:
        yield f"# Set in this environment and not for the service; to be removed there: {' '.join(removed)}"


FORMS: dict[str, Form] = {"sh": _sh, "fish": _fish, "powershell": _powershell, "dotenv": _dotenv}
