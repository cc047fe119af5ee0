"""The command ``local-sagemaker``: one file per subcommand, listed in `COMMANDS`.

Imports are light: ``exec`` stands in front of every local command, so it must start in milliseconds.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from dataclasses import replace
from pathlib import Path

from local_sagemaker import __version__
from local_sagemaker.config import Settings
from local_sagemaker.lifecycle import LifecycleError

# Add a subcommand here: (name, module, one line for --help).
COMMANDS = (
    ("up", "up", "start the service (does nothing when it runs)"),
    ("down", "down", "stop the service; its state stays"),
    ("status", "status", "say whether it runs, where, and what it holds"),
    ("logs", "logs", "show the service's log, or that of a job or step"),
    ("exec", "exec", "run a command with every AWS client pointed at the service"),
    ("env", "env", "print the shell lines that point AWS clients at the service"),
    ("import", "import_files", "make S3 objects of the files that were copied into the state folder"),
    ("reset", "reset", "empty the service: records, objects, logs, running work"),
    ("doctor", "doctor", "say what this machine can do, and what is used instead where it can't"),
)


def main(arguments: list[str] | None = None) -> int:
    """Parses, runs the subcommand, and turns its errors into one line and an exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        prog="local-sagemaker",
        description="Amazon SageMaker's API on this machine: no AWS account, no Docker.",
        epilog="Example: local-sagemaker exec -- aws sagemaker list-pipelines",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--home", type=Path, help="state folder (default: LOCAL_SAGEMAKER_HOME, else .local-sagemaker)")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    for name, module, line in COMMANDS:
        subparser = subparsers.add_parser(name, help=line, description=line[0].upper() + line[1:] + ".")
        if name == wanted or wanted not in {command for command, _, _ in COMMANDS}:
            loaded = importlib.import_module(f"local_sagemaker.cli.{module}")
            loaded.add_arguments(subparser)
            subparser.set_defaults(run=loaded.run)
    options = parser.parse_args(arguments)
    settings = Settings.from_environment()
    if options.home:
        settings = replace(settings, home=options.home.expanduser().resolve())
    try:
        return int(options.run(options, settings))
    except LifecycleError as error:
        print(f"local-sagemaker: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141
