"""The project's template, read as what its short tags stand for."""

from __future__ import annotations

from typing import Any

import yaml

from delivery.project.command import TEMPLATE


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags as what they hold."""


def _short_tag(loader: _Loader, suffix: str, node: Any) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix: value}


_Loader.add_multi_constructor("!", _short_tag)


def read_template() -> dict[str, Any]:
    """The document, with functions by their short names."""
    return dict(yaml.load(TEMPLATE.read_text(), _Loader))
