"""Makes this package's programs importable where the package is not installed: in the Python of an image.

``python image_programs.py MODULE:FUNCTION [ARGUMENTS]`` calls a function so. Packages stand in `sys.modules` as bare
modules that have only a path: none of the service's code, nor of its libraries, is loaded or found by this.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    del sys.path[0]  # this folder, where modules have the names of some of the standard library

import contextlib
import importlib
import os
import types
from collections.abc import Iterator

PACKAGE = "local_sagemaker"
FOLDER = os.path.dirname(os.path.abspath(__file__))
HELPERS = os.path.join(FOLDER, "containers", "packages")
"""Our stand-ins for packages of the containers that are not published."""
_BARE = ("processes", "functions", "tuning")
"""Packages whose own `__init__` is the service's."""
SERVING = ("uvloop", "httptools")
"""Packages that only model servers need."""
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


@contextlib.contextmanager
def hide(also: tuple[str, ...] = ()) -> Iterator[None]:
    """Hides our modules and `also` while a user's script is imported into a program of ours."""
    ours = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in (PACKAGE, *also)}
    for name in ours:
        del sys.modules[name]
    try:
        yield
    finally:
        sys.modules.update(ours)


def leave_the_image() -> None:
    """Leaves a user's script what its image has: nothing of ours, nor of what only model servers need.

    What of ours is imported later than this is not found: programs import what they need before a script runs.
    """
    forget(SERVING)
    sys.path[:] = [entry for entry in sys.path if entry not in serving_folders]


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
    also = importlib.import_module(f"{PACKAGE}.image_programs").serving_folders
    while sys.argv[1].startswith(_ALSO):
        also.append(sys.argv.pop(1)[len(_ALSO) :])
    sys.path += also
    raise SystemExit(call(sys.argv[1], sys.argv[2:]))
