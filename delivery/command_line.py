"""What the command lines of delivery share: flags, ``--local``, errors in one line, and how waiting looks."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from delivery.errors import DeliveryError
from pipelines import local, session
from pipelines.command_line import Parser

if TYPE_CHECKING:
    from rich.console import Console

    from delivery.clients import Clients
    from delivery.endpoints import State

INTERRUPTED = 130  # the exit code of a shell after Ctrl-C
NO_CREDENTIALS = "there are no AWS credentials; configure some, or add --local to stay on this machine"
WIDE = 200  # columns, where the output is no terminal
Command = Callable[["CommandContext"], int | None]
Adder = Callable[[str, Command, str], argparse.ArgumentParser]


def parser(program: str, description: str, examples: str) -> Parser:
    made = Parser(program, description=description, epilog=examples, formatter_class=ExampleFormatter)
    add_common(made, first=True)
    return made


class ExampleFormatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of examples."""


def add_common(made: argparse.ArgumentParser, first: bool = False) -> None:
    """Flags that stand before or behind the command's name."""

    def default(value: object) -> object:  # the second parser must not undo what the first has read
        return value if first else argparse.SUPPRESS

    add = made.add_argument
    add(local.FLAG, action="store_true", default=default(False), help="on this machine, without an AWS account")
    add("--region", default=default(None), help="AWS region; by default that of the environment")
    add("--bucket", default=default(None), help="bucket for what is uploaded; by default sagemaker-REGION-ACCOUNT")
    add("--debug", action="store_true", default=default(False), help="show tracebacks")


@dataclass
class CommandContext:
    """One call of a command: its arguments, and what it needs of AWS, looked up when needed."""

    arguments: argparse.Namespace

    @cached_property
    def region(self) -> str:
        return session.find_region(self.arguments.region)

    @cached_property
    def clients(self) -> Clients:
        from delivery.clients import Clients

        return Clients(self.region)

    @cached_property
    def bucket(self) -> str:
        return str(self.arguments.bucket or session.find_bucket(self.region))

    @cached_property
    def own_bucket(self) -> str:
        """The bucket, created if it does not exist."""
        from delivery.artifacts import ensure_bucket

        ensure_bucket(self.clients, self.bucket)
        return self.bucket

    @cached_property
    def role(self) -> str:
        try:
            return str(getattr(self.arguments, "role_arn", None) or session.find_role(self.region))
        except ValueError as error:
            raise DeliveryError(str(error)) from error

    @cached_property
    def console(self) -> Console:
        from rich.console import Console

        console = Console(highlight=False, soft_wrap=True)
        return console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=WIDE)


def run(program: str, package: str, made: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    """The exit code: 0, 1 if it cannot be done, 2 for wrong usage, 130 for Ctrl-C."""
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = made.parse_args(words)
    command: Command | None = getattr(arguments, "command", None)
    if command is None:
        made.print_help()
        return 2
    if arguments.local:
        return local.hand_over(program, words, package)
    try:
        return command(CommandContext(arguments)) or 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if arguments.debug:
            raise
        print(f"{program}: {_text(error)}", file=sys.stderr)
        return 1


def _text(error: Exception) -> str:
    from botocore.exceptions import EndpointConnectionError, NoCredentialsError, NoRegionError

    from pipelines.refusals import describe

    if isinstance(error, DeliveryError):
        return str(error)
    if isinstance(error, NoCredentialsError):
        return NO_CREDENTIALS
    if isinstance(error, NoRegionError):
        return "no region is named: --region, or AWS_REGION"
    if isinstance(error, EndpointConnectionError):
        return describe_unreachable(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, ModuleNotFoundError):
        return f"this needs {error.name}: pip install '.[delivery]'"
    return f"{describe(error)} (--debug shows where)"


def describe_unreachable(error: Exception) -> str:
    """What to look at where AWS has no such host: mostly the region is wrong."""
    region = os.environ.get("AWS_REGION", "")
    return f"{error}: does the region {region} exist (aws account list-regions), and is the network up?"


def show_waiting(work: CommandContext, what: str, states: Iterable[State]) -> None:
    """One line for each change of status; on a terminal also the time that runs."""
    console, shown = work.console, ""
    with console.status(what) as status:
        for state in states:
            now = f"{state.status}, {state.stage}" if state.stage else state.status
            if now != shown:
                shown = now
                console.print(f"{what}: {now} after {state.seconds:.1f} s")
            status.update(f"{what}: {now} for {state.seconds:.0f} s")
