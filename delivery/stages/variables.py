"""Variables that a build exports: a file that the build's shell reads, since exports are those of the shell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path


def write_variables(path: Path, variables: Mapping[str, str]) -> None:
    """As ``NAME=value`` lines for ``set -a; . FILE``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items()), "utf-8")
