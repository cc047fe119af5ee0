"""YAML that users wrote, bounded: in its length, its depth, and in what its aliases stand for.

A text of a few hundred bytes can name a list of lists that are each other's aliases: billions of values for code that
looks at all of them.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import yaml

LONGEST = 1 << 20
"""Characters: far more than any specification has."""
MOST_VALUES = 100_000
"""Values of a document with each alias counted as what it stands for."""


class YamlTooLarge(yaml.YAMLError):
    """The text is too long, nested too deeply, or stands for too many values."""


def load(text: str, loader_type: type[yaml.SafeLoader] = yaml.SafeLoader) -> Any:
    """The value that the text stands for, None for an empty one. Raises `yaml.YAMLError`."""
    if len(text) > LONGEST:
        raise YamlTooLarge(f"it has more than {LONGEST} characters")
    loader = loader_type(text)
    _bound_events(loader)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _count(node, {})
        return loader.construct_document(node)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:  # `!!int x`, 2001-99-99, `!!timestamp x`
        raise yaml.YAMLError(f"a value is not of its type: {error}") from error
    except RecursionError as error:
        raise YamlTooLarge("it is nested too deeply") from error
    finally:
        loader.dispose()


def _bound_events(loader: Any) -> None:
    """Has the loader stop at the first value too many, rather than read on."""
    numbers, read = count(), loader.get_event

    def get_event() -> Any:
        if next(numbers) > 2 * MOST_VALUES:  # a collection begins and ends
            raise YamlTooLarge(f"it has more than {MOST_VALUES} values")
        return read()

    loader.get_event = get_event


def _count(node: Any, known: dict[int, int]) -> int:
    """How many values a node stands for; `known` has the nodes that were counted, 0 for those that contain this one."""
    size = known.get(id(node))
    if size == 0:
        raise YamlTooLarge("a value contains itself")
    if size is None:
        known[id(node)] = 0
        parts = node.value if isinstance(node, yaml.CollectionNode) else ()
        children = [child for part in parts for child in (part if isinstance(part, tuple) else (part,))]
        size = known[id(node)] = 1 + sum(_count(child, known) for child in children)
        if size > MOST_VALUES:
            raise YamlTooLarge(f"its aliases stand for more than {MOST_VALUES} values")
    return size
