"""What the three distributions of the repository declare: requirements, extras and commands."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from packaging.requirements import Requirement

from tests.support import ROOT

PLATFORMS = (
    {"sys_platform": "linux", "platform_machine": "x86_64", "platform_system": "Linux", "os_name": "posix"},
    {"sys_platform": "linux", "platform_machine": "aarch64", "platform_system": "Linux", "os_name": "posix"},
    {"sys_platform": "darwin", "platform_machine": "arm64", "platform_system": "Darwin", "os_name": "posix"},
    {"sys_platform": "win32", "platform_machine": "AMD64", "platform_system": "Windows", "os_name": "nt"},
)


@cache
def project() -> Any:
    """The distribution that setup.py describes."""
    from distutils.core import run_setup  # type: ignore[import-not-found,unused-ignore]

    import setuptools  # noqa: F401 - takes the place of distutils, which newer Pythons no longer have

    return run_setup(str(ROOT / "setup.py"), stop_after="init")


@cache
def table(folder: str = "local-sagemaker") -> dict[str, Any]:
    """The ``[project]`` table of a distribution in a folder of its own."""
    return dict(tomllib.loads((ROOT / folder / "pyproject.toml").read_text("utf-8"))["project"])


def extras() -> dict[str, list[str]]:
    """All extras, those of the project and of the service by one name."""
    own, service = project().extras_require, table()["optional-dependencies"]
    return {name: [*own.get(name, []), *service.get(name, [])] for name in {**own, **service}}


def commands() -> dict[str, str]:
    """``module:function`` by console script."""
    scripts = dict(line.replace(" ", "").split("=") for line in project().entry_points["console_scripts"])
    return {**scripts, **table()["scripts"]}


def requirements(*extra: str) -> list[Requirement]:
    """What an installation of all three with these extras asks for."""
    texts = [*project().install_requires, *table()["dependencies"], *table("model-checks")["dependencies"]]
    return [Requirement(text) for text in [*texts, *(text for name in extra for text in extras()[name])]]
