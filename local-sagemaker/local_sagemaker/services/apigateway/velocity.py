"""Renders parsed templates: Velocity 1.7 with API Gateway's limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.services.apigateway import velocity_syntax as syntax
from local_sagemaker.services.apigateway.velocity_methods import invoke, item_of, property_of
from local_sagemaker.services.apigateway.velocity_syntax import (
    Expression,
    VelocityBlock,
    VelocityError,
    VelocityReference,
)
from local_sagemaker.services.apigateway.velocity_values import (
    Listing,
    MapEntry,
    calculate,
    compare,
    concatenate,
    is_true,
    text,
)

MOST_ITERATIONS = 1000
"""Of one #foreach (API Gateway's quota)."""
MOST_STEPS = 500_000
"""Parts and references that one rendering evaluates; AWS's own bound is time."""
DEEPEST_MACRO = 20

Function = Callable[..., Any]


class _Break(Exception):
    """Ends the innermost loop."""


class _Stop(Exception):
    """Ends the template."""


@dataclass(frozen=True)
class _Defined:
    """What a name stands for after #define."""

    body: VelocityBlock


class Rendering:
    """One rendering. `roots` are the values that the template is given, `functions` those of ``$root.name(...)``."""

    def __init__(
        self,
        roots: Mapping[str, Any],
        functions: Mapping[str, Mapping[str, Function]],
        parse: Callable[[str], VelocityBlock],
    ) -> None:
        self._roots, self._functions, self._parse = roots, functions, parse
        self._variables: dict[str, Any] = {}
        self._macros: dict[str, syntax.Macro] = {}
        self._loops: list[dict[str, Any]] = []
        self._steps = self._depth = 0

    def of(self, template: VelocityBlock) -> str:
        """The text that the template makes. Raises TemplateError."""
        shown: list[str] = []
        try:
            for part in self._parts(template):
                shown.append(part)  # one by one: what comes before #stop counts
        except (_Stop, _Break):
            pass
        except RecursionError as error:
            raise VelocityError("the template is nested too deeply") from error
        return concatenate(shown)

    def _parts(self, block: VelocityBlock) -> Iterator[str]:
        for part in block.parts:
            self._count()
            if isinstance(part, str):
                yield part
            elif isinstance(part, VelocityReference):
                yield self._source_of(part)
            else:
                yield from self._directive(part)

    def _text(self, block: VelocityBlock) -> str:
        return str(self._weigh(concatenate(self._parts(block))))

    def _count(self, weight: int = 0) -> None:
        self._steps += 1 + weight
        if self._steps > MOST_STEPS:
            raise VelocityError(f"the template takes more than {MOST_STEPS} steps")

    def _weigh(self, value: Any) -> Any:
        """The value; a long one counts for as many steps as it has blocks of letters or of elements."""
        if isinstance(value, str | list | dict):
            self._count(len(value) // 256)
        return value

    # Directives

    def _directive(self, part: syntax.Part) -> Iterator[str]:
        if isinstance(part, syntax.Set):
            self._assign(part.target, self._value(part.value))
        elif isinstance(part, syntax.If):
            for condition, body in part.branches:
                if condition is None or is_true(self._value(condition)):
                    yield from self._parts(body)
                    return
        elif isinstance(part, syntax.ForEach):
            yield from self._loop(part)
        elif isinstance(part, syntax.Define):
            self._variables[part.name] = _Defined(part.body)
        elif isinstance(part, syntax.Macro):
            self._macros[part.name] = part
        elif isinstance(part, syntax.Call):
            yield from self._macro(part)
        elif isinstance(part, syntax.Evaluate):
            yield from self._parts(self._parse(text(self._value(part.text))))
        elif isinstance(part, syntax.Jump):
            raise (_Stop if part.name == "stop" else _Break)

    def _loop(self, part: syntax.ForEach) -> Iterator[str]:
        items = _items(self._value(part.items))
        if len(items) > MOST_ITERATIONS:
            raise VelocityError(f"#foreach has more than {MOST_ITERATIONS} iterations")
        names = (part.variable, "foreach", "velocityCount", "velocityHasNext")
        before = {name: self._variables[name] for name in names if name in self._variables}
        parent = self._variables.get("foreach")
        try:
            for index, item in enumerate(items):
                more = index + 1 < len(items)
                state = {"index": index, "count": index + 1, "hasNext": more, "first": not index, "last": not more}
                self._variables |= {
                    part.variable: item,
                    "foreach": {**state, "parent": parent},
                    "velocityCount": index + 1,
                    "velocityHasNext": more,
                }
                yield from self._parts(part.body)
        except _Break:
            pass
        finally:
            for name in names:
                self._variables.pop(name, None)
            self._variables |= before

    def _macro(self, call: syntax.Call) -> Iterator[str]:
        macro = self._macros.get(call.name)
        if macro is None:
            yield f"#{call.name}()"
            return
        if self._depth >= DEEPEST_MACRO:
            raise VelocityError(f"#{call.name} calls itself more than {DEEPEST_MACRO} times")
        values = [self._value(argument) for argument in call.arguments]
        arguments = dict(zip(macro.parameters, values, strict=False))
        before = {name: self._variables[name] for name in arguments if name in self._variables}
        self._variables |= arguments
        self._depth += 1
        try:
            yield from self._parts(macro.body)
        finally:
            self._depth -= 1
            for name in arguments:
                self._variables.pop(name, None)
            self._variables |= before

    def _assign(self, target: VelocityReference, value: Any) -> None:
        if not target.steps:
            self._variables[target.root] = value
            return
        *way, last = target.steps
        place = self._root(target.root)
        for step in way:
            inner = self._step(place, step)
            if inner is None and isinstance(place, dict) and isinstance(step, syntax.Property):
                inner = place[step.name] = {}
            place = inner
        key: Any = self._value(last.index) if isinstance(last, syntax.VelocityItem) else last.name
        is_place = isinstance(place, list) and isinstance(key, int) and -len(place) <= key < len(place)
        if is_place or isinstance(place, dict):
            place[key] = value

    # Values

    def _value(self, item: Expression) -> Any:
        self._count()
        if isinstance(item, syntax.Literal):
            return item.value
        if isinstance(item, VelocityReference):
            return self._reference(item)
        if isinstance(item, VelocityBlock):
            return self._text(item)
        if isinstance(item, syntax.ListOf):
            return Listing(map(self._value, item.items))
        if isinstance(item, syntax.Range):
            return _range(self._value(item.first), self._value(item.last))
        if isinstance(item, syntax.MapOf):
            return {self._key(key): self._value(value) for key, value in item.entries}
        if isinstance(item, syntax.Unary):
            value = self._value(item.operand)
            return not is_true(value) if item.operator == "!" else calculate("-", 0, value)
        return self._binary(item)

    def _key(self, item: Expression) -> Any:
        key = self._value(item)
        return text(key) if isinstance(key, dict | list) else key

    def _binary(self, item: syntax.Binary) -> Any:
        left = self._value(item.left)
        if item.operator == "&&":
            return is_true(left) and is_true(self._value(item.right))
        if item.operator == "||":
            return is_true(left) or is_true(self._value(item.right))
        right = self._value(item.right)
        if item.operator not in "+-*/%":
            return compare(item.operator, left, right)
        return self._weigh(calculate(item.operator, left, right))

    def _source_of(self, reference: VelocityReference) -> str:
        value = self._reference(reference)
        if value is not None:
            return str(self._weigh(text(value)))
        known = reference.root in self._variables or reference.root in self._roots or reference.root in self._functions
        # API Gateway shows nothing for what is missing in what it knows; Velocity shows what it does not know as it is.
        return "" if known or reference.quiet else reference.source

    def _reference(self, reference: VelocityReference) -> Any:
        steps = reference.steps
        functions = self._functions.get(reference.root, {})
        if steps and not isinstance(steps[0], syntax.VelocityItem) and steps[0].name in functions:
            value = functions[steps[0].name](*self._arguments(steps[0]))
            steps = steps[1:]
        else:
            value = self._root(reference.root)
        for step in steps:
            value = self._step(value, step)
        if value is None and reference.otherwise is not None:
            return self._value(reference.otherwise)
        return self._text(value.body) if isinstance(value, _Defined) else value

    def _root(self, name: str) -> Any:
        return self._variables[name] if name in self._variables else self._roots.get(name)

    def _step(self, value: Any, step: syntax.Step) -> Any:
        self._count()
        if isinstance(value, _Defined):
            value = self._text(value.body)
        if isinstance(step, syntax.Property):
            return property_of(value, step.name)
        if isinstance(step, syntax.VelocityItem):
            return item_of(value, self._value(step.index))
        if step.name == "hasNext" and isinstance(value, dict) and "hasNext" in value:
            return value["hasNext"]
        return self._weigh(invoke(self._weigh(value), step.name, self._arguments(step)))

    def _arguments(self, step: syntax.Step) -> tuple[Any, ...]:
        return tuple(map(self._value, step.arguments)) if isinstance(step, syntax.Method) else ()


def _items(value: Any) -> list[Any]:
    """What #foreach goes through: the elements of a list, the values of a map; nothing for anything else."""
    if isinstance(value, list):
        return list(value)
    return list(value.values()) if isinstance(value, dict) and not isinstance(value, MapEntry) else []


def _range(first: Any, last: Any) -> Listing | None:
    if not isinstance(first, int) or not isinstance(last, int):
        return None
    if abs(last - first) >= MOST_ITERATIONS * 10:
        raise VelocityError("a range is too long")
    numbers: Iterable[int] = range(first, last + 1) if first <= last else range(first, last - 1, -1)
    return Listing(numbers)
