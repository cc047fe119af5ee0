"""What flows in a definition, as its expressions say: outputs into inputs, parameters into steps. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local_sagemaker.engine.definition import Definition
from local_sagemaker.engine.expressions import GET, references
from local_sagemaker.engine.graph import own_values
from local_sagemaker.engine.paths import step_reference

_NAMES = ("InputName", "ChannelName", "OutputName", "Name", "AppName")
_MOST = 6

Feeds = Mapping[str, Mapping[str, tuple[str, ...]]]
"""By the step that is fed and the one that feeds it: ``train feeds InputDataConfig train``."""


def find_feeds(definition: Definition) -> Feeds:
    """What each edge that carries data carries; an edge of order alone has nothing here."""
    feeds: dict[str, dict[str, dict[str, None]]] = {}
    for name, step in definition.steps.items():
        for path, place in _uses(own_values(step), ""):
            reference = step_reference(path)
            if reference and reference[0] in definition.steps:
                words = f"{_output(reference[1])} feeds {place}"
                feeds.setdefault(name, {}).setdefault(reference[0], {})[words] = None
    return {
        name: {source: tuple(words)[:_MOST] for source, words in sources.items()} for name, sources in feeds.items()
    }


def find_users(definition: Definition) -> dict[str, list[str]]:
    """The steps that refer to each parameter, by its name."""
    users: dict[str, dict[str, None]] = {}
    for step in definition.steps.values():
        for path in references(own_values(step)):
            if path.startswith("Parameters."):
                users.setdefault(path.removeprefix("Parameters."), {})[step.name] = None
    return {name: list(steps) for name, steps in users.items()}


def _output(tokens: tuple[Any, ...]) -> str:
    """What of the step is used: the name in brackets where there is one, else the last member."""
    texts = [str(token) for token in tokens if isinstance(token, str)]
    if len(texts) > 2 and texts[-1] in ("S3Uri", "S3OutputPath"):
        return texts[-3] if texts[-2] == "S3Output" else texts[-2]
    return texts[-1] if texts else "its result"


def _uses(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Each Get with the argument that it stands in: members of a list are called by their name."""
    if isinstance(value, dict):
        if isinstance(value.get(GET), str) and len(value) == 1:
            yield value[GET], place
            return
        own = next((str(value[name]) for name in _NAMES if isinstance(value.get(name), str)), "")
        for key, item in value.items():
            inner = f"{place} {own}".strip() if own else key if not place or place == "Arguments" else place
            yield from _uses(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield from _uses(item, place)
