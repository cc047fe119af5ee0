"""Configurations of a stage: parameters and tags in the form of CodePipeline's TemplateConfiguration.

``{"Parameters": {...}, "Tags": {...}}``, whose values are texts. A JSON schema beside the file says what is allowed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema


class ConfigurationError(Exception):
    """A configuration that can't be deployed. The text has one line per mistake."""


@dataclass(frozen=True)
class StageConfiguration:
    """The parameters and tags of one stage's stack."""

    parameters: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """The name of the stage, such as staging."""
        return self.parameters["StageName"]

    def extend(self, parameters: Mapping[str, str], tags: Mapping[str, str]) -> StageConfiguration:
        """With more parameters and tags, which have priority."""
        return StageConfiguration({**self.parameters, **parameters}, {**self.tags, **tags})

    def write(self, path: Path) -> None:
        """As CodePipeline reads it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"Parameters": dict(self.parameters), "Tags": dict(self.tags)}
        path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", "utf-8")


def read_configuration(path: Path, schema: Path) -> StageConfiguration:
    """Reads a file and checks it.

    :raises ConfigurationError: with every mistake, if the file is not JSON or does not follow the schema.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}") from error
    mistakes = list(jsonschema.Draft202012Validator(json.loads(schema.read_text("utf-8"))).iter_errors(content))
    if mistakes:
        raise ConfigurationError("\n".join(_describe(path, mistake) for mistake in mistakes))
    return StageConfiguration(content["Parameters"], content.get("Tags", {}))


def _describe(path: Path, mistake: Any) -> str:
    place = "/".join(map(str, mistake.absolute_path))
    return f"{path}{f', {place}' if place else ''}: {mistake.message}"
