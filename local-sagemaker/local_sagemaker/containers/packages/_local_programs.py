"""This service's own implementations, for the stand-ins of the containers' packages.

They are imported for the stand-ins only: a script finds no ``local_sagemaker`` because of them.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

_TEXT = (
    "{name}: the image has this module, its stand-in here has not. There are {known}; what public scripts use can be "
    "added (see the service's differences from AWS)."
)
_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "image_programs.py")
_modules: dict[str, ModuleType] = {}


class _Refusal:
    """Comes last in the search for modules: names what a stand-in lacks, instead of `No module named ...`."""

    def __init__(self, package: str, known: list[str]) -> None:
        self._package, self._known = package, known

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        parent, _, module = name.partition(".")
        if parent == self._package and module.partition(".")[0] not in self._known:
            known = ", ".join(f"{parent}.{module}" for module in self._known)
            raise ModuleNotFoundError(_TEXT.format(name=name, known=known))


def refuse_others(package: str, folder: str) -> None:
    """Has an import of a module that the stand-in of a package lacks say so; as an ImportError, as it is one."""
    known = sorted(entry.partition(".")[0] for entry in os.listdir(folder) if not entry.startswith("_"))
    sys.meta_path.append(_Refusal(package, known))  # type: ignore[arg-type]


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


def serving_defaults(codec: Any) -> tuple[Callable[[str], NoReturn], Callable[[Any, str], Any]]:
    """The functions ``default_model_fn`` and ``default_output_fn`` of a container's module ``serving``."""

    def default_model_fn(model_dir: str) -> NoReturn:
        """There is none: a script brings its own."""
        raise NotImplementedError(
            "Please provide a model_fn implementation.\nSee documentation for model_fn at "
            "https://github.com/aws/sagemaker-python-sdk"
        )

    def default_output_fn(prediction: Any, accept: str) -> Any:
        """A prediction as a response of the framework."""
        from sagemaker_containers.beta.framework import worker

        return worker.Response(codec.encode(prediction, accept), accept, mimetype=accept)

    return default_model_fn, default_output_fn
