"""How a build specification's text is read: YAML, its version, and what a member may be. Errors name the member."""

from __future__ import annotations

from typing import Any

import yaml

from local_sagemaker import yaml_text


class BuildspecError(ValueError):
    """The specification can't be executed; the message is what the build's phase shows."""


class _TextLoader(yaml.SafeLoader):
    """YAML in which every scalar but a boolean is the text that stands there: ``3.10`` is no 3.1."""


_TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":bool", ":null", ":merge"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(text: str) -> dict[str, Any]:
    """The members of a specification of the version that is executed. Raises `BuildspecError`."""
    try:
        document = yaml_text.load(text, _TextLoader)
    except yaml.YAMLError as error:
        raise BuildspecError(f"YAML file is not well-formed: {' '.join(str(error).split())}") from error
    top = read_mapping(document, "the build specification")
    version = top.get("version")
    if version is None:
        raise BuildspecError("Missing version in the build specification")
    if version != "0.2":
        raise BuildspecError(f"Unsupported build spec version {version}; the local service executes 0.2.")
    return top


def read_mapping(value: Any, place: str) -> dict[str, Any]:
    """A map; `place` names it in the error."""
    if not isinstance(value, dict):
        raise BuildspecError(f"Expected {place} to be a map.")
    return value


def refuse_unknown(document: dict[str, Any], known: tuple[str, ...], place: str) -> None:
    """Raises for a member that is none of the known ones; `place` ends with a slash."""
    unknown = [name for name in document if name not in known]
    if unknown:
        raise BuildspecError(f"Unknown member in the build specification: {place}{unknown[0]}")


def read_texts(value: Any, place: str) -> dict[str, str]:
    """A map of texts; nothing is an empty one."""
    return {str(name): as_text(part) for name, part in read_mapping(value or {}, place).items()}


def as_text(value: Any) -> str:
    """A value as environment variables have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def read_names(value: Any, place: str) -> tuple[str, ...]:
    """A list of texts, or one text; nothing is an empty one."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BuildspecError(f"Expected {place} to be a list of texts.")
    return tuple(value)


def is_set(value: Any) -> bool:
    """Whether a flag is set: ``yes`` and ``true``, as YAML 1.1 has them."""
    return value in (True, "yes", "true")
