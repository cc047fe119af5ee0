"""YAML inside moto: documents of Systems Manager go into PyYAML as they come.

In that service's module, `yaml` is replaced by what is here, which bounds documents as `yaml_text` does.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

import yaml

from local_sagemaker import yaml_text


@cache
def limit_documents(service: str) -> None:
    """Has a service of moto read bounded documents; does so once."""
    if service == "ssm":
        vars(importlib.import_module("moto.ssm.models"))["yaml"] = BoundedYaml()


class BoundedYaml:
    """The functions of `yaml` that the module uses."""

    def safe_load(self, text: str) -> Any:
        """A document. Raises `yaml.YAMLError`."""
        return yaml_text.load(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(yaml, name)
