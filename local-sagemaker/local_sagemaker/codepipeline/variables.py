"""Variables in the configuration of actions: ``#{variables.NAME}``, ``#{Namespace.Key}`` (CodePipeline user guide)."""

from __future__ import annotations

import re
from collections.abc import Mapping

Namespaces = Mapping[str, Mapping[str, str]]
_REFERENCE = re.compile(r"#\{([A-Za-z0-9@\-_]+)\.([A-Za-z0-9@\-_.]+)\}")


class UnresolvedVariable(ValueError):
    """A reference names nothing that has run; the message says which."""


def references(text: str) -> list[tuple[str, str]]:
    """The namespaces and keys that a text refers to."""
    return [(namespace, key) for namespace, key in _REFERENCE.findall(text)]


def resolve(text: str, namespaces: Namespaces) -> str:
    """A text with the values in the places of its references. Raises `UnresolvedVariable`."""

    def value(match: re.Match[str]) -> str:
        namespace, key = match.groups()
        variable = namespaces.get(namespace, {}).get(key)
        if variable is None:
            raise UnresolvedVariable(
                f"The action failed because either the variable {key} or the namespace {namespace} could not be found."
            )
        return variable

    return _REFERENCE.sub(value, text)


def resolve_all(configuration: Mapping[str, str], namespaces: Namespaces) -> dict[str, str]:
    """A configuration with all references resolved."""
    return {name: resolve(value, namespaces) for name, value in configuration.items()}
