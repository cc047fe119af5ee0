"""OutputParameters of Lambda and Callback steps: declared with a type, brought as text, referred to in their type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.grammar import read_object
from local_sagemaker.engine.paths import Token
from local_sagemaker.engine.value_types import COMPOSITE, STRING, member_of

TYPES: dict[str, Callable[[str], Any]] = {
    "String": str,
    "Integer": lambda value: int(float(value)),
    "Float": float,
    "Boolean": lambda value: {"true": True, "false": False}[value.lower()],
}
MOST, LONGEST = 50, 1024
"""How many a step may declare, and characters of a value (API reference, OutputParameter)."""


def problems(step: Step) -> Iterator[str]:
    """What is wrong with the step's declarations: each output must be named, once, and have a known type."""
    outputs = step.members.get("OutputParameters", [])
    if not isinstance(outputs, list) or len(outputs) > MOST:
        yield f"OutputParameters of step '{step.name}' must be an array of at most {MOST}"
        return
    names: set[str] = set()
    for output in outputs:
        name = read_object(output, "OutputName", "OutputType").get("OutputName")
        if not isinstance(name, str) or not name:
            yield f"An output parameter of step '{step.name}' has no OutputName"
        elif output.get("OutputType", STRING) not in tuple(TYPES):
            yield f"OutputType of '{name}' must be one of {', '.join(TYPES)}"
        elif name in names:
            yield f"Step '{step.name}' has two output parameters '{name}'"
        else:
            names.add(name)


def types_of(step: Step) -> dict[str, str]:
    """The type of each output by its name."""
    return {item["OutputName"]: item.get("OutputType", STRING) for item in step.members.get("OutputParameters", [])}


def property_type(step: Step, path: tuple[Token, ...]) -> str:
    """``OutputParameters['name']`` has the declared type, and nothing else can be referred to."""
    if path[:1] != ("OutputParameters",):
        return member_of({"OutputParameters": COMPOSITE}, path[:1])
    return member_of(types_of(step), path[1:])


def collect(values: Mapping[str, str], types: Mapping[str, str]) -> list[dict[str, str]]:
    """The declared outputs as the API shows them. Raises ValueError, to be read after the name of what brought them."""
    missing = [name for name in types if name not in values]
    if missing:
        raise ValueError(f"did not return the declared output '{missing[0]}'.")
    outputs = []
    for name in _in_order(list(types)):
        value = values[name]
        if len(value) > LONGEST:
            raise ValueError(f"returned an output '{name}' of more than {LONGEST} characters.")
        try:
            TYPES[types[name]](value)
        except (ValueError, KeyError, OverflowError) as error:
            raise ValueError(f"returned {value!r} for '{name}', which is no {types[name]}.") from error
        outputs.append({"Name": name, "Value": value})
    return outputs


def properties(outputs: list[dict[str, str]], types: Mapping[str, str]) -> dict[str, Any]:
    """``OutputParameters['name']``, each declared value in its type."""
    values = {item["Name"]: TYPES[types[item["Name"]]](item["Value"]) for item in outputs if item["Name"] in types}
    return {"OutputParameters": values}


def _in_order(names: list[str]) -> list[str]:
    """The order of a Java HashMap's keys: that of the one recorded listing, whose first output scripts read by [0]."""
    capacity = 16
    while len(names) > capacity * 0.75:
        capacity *= 2

    def bucket(name: str) -> int:
        code = 0
        for letter in name:
            code = (31 * code + ord(letter)) & 0xFFFFFFFF
        return (code ^ code >> 16) & (capacity - 1)

    return sorted(names, key=bucket)
