"""This service's own implementations, for the stand-ins of the containers' packages.

They are imported for the stand-ins only: a script finds no ``local_sagemaker`` because of them.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from types import ModuleType
from typing import Any

_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "image_programs.py")
_modules: dict[str, ModuleType] = {}


def load(name: str) -> Any:
    """The module ``local_sagemaker.containers.<name>``."""
    if "local_sagemaker" in sys.modules:  # in a model server, which runs on it
        return importlib.import_module(f"local_sagemaker.containers.{name}")
    spec = importlib.util.spec_from_file_location("_local_image_programs", os.path.normpath(_FILE))
    assert spec
    assert spec.loader
    programs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(programs)
    sys.modules.update(_modules)
    programs.install()
    try:
        return importlib.import_module(f"local_sagemaker.containers.{name}")
    finally:
        for loaded in [loaded for loaded in sys.modules if loaded.partition(".")[0] == "local_sagemaker"]:
            _modules[loaded] = sys.modules.pop(loaded)
