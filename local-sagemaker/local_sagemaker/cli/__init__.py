"""The command ``local-sagemaker``: one file per subcommand, listed in `COMMANDS`.

Imports are light: ``exec`` stands in front of every local command, so it must start in milliseconds.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from local_sagemaker import __version__
from local_sagemaker.config import Settings, SettingsError
from local_sagemaker.lifecycle import LifecycleError

# Add a subcommand here: (name, module, one line for --help).
COMMANDS = (
    ("up", "up", "start the service (does nothing when it runs)"),
    ("down", "down", "stop the service; its state stays"),
    ("status", "status", "say whether it runs, where, and what it holds"),
    ("logs", "logs", "show the service's log, or that of a job or step"),
    ("debug", "debug", "run the job of a step again at this terminal, with its inputs"),
    ("shell", "shell", "open a shell where the job of a step runs, as it left it if it failed"),
    ("failed-jobs", "failed_jobs", "list or remove the kept folders of failed jobs"),
    ("exec", "exec", "run a command with every AWS client pointed at the service"),
    ("env", "env", "print the shell lines that point AWS clients at the service"),
    ("studio", "studio", "open the web pages in a browser"),
    ("approvals", "approvals", "list the approvals that delivery pipelines wait for"),
    ("approve", "approve", "approve what a delivery pipeline waits for"),
    ("reject", "reject", "reject what a delivery pipeline waits for"),
    ("images", "images", "list, prepare or remove the libraries of container images"),
    ("import", "import_files", "make S3 objects of the files that were copied into the state folder"),
    ("reset", "reset", "empty the service: records, objects, logs, running work"),
    ("monitor", "monitor", "list monitoring schedules, or run one now"),
    ("clock", "clock", "show the service's clock, or move it ahead"),
    ("doctor", "doctor", "say what this machine can do, and what is used instead where it can't"),
)


class CommandParser(argparse.ArgumentParser):
    """Says a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (--help shows all)\n")


def parser(wanted: str | None = None) -> argparse.ArgumentParser:
    """The command line's parser. With the name of a subcommand, only that one's module is imported."""
    made = CommandParser(
        prog="local-sagemaker",
        description="Amazon SageMaker's API on this machine: no AWS account, no Docker.",
        epilog="Example: local-sagemaker exec -- aws sagemaker list-pipelines",
    )
    made.add_argument("--version", action="version", version=__version__)
    made.add_argument("--home", type=Path, help="state folder (default: LOCAL_SAGEMAKER_HOME, else .local-sagemaker)")
    subparsers = made.add_subparsers(dest="command", metavar="COMMAND", required=True)
    names = {name for name, _, _ in COMMANDS}
    for name, module, line in COMMANDS:
        subparser = subparsers.add_parser(name, help=line, description=line[0].upper() + line[1:] + ".")
        if name == wanted or wanted not in names:
            loaded = importlib.import_module(f"local_sagemaker.cli.{module}")
            loaded.add_arguments(subparser)
            subparser.set_defaults(run=loaded.run)
    return made


def main(arguments: list[str] | None = None) -> int:
    """Parses, runs the subcommand, and turns its errors into one line and an exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = parser(_subcommand(arguments)).parse_args(arguments)
    try:
        settings = Settings.from_environment()
        if options.home:
            settings = replace(settings, home=options.home.expanduser().resolve())
        return int(options.run(options, settings))
    except (LifecycleError, SettingsError) as error:
        print(f"local-sagemaker: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141


def _subcommand(arguments: list[str]) -> str | None:
    """The first word that is neither an option nor the folder that follows ``--home``."""
    words = iter(arguments)
    for word in words:
        if word == "--home":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None
