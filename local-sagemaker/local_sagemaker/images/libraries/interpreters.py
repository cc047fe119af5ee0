"""The Python interpreters of this machine that images can run on. Nothing is downloaded."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

OLDEST, NEWEST = (3, 9), (3, 13)
"""The Pythons that the programs inside images run on."""
VARIABLE = "LOCAL_SAGEMAKER_PYTHONS"
"""Folders or interpreters to look at first, separated as in PATH; ``none`` at the end leaves all others out."""
_PROBE = """
import json, os, sys, ssl, ctypes, zlib
program = getattr(sys, "_base_executable", None) or sys.executable
places = [program, sys.base_prefix] + [place for place in sys.path if os.path.isdir(place)]
print(json.dumps(["%d.%d.%d" % sys.version_info[:3]] + [os.path.realpath(place) for place in places]))
"""
_PROBE_VENV = f"import venv, ensurepip\n{_PROBE}"
_SECONDS = 20.0


@dataclass(frozen=True)
class Interpreter:
    """One interpreter; `version` with its patch level.

    `program` is the file that is run in the end, where `path` is a link, a script or a virtual environment's; it lies
    below `prefix`, as its standard library does (`libraries`), with or without other things.
    """

    path: Path
    version: str
    program: Path
    prefix: Path
    libraries: tuple[Path, ...] = ()

    @property
    def minor(self) -> str:
        """``3.10``."""
        return ".".join(self.version.split(".")[:2])


@cache
def find(minor: str) -> Interpreter | None:
    """The interpreter of a version (``3.10``), None when this machine has none that works."""
    return find_any(minor) if OLDEST <= _numbers(minor) <= NEWEST else None


@cache
def find_any(minor: str, *, venv: bool = False) -> Interpreter | None:
    """The same for any version: a build's own programs need not run in the Pythons of images.

    With `venv` it must be able to make virtual environments with pip, which some systems package by itself.
    """
    for path in _candidates(minor):
        interpreter = _probe(path, _PROBE_VENV if venv else _PROBE) if path.is_file() else None
        if interpreter and interpreter.minor == minor:
            return interpreter
    return None


def _candidates(minor: str) -> Iterator[Path]:
    """Files that may be the interpreter: of the variable, the service's own, PATH's, pyenv's, uv's, the system's."""
    name = f"python{minor}"
    for entry in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        if entry == "none":
            return
        path = Path(entry).expanduser()
        yield path / name if path.is_dir() else path
    if f"{sys.version_info.major}.{sys.version_info.minor}" == minor:
        yield Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()
    on_path = shutil.which(name)
    if on_path and "shims" not in Path(on_path).parts:  # a shim of pyenv fails for all versions but the active one
        yield Path(on_path).resolve()
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    for root in (
        Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions",
        Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python"),
    ):
        yield from sorted(root.glob(f"*/bin/{name}"), key=lambda file: _numbers(str(file.parent.parent)), reverse=True)
    for place in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"):
        yield Path(place, name)


def _probe(path: Path, program: str) -> Interpreter | None:
    try:
        done = subprocess.run(
            [path, "-I", "-S", "-c", program], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    try:
        version, *places = json.loads(done.stdout)
        run, prefix, *libraries = map(Path, places)
    except (ValueError, TypeError):
        return None  # a script that is no Python
    if not re.fullmatch(r"3\.\d+\.\d+", str(version)):
        return None
    return Interpreter(path, version, run, prefix, tuple(libraries))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))
