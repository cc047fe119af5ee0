"""Mapping templates: the part of Velocity that API Gateway's own examples of simple mappings use.

``$input.body``, ``.json('$.x')``, ``.path('$.x')``, ``.params('x')`` and ``.params().header.x``; ``$context`` and
``$stageVariables``; ``$util``'s escapeJavaScript, parseJson, urlEncode, urlDecode, base64Encode, base64Decode; the
methods get, size, toString and replaceAll of values; ``#set($x = ...)`` of a value without operators, ``##`` comments,
``${...}`` and ``$!...``. All else that begins with ``#`` (conditions, loops, macros) and all other methods are refused
when the template is put.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from local_sagemaker.hosting.json_path import JsonPath, PathError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_DIRECTIVE = re.compile(r"#\{?(if|elseif|else|end|foreach|set|macro|include|parse|stop|break|evaluate|define|\[\[|\*)")
_SPACE = re.compile(r"\s*")
_INPUT = ("body", "json", "path", "params")
_METHODS = ("get", "size", "toString", "replaceAll")


class TemplateError(ValueError):
    """The template is malformed or uses what is not supported."""


@dataclass(frozen=True)
class Scene:
    """What a template sees. `parameters` has the maps ``path``, ``querystring`` and ``header``."""

    body: str
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    stage_variables: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def parameter(self, name: str) -> str:
        """A parameter by name, looked for in the path, the query, the headers."""
        for place in ("path", "querystring", "header"):
            if name in self.parameters.get(place, {}):
                return self.parameters[place][name]
        return ""


@dataclass(frozen=True)
class Step:
    """One ``.name``, ``.name(arguments)`` or ``[index]`` of a reference."""

    name: str
    arguments: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Reference:
    """``$root.step.step``; `source` is its text, `quiet` the form with an exclamation mark."""

    source: str
    root: str
    steps: tuple[Step, ...]
    quiet: bool = False


@dataclass(frozen=True)
class Assignment:
    """``#set($name = value)``."""

    name: str
    value: Any


@dataclass(frozen=True)
class Text:
    """Literal text with references in it: a whole template, or a string in double quotes."""

    parts: tuple[Any, ...]

    def render(self, scene: Scene, variables: dict[str, Any] | None = None) -> str:
        """The text with all references replaced. Raises TemplateError."""
        variables = {} if variables is None else variables
        shown = []
        for part in self.parts:
            if isinstance(part, Assignment):
                variables[part.name] = _value(part.value, scene, variables)
            elif isinstance(part, Reference):
                shown.append(_shown(part, scene, variables))
            else:
                shown.append(part)
        return "".join(shown)


def parse(text: str) -> Text:
    """Reads a template. Raises TemplateError for what is not supported."""
    return _Parser(text).text()


class _Parser:
    """A hand-written parser: Velocity has no grammar that a library would read."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def text(self) -> Text:
        parts: list[Any] = []
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter == "#":
                self._hash(parts)
            elif letter == "$":
                parts.append(self._reference() or self._next())
            elif letter == "\\" and self._text[self._at + 1 : self._at + 2] in ("$", "#"):
                self._at += 1
                parts.append(self._next())
            else:
                parts.append(self._next())
        return Text(_joined(parts))

    def _hash(self, parts: list[Any]) -> None:
        if self._text.startswith("##", self._at):
            end = self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end + 1
            return
        found = _DIRECTIVE.match(self._text, self._at)
        if not found:
            parts.append(self._next())
        elif found[1] != "set":
            raise TemplateError(f"#{found[1]} is not supported by the local service")
        else:
            self._at = found.end()
            parts.append(self._assignment())

    def _assignment(self) -> Assignment:
        self._expect("(")
        self._skip()
        target = self._reference()
        if target is None or target.steps:
            raise TemplateError("#set needs a plain variable to set")
        self._expect("=")
        value = self._expression()
        self._expect(")")
        if self._text.startswith("\n", self._at):
            self._at += 1
        return Assignment(target.root, value)

    def _expression(self) -> Any:
        self._skip()
        letter = self._text[self._at : self._at + 1]
        if letter == "$":
            found = self._reference()
            if found is None:
                raise TemplateError(f"no reference at '{self._text[self._at : self._at + 20]}'")
            return found
        if letter in ("'", '"'):
            end = self._text.find(letter, self._at + 1)
            if end < 0:
                raise TemplateError("a string is not closed")
            content = self._text[self._at + 1 : end]
            self._at = end + 1
            return content if letter == "'" else parse(content)
        found_number = re.compile(r"-?\d+(\.\d+)?|true|false|null").match(self._text, self._at)
        if not found_number:
            raise TemplateError(f"'{self._text[self._at : self._at + 20]}' is not supported by the local service")
        self._at = found_number.end()
        return json.loads(found_number[0])

    def _reference(self) -> Reference | None:
        """The reference that begins here, or None when the dollar sign is only text."""
        start = self._at
        self._at += 1
        quiet, braces = self._take("!"), self._take("{")
        name = _NAME.match(self._text, self._at)
        if not name:
            self._at = start
            return None
        self._at = name.end()
        steps = self._steps()
        if braces and not self._take("}"):
            raise TemplateError(f"'{self._text[start : start + 20]}' has no closing brace")
        _check(name[0], steps)
        return Reference(self._text[start : self._at], name[0], tuple(steps), quiet)

    def _steps(self) -> list[Step]:
        steps: list[Step] = []
        while self._at < len(self._text):
            index = re.compile(r"\[(\d+)\]").match(self._text, self._at)
            name = _NAME.match(self._text, self._at + 1) if self._text[self._at] == "." else None
            if index:
                self._at = index.end()
                steps.append(Step("get", (int(index[1]),)))
            elif name:
                self._at = name.end()
                steps.append(Step(name[0], self._arguments()))
            else:
                break
        return steps

    def _arguments(self) -> tuple[Any, ...] | None:
        if not self._take("("):
            return None
        found: list[Any] = []
        self._skip()
        while not self._take(")"):
            if found:
                self._expect(",")
            found.append(self._expression())
            self._skip()
        return tuple(found)

    def _take(self, letter: str) -> bool:
        if not self._text.startswith(letter, self._at):
            return False
        self._at += 1
        return True

    def _expect(self, letter: str) -> None:
        self._skip()
        if not self._take(letter):
            raise TemplateError(f"'{letter}' is missing at '{self._text[self._at : self._at + 20]}'")

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _next(self) -> str:
        self._at += 1
        return self._text[self._at - 1]


def _joined(parts: list[Any]) -> tuple[Any, ...]:
    joined: list[Any] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)


def _check(root: str, steps: list[Step]) -> None:
    known: tuple[str, ...] | None = {"input": _INPUT, "util": tuple(_UTIL)}.get(root)
    if known is not None and (not steps or steps[0].name not in known):
        name = steps[0].name if steps else ""
        raise TemplateError(f"${root}.{name} is not supported by the local service; {', '.join(known)} are")
    for step in steps[1:] if known is not None else steps:
        if step.arguments is not None and step.name not in _METHODS:
            raise TemplateError(f"the method {step.name}() is not supported by the local service")


def _shown(reference: Reference, scene: Scene, variables: dict[str, Any]) -> str:
    if reference.root not in (*_ROOTS, "util") and reference.root not in variables:
        return "" if reference.quiet else reference.source  # as Velocity shows what it does not know
    value = _value(reference, scene, variables)
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, separators=(",", ":"))


def _value(item: Any, scene: Scene, variables: dict[str, Any]) -> Any:
    if isinstance(item, Text):
        return item.render(scene, variables)
    if not isinstance(item, Reference):
        return item
    steps = [
        Step(step.name, None if step.arguments is None else tuple(_value(a, scene, variables) for a in step.arguments))
        for step in item.steps
    ]
    if item.root == "util":
        value, rest = _util(steps[0]), steps[1:]
    elif item.root == "input":
        value, rest = _input(steps[0], scene), steps[1:]
    else:
        value, rest = _ROOTS[item.root](scene) if item.root in _ROOTS else variables.get(item.root), steps
    for step in rest:
        value = _step(value, step)
    return value


def _input(step: Step, scene: Scene) -> Any:
    if step.name == "body":
        return scene.body
    if step.name == "params":
        return scene.parameter(str(step.arguments[0])) if step.arguments else scene.parameters
    path = str(step.arguments[0]) if step.arguments else "$"
    try:
        found = JsonPath.parse(path).of(scene.document())
    except PathError:
        return None
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False) if step.name == "json" else found


def _util(step: Step) -> Any:
    if not step.arguments or len(step.arguments) != 1:
        raise TemplateError(f"$util.{step.name} needs one argument")
    value = step.arguments[0]
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    try:
        return _UTIL[step.name](text)
    except ValueError as error:
        raise TemplateError(f"$util.{step.name}: {error}") from error


def _step(value: Any, step: Step) -> Any:
    if step.arguments is None:
        return value.get(step.name) if isinstance(value, Mapping) else None
    if step.name == "size":
        return len(value) if value is not None else None
    if step.name == "toString":
        return value if isinstance(value, str) else json.dumps(value)
    if step.name == "replaceAll":
        pattern, replacement = (str(argument) for argument in (*step.arguments, "", "")[:2])
        try:
            return re.sub(pattern, lambda _: replacement, str(value))
        except re.error as error:
            raise TemplateError(f"replaceAll: {error}") from error
    key = step.arguments[0] if step.arguments else None
    if isinstance(value, Mapping):
        return value.get(key)
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None


def _escape_javascript(text: str) -> str:
    shown = json.dumps(text)[1:-1]
    return shown.replace("'", "\\'").replace("/", "\\/")


_UTIL: dict[str, Callable[[str], Any]] = {
    "escapeJavaScript": _escape_javascript,
    "parseJson": json.loads,
    "urlEncode": quote_plus,
    "urlDecode": unquote_plus,
    "base64Encode": lambda text: base64.b64encode(text.encode()).decode(),
    "base64Decode": lambda text: base64.b64decode(text).decode("utf-8", "replace"),
}
_ROOTS: dict[str, Callable[[Scene], Any]] = {
    "input": lambda scene: scene,
    "context": lambda scene: scene.context,
    "stageVariables": lambda scene: scene.stage_variables,
}
