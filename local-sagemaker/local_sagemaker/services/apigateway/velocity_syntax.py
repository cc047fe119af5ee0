"""The parts of a parsed Velocity template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class VelocityError(ValueError):
    """The template is malformed, uses what is not supported, or goes beyond a limit."""


@dataclass(frozen=True)
class Literal:
    """A number, a string in single quotes, true, false or null."""

    value: Any


@dataclass(frozen=True)
class ListOf:
    """``[a, b]``."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Range:
    """``[a..b]``, both ends included."""

    first: Expression
    last: Expression


@dataclass(frozen=True)
class MapOf:
    """``{a: b, ...}``."""

    entries: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True)
class Unary:
    """``!x``, ``not x``, ``-x``."""

    operator: str
    operand: Expression


@dataclass(frozen=True)
class Binary:
    """``a + b``; operators spelled as words have their signs."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Property:
    """``.name``."""

    name: str


@dataclass(frozen=True)
class Method:
    """``.name(arguments)``."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class VelocityItem:
    """``[index]``."""

    index: Expression


Step = Property | Method | VelocityItem


@dataclass(frozen=True)
class VelocityReference:
    """``$root.step.step``. `source` is its text, `quiet` the form with an exclamation mark, `otherwise` what follows
    a vertical bar in braces: the value when there is none."""

    source: str
    root: str
    steps: tuple[Step, ...]
    quiet: bool = False
    otherwise: Expression | None = None


@dataclass(frozen=True)
class VelocityBlock:
    """Text with references and directives in it: a template, a directive's body, a string in double quotes."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Set:
    """``#set($target = value)``."""

    target: VelocityReference
    value: Expression


@dataclass(frozen=True)
class If:
    """``#if(a) ... #elseif(b) ... #else ... #end``; the last condition is None for #else."""

    branches: tuple[tuple[Expression | None, VelocityBlock], ...]


@dataclass(frozen=True)
class ForEach:
    """``#foreach($variable in items) ... #end``."""

    variable: str
    items: Expression
    body: VelocityBlock


@dataclass(frozen=True)
class Define:
    """``#define($name) ... #end``: a block that is rendered where the name is used."""

    name: str
    body: VelocityBlock


@dataclass(frozen=True)
class Macro:
    """``#macro(name $parameter ...) ... #end``."""

    name: str
    parameters: tuple[str, ...]
    body: VelocityBlock


@dataclass(frozen=True)
class Call:
    """``#name(argument ...)``: a macro used."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Evaluate:
    """``#evaluate(text)``: text that is a template."""

    text: Expression


@dataclass(frozen=True)
class Jump:
    """``#break`` or ``#stop``."""

    name: str


Expression = Literal | ListOf | Range | MapOf | Unary | Binary | VelocityReference | VelocityBlock
Part = str | VelocityReference | Set | If | ForEach | Define | Macro | Call | Evaluate | Jump
