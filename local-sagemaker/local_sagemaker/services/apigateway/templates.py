"""Mapping templates: Velocity with ``$input``, ``$context``, ``$stageVariables`` and ``$util``.

Sources: API Gateway Developer Guide, "Mapping template and access logging variable reference"; ``$esc``, whose
constants AWS's blog post on SageMaker behind a REST API uses; LocalStack's tests, which run against AWS, for an empty
body and for how maps and arrays are written. Functions and methods that are not here are refused when the template is
put.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from local_sagemaker.services.apigateway import jayway_json_path
from local_sagemaker.services.apigateway.velocity import Rendering
from local_sagemaker.services.apigateway.velocity_methods import KNOWN
from local_sagemaker.services.apigateway.velocity_parser import VelocityParser
from local_sagemaker.services.apigateway.velocity_syntax import (
    Literal,
    Method,
    Property,
    VelocityBlock,
    VelocityError,
    VelocityItem,
    VelocityReference,
)
from local_sagemaker.services.apigateway.velocity_values import text, to_json

__all__ = ["MappingTemplate", "Overrides", "Scene", "VelocityError", "parse"]

_INPUT = ("body", "json", "path", "params")
_ESCAPES = {
    "newline": "\n", "n": "\n", "dollar": "$", "d": "$", "hash": "#", "h": "#", "quote": '"', "q": '"',
    "singleQuote": "'", "s": "'", "backslash": "\\", "b": "\\", "exclamation": "!", "e": "!",
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """What a template sees. `parameters` has the maps ``path``, ``querystring`` and ``header``."""

    body: str
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    stage_variables: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> Any:
        """The body as JSON: an empty object for none, None when it is something else."""
        try:
            return json.loads(self.body) if self.body else {}
        except (ValueError, RecursionError):
            return None

    def parameter(self, name: str) -> str:
        """A parameter by name, looked for in the path, the query, the headers."""
        for place in ("path", "querystring", "header"):
            if name in self.parameters.get(place, {}):
                return self.parameters[place][name]
        return ""


@dataclass(frozen=True)
class Overrides:
    """What a template set in ``$context.requestOverride`` and ``$context.responseOverride``."""

    request: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MappingTemplate:
    """A parsed template."""

    block: VelocityBlock

    def render(self, scene: Scene) -> str:
        """The text that it makes. Raises TemplateError."""
        return self.run(scene)[0]

    def run(self, scene: Scene) -> tuple[str, Overrides]:
        """The text that it makes, and what it overrides. Raises TemplateError."""
        context = {
            **copy.deepcopy(dict(scene.context)),
            "requestOverride": {"header": {}, "path": {}, "querystring": {}},
            "responseOverride": {"header": {}},
        }
        roots = {"context": context, "stageVariables": dict(scene.stage_variables), "esc": _ESCAPES}
        functions = {"input": _input(scene), "util": _UTIL}
        made = Rendering(roots, functions, lambda source: VelocityParser(source, _check).template()).of(self.block)
        try:
            made.encode()
        except UnicodeEncodeError as error:
            raise VelocityError("the template makes half of a surrogate pair") from error
        return made, Overrides(context["requestOverride"], context["responseOverride"])


@lru_cache(maxsize=256)
def parse(template: str) -> MappingTemplate:
    """Reads a template. Raises TemplateError for what is malformed or not supported."""
    return MappingTemplate(VelocityParser(template, _check).template())


def _check(reference: VelocityReference) -> None:
    """Refuses functions and methods that are not here, and literal JSONPaths that are none."""
    known: tuple[str, ...] | None = {"input": _INPUT, "util": tuple(_UTIL)}.get(reference.root)
    steps = reference.steps
    if known is not None:
        first = steps[0] if steps else Property("")
        name = "" if isinstance(first, VelocityItem) else first.name
        if name not in known:
            here = ", ".join(known)
            raise VelocityError(f"${reference.root}.{name} is not supported by the local service; {here} are")
        if name in ("json", "path") and isinstance(first, Method) and first.arguments:
            path = first.arguments[0]
            if isinstance(path, Literal):
                jayway_json_path.parse(str(path.value))
        steps = steps[1:]
    for step in steps:
        if isinstance(step, Method) and step.name not in KNOWN and step.name != "hasNext":
            raise VelocityError(f"the method {step.name}() is not supported by the local service")


def _input(scene: Scene) -> dict[str, Callable[..., Any]]:
    document: list[Any] = []

    def select(path: Any) -> Any:
        if not document:
            document.append(scene.document())
        return jayway_json_path.parse(str(path)).of(document[0])

    def as_json(path: Any = "$") -> str:
        value = select(path)
        return '""' if value is None else to_json(value)

    def params(name: Any = None) -> Any:
        return scene.parameter(str(name)) if name is not None else copy.deepcopy(dict(scene.parameters))

    # An empty body is an empty object to $input.body, too.
    return {"body": lambda: scene.body or "{}", "json": as_json, "path": select, "params": params}


def _of_text(function: Callable[[str], Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        if len(arguments) != 1:
            raise VelocityError("a function of $util needs one argument")
        try:
            return function("" if arguments[0] is None else text(arguments[0]))
        except (ValueError, RecursionError) as error:
            raise VelocityError(f"$util: {error}") from error

    return call


def _escape_javascript(string: str) -> str:
    shown = json.dumps(string)[1:-1]
    return shown.replace("'", "\\'").replace("/", "\\/")


_UTIL: dict[str, Callable[..., Any]] = {
    "escapeJavaScript": _of_text(_escape_javascript),
    "parseJson": _of_text(json.loads),
    "urlEncode": _of_text(quote_plus),
    "urlDecode": _of_text(unquote_plus),
    "base64Encode": _of_text(lambda string: base64.b64encode(string.encode()).decode()),
    "base64Decode": _of_text(lambda string: base64.b64decode(string).decode("utf-8", "replace")),
}
