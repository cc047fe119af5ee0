"""``--parameter NAME=VALUE``: checked against the pipeline's own parameters before anything is started.

AWS refuses a wrong name or type as well, but only at the start, one at a time, and without a suggestion.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

TRUTH = {"true": "True", "false": "False"}


class ParameterError(Exception):
    """A parameter is unknown or its value is of the wrong type."""


def parse(texts: Iterable[str], declared: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Values by name, as StartPipelineExecution takes them. An empty value is left out: it means the default.

    :param declared: the ``Parameters`` of a definition.
    :raises ParameterError: with the closest names, or with what the type accepts.
    """
    known = {parameter["Name"]: parameter for parameter in declared}
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"--parameter {text}: NAME=VALUE is expected")
        if name not in known:
            raise ParameterError(f"--parameter: the pipeline has no parameter {name}; {_suggestion(name, known)}")
        values[name] = check_value(known[name], value) if value else ""
    return {name: value for name, value in values.items() if value}


def check_value(declared: Mapping[str, Any], value: str) -> str:
    """:raises ParameterError: if the value is not of the declared type or not among the allowed ones."""
    name, kind = declared["Name"], declared["Type"]
    try:
        value = TYPES[kind](value)
    except (ValueError, KeyError) as error:
        raise ParameterError(f"--parameter {name}: {value!r} is not of type {kind}{HINTS.get(kind, '')}") from error
    allowed = declared.get("EnumValues")
    if allowed and value not in allowed:
        raise ParameterError(f"--parameter {name}: {value!r} is not one of {', '.join(allowed)}")
    return value


def _integer(value: str) -> str:
    return str(int(value))


def _float(value: str) -> str:
    return str(float(value))


def _boolean(value: str) -> str:
    return TRUTH[value.lower()]


TYPES: Mapping[str, Callable[[str], str]] = {
    "String": str,
    "Integer": _integer,
    "Float": _float,
    "Boolean": _boolean,
}
HINTS = {"Boolean": " (True or False)", "Integer": " (a whole number)", "Float": " (a number)"}


def _suggestion(name: str, known: Iterable[str]) -> str:
    by_lower = {item.lower(): item for item in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(by_lower[item] for item in close)}?"
    return f"it has {', '.join(by_lower.values())}"
