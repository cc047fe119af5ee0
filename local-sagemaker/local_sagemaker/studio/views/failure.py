"""Why something failed, the user's own frame first. Pure: from the text of a failure and the lines of a log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_FRAME = re.compile(r'^\s*File "(?P<file>[^"]{1,500})", line (?P<line>\d{1,7})(?:, in (?P<function>.{1,200}))?\s*$')
_ERROR = re.compile(
    r"^(?P<name>[A-Za-z_][\w.]{0,120}(?:Error|Exception|Interrupt|Exit|Warning|Violation\w*))(?:: (?P<text>.*))?$"
)
SILENT = re.compile(r"^(?:\w+Error: )*, exit code: \d+$")
"""A container's reason that says no more than that it failed; the program's last words are in its log."""
_SUDDEN = re.compile(r'ExecuteUserScriptError:\nExitCode (-?\d+)\nErrorMessage ""')
_COMMAND_ONLY = re.compile(r'ExecuteUserScriptError:\nCommand "')
"""The whole reason of XGBoost's images for a script that failed; the script's last words are in its log."""
_REPORT = ("Reported training FAILURE", "AlgorithmError", "ExecuteUserScriptError", 'Command "')
"""How the lines begin by which the toolkit reports that in the log."""
_SIGNAL = "local-sagemaker: the script was ended by a signal"
"""What the log of such a script's end has, where it was a signal."""
_QUOTED = re.compile(r'^ErrorMessage "(?P<text>[^"]{1,2000})"?')
"""How the training toolkit quotes the script's own error in its reason."""
_LIBRARIES = ("/site-packages/", "/dist-packages/", "/lib/python", "<frozen", "<string>", "local_sagemaker")
_HINTS = tuple(
    (re.compile(pattern, re.MULTILINE), advice)
    for pattern, advice in (
        (
            r"No module named '?([\w.]{1,100}/[\w./]{1,100})",
            "XGBoost's images run the script as a module: keep {0}.py beside the other files, and not in a folder.",
        ),
        (
            r"No module named '?([\w.]{1,100})(?![\w./])",
            "Add {0} to the requirements.txt beside the script, or choose an image that has it.",
        ),
        (
            r"No such file or directory: '?([^'\n]{1,300})",
            "Nothing is at {0}. Compare it with the step's inputs and their local paths (In / out).",
        ),
        (
            r"^KeyError: '?([^'\n]{1,200})",
            "There is no key or column {0}. Look at the input's preview for the names that exist.",
        ),
        (
            r"MemoryError|Killed|SIGKILL|exit code: 137|ExitCode -9",
            "The process ran out of memory, or was killed. Read the data in pieces, or free memory on this machine.",
        ),
        (
            r"could not convert string to float: '?([^'\n]{1,100})",
            "A column holds the text {0}. Is the header read as data, or a category not encoded?",
        ),
        (
            r"[Vv]iolation",
            "The data or the model moved against the baseline. Open the report, then decide: mend the data, or "
            "register a new baseline from the start form.",
        ),
        (
            r"[Tt]imed? ?out|MaxRuntimeInSeconds",
            "The job took longer than its stopping condition allows. Raise MaxRuntimeInSeconds or use less data.",
        ),
    )
)


@dataclass(frozen=True)
class Frame:
    """A frame of a traceback, with the line of source that follows it there."""

    file: str
    line: int
    function: str
    source: str


@dataclass(frozen=True)
class Failure:
    """`sentence` is error class and message; `frame` the last one in the user's code; `traceback` the whole text;
    `log_end` the last lines of the log."""

    sentence: str
    frame: Frame | None
    traceback: tuple[str, ...]
    log_end: tuple[str, ...]
    hint: str


def explain(reason: str, log: Sequence[str] = ()) -> Failure:
    """Reads a failure from its reason (FailureReason) and the end of its log."""
    text = reason.replace("\\n", "\n")
    shown = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("[bt]"))
    lines = [match["text"] if (match := _QUOTED.match(line)) else line for line in shown]
    traceback = _traceback(log) or _traceback(lines)
    named = ([line.strip() for line in part if _ERROR.match(line.strip())] for part in (traceback, lines))
    errors = next(filter(None, named), [])
    sentence = errors[-1] if errors else _first(lines, log)
    if SILENT.match(sentence):
        sentence = _last(log) or sentence
    elif not traceback and (sudden := _SUDDEN.search(text) or _COMMAND_ONLY.search(text)):
        signals = [line.strip() for line in log if line.startswith(_SIGNAL)]
        silent = f"The script ended with exit code {sudden[1]}, without a word." if sudden.groups() else ""
        sentence = signals[-1] if signals else silent or _last(_before_report(log)) or sentence
    frames = _frames(traceback)
    own = [frame for frame in frames if not any(part in frame.file for part in _LIBRARIES)]
    frame = (own or frames)[-1] if frames else None
    combined = "\n".join((*lines, *traceback, *log[-40:]))
    return Failure(sentence[:2000], frame, tuple(traceback), tuple(log[-20:]), _hint(sentence, combined))


def _first(lines: Sequence[str], log: Sequence[str]) -> str:
    if lines:
        return lines[0].strip()
    return _last(log) or "No reason was given."


def _before_report(log: Sequence[str]) -> Sequence[str]:
    """The lines without those at the end that the toolkit adds."""
    end = len(log)
    while end and (not log[end - 1].strip() or any(mark in log[end - 1] for mark in _REPORT)):
        end -= 1
    return log[:end]


def _last(log: Sequence[str]) -> str:
    return next((line.strip() for line in reversed(log) if line.strip()), "")


def _traceback(lines: Sequence[str]) -> list[str]:
    """From the last "Traceback" on, to the line that names the error."""
    starts = [place for place, line in enumerate(lines) if line.strip().startswith("Traceback (most recent call last)")]
    if not starts:
        return []
    start = starts[-1]
    while len(starts) > 1 and any(
        "above exception" in line or "direct cause" in line for line in lines[starts[-2] : start]
    ):
        starts.pop()
        start = starts[-1]
    collected = []
    for line in lines[start : start + 400]:
        collected.append(line.rstrip())
        if len(collected) > 1 and _ERROR.match(line.strip()) and not line.startswith(" "):
            rest = lines[start + len(collected) : start + len(collected) + 3]
            if not any("exception" in item for item in rest):
                break
    return collected


def _frames(lines: Sequence[str]) -> list[Frame]:
    frames = []
    for place, line in enumerate(lines):
        match = _FRAME.match(line)
        if match:
            following = lines[place + 1].strip() if place + 1 < len(lines) else ""
            source = "" if _FRAME.match(following) else following
            frames.append(Frame(match["file"], int(match["line"]), match["function"] or "", source))
    return frames


def _hint(sentence: str, text: str) -> str:
    for place in (sentence, text):
        for pattern, advice in _HINTS:
            match = pattern.search(place)
            if match:
                return advice.format(*(match.groups() or ("",)))
    return ""
