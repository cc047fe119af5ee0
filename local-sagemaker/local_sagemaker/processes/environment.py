"""A job's own Python environment and its variables.

The environment is a minimal venv made by a few file operations: first on PATH, with a ``site-packages`` of its own
that a ``pip install`` in the job writes to, and the image's packages (of the service's own programs: the service's)
visible behind it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import re
import site
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from local_sagemaker import environment_allowlist, image_programs
from local_sagemaker.processes import job_root

_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
_SITE = f"lib/python{_VERSION}/site-packages"
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# OpenMP's threads wait asleep instead of spinning: several jobs share the cores, and a thread that spins for one that
# has no core makes a training of 0.1 s take seconds. Read when the library is loaded, so the fork server has it too.
DEFAULTS = {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONDONTWRITEBYTECODE": "1"}


_helpers: list[str] = []
_files: dict[str, str] = {}
"""What lies in each environment beside its Python."""


def use_helpers(serving: str, helpers: str) -> None:
    """Has this image's Python find what only model servers need (no script does), and our stand-ins of packages."""
    image_programs.serving_folders.append(serving)
    _helpers.append(helpers)
    sys.path += [helpers, serving]


def use_service_packages() -> None:
    """Has pip not look for conflicts among the packages behind a job's own: they are the service's.

    No image of a build has them, so what it finds is none of the build's, and takes seconds of a core each time.
    """
    _files["pip.conf"] = "[install]\nno-warn-conflicts = false\n"  # pip's word for it


def own_folders() -> list[str]:
    """Entries of sys.path that are no part of the image."""
    return image_programs.serving_folders


@functools.cache
def image_packages() -> list[str]:
    """The site-packages folders of this interpreter, and our stand-ins of the containers' packages."""
    folders = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else []), *_helpers]
    return [folder for folder in folders if Path(folder).is_dir()]


def make(root: Path) -> Path:
    """Makes ``root/env`` and returns its python. Leaves one that exists alone."""
    folder = root / "env"
    binaries, packages = folder / "bin", folder / _SITE
    python = binaries / "python3"
    if python.is_symlink():
        return python
    binaries.mkdir(parents=True)
    packages.mkdir(parents=True)
    base = Path(getattr(sys, "_base_executable", "") or sys.executable)
    (folder / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\nversion = {sys.version.split()[0]}\n"
    )
    python.symlink_to(base)
    (binaries / "python").symlink_to("python3")
    (binaries / f"python{_VERSION}").symlink_to("python3")
    lines = [f"import site; site.addsitedir({path!r})\n" for path in image_packages()]
    (packages / "image.pth").write_text("".join(lines))
    for name, text in _files.items():
        (folder / name).write_text(text)
    for name in ("pip", "pip3"):
        (binaries / name).write_text(_pip())
        (binaries / name).chmod(0o755)
    return python


# A shell script, since a "#!" line has a length limit that a state folder's path can pass.
_PIP = '#!/bin/sh\nexec "$(dirname "$0")/python3" -m pip "$@"\n'
_PIP_FROM_INTERPRETER = (
    '#!/bin/sh\npython="$(dirname "$0")/python3"\n'
    '"$python" -c "import pip" 2>/dev/null || "$python" -m ensurepip >/dev/null\nexec "$python" -m pip "$@"\n'
)


@functools.cache
def _scripts() -> str:
    return sysconfig.get_path("scripts")


@functools.cache
def _pip() -> str:
    return _PIP if importlib.util.find_spec("pip") else _PIP_FROM_INTERPRETER


def learn() -> None:
    """Works out, once and before any fork, what all environments have in common."""
    image_packages(), _scripts(), _pip(), sysconfig.get_config_vars()


def named_places(outer: Mapping[str, str]) -> list[Path]:
    """The files and folders that the machine's variables name which jobs get, too."""
    words = [word for value in environment_allowlist.of_jobs(outer).values() for word in re.split(r"[:\s]+", value)]
    return [Path(word) for word in words if word.startswith("/") and word.strip("/") and Path(word).exists()]


def installers_settings(home: Path) -> dict[str, bytes]:
    """This user's settings of pip and uv (where packages come from), as files of a job's home."""
    files = {}
    for name in (".config/pip/pip.conf", ".pip/pip.conf", ".config/uv/uv.toml"):
        with contextlib.suppress(OSError):
            files[f"{job_root.HOME}/{name}"] = (home / name).read_bytes()
    return files


def place(root: Path, namespaces: bool) -> Path:
    """Where the job's process finds the environment."""
    return Path(job_root.PYTHON) if namespaces else root / "env"


def packages(folder: Path) -> Path:
    """The environment's site-packages."""
    return folder / _SITE


def variables(folder: Path, job_variables: Mapping[str, str], outer: Mapping[str, str]) -> dict[str, str]:
    """All variables of a job's process: a container's defaults, a few of the machine's (`outer`), then the given.

    `folder` is the environment.
    """
    passed = environment_allowlist.of_jobs(outer)
    if any(name.lower().endswith("_proxy") for name in passed):
        passed["NO_PROXY"] = passed["no_proxy"] = f"{outer.get('NO_PROXY', '')},127.0.0.1,localhost".lstrip(",")
    inherited = {name: outer.get(name, value) for name, value in DEFAULTS.items()}
    own = {"LANG": "C.UTF-8", "PYTHONUNBUFFERED": "TRUE", "HOME": job_root.HOME, **inherited, **passed, **job_variables}
    binaries = [str(folder / "bin"), _scripts()]
    own["PATH"] = os.pathsep.join([*binaries, job_variables.get("PATH", _SYSTEM_PATH)])
    return own
