"""Makes this package's programs importable where the package is not installed: in the Python of an image.

``python image_programs.py MODULE:FUNCTION [ARGUMENTS]`` calls a function so. Packages stand in `sys.modules` as bare
modules that have only a path: none of the service's code, nor of its libraries, is loaded or found by this.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    del sys.path[0]  # this folder, where modules have the names of some of the standard library

import importlib
import os
import types

PACKAGE = "local_sagemaker"
FOLDER = os.path.dirname(os.path.abspath(__file__))
HELPERS = os.path.join(FOLDER, "containers", "packages")
"""Our stand-ins for packages of the containers that are not published."""
_BARE = ("processes", "functions", "tuning")
"""Packages whose own `__init__` is the service's."""
serving_folders: list[str] = []
"""Entries of sys.path that are no part of the image: what only model servers need, and no script finds."""
_hidden: dict[str, types.ModuleType] = {}


def install() -> None:
    """Lets ``import local_sagemaker.containers...`` find this installation's files, whatever sys.path holds."""
    provide({PACKAGE: FOLDER, **{f"{PACKAGE}.{part}": os.path.join(FOLDER, part) for part in _BARE}})


def provide(packages: dict[str, str]) -> None:
    """Makes packages importable from their folders, as bare modules."""
    for name, folder in packages.items():
        if name not in sys.modules:
            module = types.ModuleType(name)
            module.__path__ = [folder]
            sys.modules[name] = module


def forget(others: tuple[str, ...] = ()) -> None:
    """Hides our modules, and `others` with all below them, from a user's script; what uses them keeps them."""
    for name in list(sys.modules):
        if name.partition(".")[0] in (PACKAGE, *others):
            _hidden[name] = sys.modules.pop(name)


def run_anew(entry: str, arguments: list[str], folders: list[str]) -> list[str]:
    """The command that calls an entry in an interpreter of its own, where imports find packages in `folders`, too."""
    return [sys.executable, os.path.abspath(__file__), *[f"{_ALSO}{folder}" for folder in folders], entry, *arguments]


_ALSO = "--also="


def call(entry: str, arguments: list[str]) -> object:
    """Imports ``package.module:function`` and calls it with the arguments."""
    module, _, function = entry.partition(":")
    return getattr(importlib.import_module(module), function)(arguments)


if __name__ == "__main__":
    install()
    while sys.argv[1].startswith(_ALSO):
        sys.path.append(sys.argv.pop(1)[len(_ALSO) :])
    raise SystemExit(call(sys.argv[1], sys.argv[2:]))
