"""What the command lines of the project share: mistakes in one line, with what was probably meant."""

from __future__ import annotations

import argparse
import difflib
import re
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

SHOWN = 8  # names that a message lists at most
LIBRARIES = re.compile(r"[/\\](site-packages|dist-packages|lib[/\\]python3\.\d+)[/\\]|^<frozen")


EXECUTION = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:pipeline/[^/]+/execution/[a-z0-9]+")


def not_an_execution(text: str) -> str:
    """What is wrong with a text that should be the ARN of an execution."""
    return f"{text} is no ARN of an execution; one is like arn:aws:sagemaker:REGION:ACCOUNT:pipeline/NAME/execution/ID"


class Parser(argparse.ArgumentParser):
    """Says a mistake in one line, with what was probably meant."""

    def error(self, message: str) -> NoReturn:
        choice = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        unknown = re.search(r"unrecognized arguments: (\S+)", message)
        if choice:
            names = re.split(r", ", choice[2].replace(chr(39), ""))
            message = f"{choice[1]} does not exist{hint(choice[1], names, '')}"
        elif unknown and unknown[1].startswith("-"):
            message = f"there is no option {unknown[1]}{hint(unknown[1], _options(self), '')}"
        self.exit(2, f"{self.prog}: {message} (--help shows all)\n")


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from (option for option in action.option_strings if option.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for nested in action.choices.values():
                yield from _options(nested)


def hint(name: str, known: Iterable[str], none: str) -> str:
    """The end of a message about a wrong name: the closest name, or all that exist."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    if not names:
        return f"; {none}"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"; there are: {', '.join(names[:SHOWN])}{more}"


def where(error: BaseException) -> str:
    """The line of a user's own code that an error comes from, as ``FOLDER/FILE.py, line 12, in NAME``; else empty.

    Code of libraries, and of this package, is nobody's own.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    package = str(Path(__file__).parent)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if is_own(frame.filename) and str(Path(frame.filename).parent) != package
    ]
    return f"{frames[-1].filename}, line {frames[-1].lineno}, in {frames[-1].name}" if frames else ""


def is_own(file: str) -> bool:
    """Whether a file is no library's, by its path."""
    return not LIBRARIES.search(file)
