"""Why a step failed, from its failure reason and the end of its job's log: the error first, then where it was raised.

Pure: text goes in, text comes out. A script that fails prints a Python traceback: the log has it, and the failure
reason of some images, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.command_line import is_own

TRACEBACK = "Traceback (most recent call last):"
FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<name>.+))?$')
NATIVE = re.compile(r"^\s*(\[bt\]|Stack trace:|\[\d\d:\d\d:\d\d\])")
SHOWN = 15  # lines of a log without a traceback
LONGEST = 4  # lines of an error's text
SERVICE = "local_sagemaker"  # the images' programs here, which no user wrote


@dataclass(frozen=True)
class Raised:
    """What a traceback says: the error's own text, and the innermost frame of the user's code, if there is one."""

    error: Sequence[str]
    frame: str = ""
    code: str = ""


def explain(reason: str, log: Sequence[str]) -> Iterator[str]:
    """The lines about a failure, without the step's name: the error, the frame, or else the end of the log."""
    head = reason.partition(TRACEBACK)[0].rstrip(" :\n") or "no reason is given"
    raised = find_raised(log) or find_raised(reason.splitlines())
    known = "\n".join(raised.error) if raised else ""
    first, *rest = head.splitlines()
    yield first
    if raised is None:
        yield from (f"  {line}" for line in rest)
        shown = [line for line in log if not NATIVE.match(line)][-SHOWN:]
        yield from (f"  | {line}" for line in shown if line not in head)
        return
    if known not in head:
        yield from (f"  {line}" for line in raised.error)
    if raised.frame:
        yield f"  at {raised.frame}{f': {raised.code}' if raised.code else ''}"


def find_raised(lines: Sequence[str]) -> Raised | None:
    """The last traceback among the lines; None without one."""
    starts = [index for index, line in enumerate(lines) if TRACEBACK in line]
    if not starts:  # Python prints none for a script that it can't read, but where it stopped
        starts = [index - 1 for index, line in enumerate(lines) if FRAME.match(line)]
    if not starts:
        return None
    frames: list[tuple[str, str]] = []
    index = starts[-1] + 1
    while index < len(lines):
        match = FRAME.match(lines[index])
        if match:
            following = lines[index + 1] if index + 1 < len(lines) else ""
            code = "" if FRAME.match(following) or not following.startswith(" ") else following.strip()
            if is_own(match["file"]) and SERVICE not in match["file"]:
                name = f", in {match['name']}" if match["name"] else ""
                frames.append((f"{match['file']}, line {match['line']}{name}", code))
        elif lines[index].strip() and not lines[index].startswith((" ", "\t")):
            break
        index += 1
    error = list(_error(lines[index:]))
    if not error:
        return None
    frame, code = frames[-1] if frames else ("", "")
    return Raised(error, frame, code)


def _error(lines: Sequence[str]) -> Iterator[str]:
    """An error's text: its first line, and those that belong to it, without what C++ adds."""
    for number, line in enumerate(lines[:LONGEST]):
        if number and (not line.strip() or NATIVE.match(line) or TRACEBACK in line):
            return
        yield line.rstrip()
