"""The entry of the user's own images: makes the environment of their requirements, then becomes their program.

``main([folder, environments, *command])``. An environment is named by what it is made from, so each content of a
requirements file is installed once, whichever job comes first; it sees the packages of the image that it is from behind
its own.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import site
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import NoReturn


def main(arguments: list[str]) -> NoReturn:
    """Executes the command in place of this process."""
    folder, environments, command = Path(arguments[0]), Path(arguments[1]), arguments[2:]
    python = Path(sys.executable)
    requirements = folder / "requirements.txt"
    if requirements.is_file() and requirements.read_text("utf-8").strip():
        python = environment(requirements, environments)
    variables = dict(os.environ)
    variables["PATH"] = os.pathsep.join([str(folder), str(python.parent), variables.get("PATH", os.defpath)])
    program = Path(command[0])
    if program.is_file() and not _is_executable(program):
        command = [str(python), *command]
    sys.stdout.flush()
    os.execvpe(command[0], command, variables)


def _is_executable(program: Path) -> bool:
    """Whether the kernel can run a file; everything else is taken as a Python script."""
    with program.open("rb") as file:
        return os.access(program, os.X_OK) and file.read(4).startswith((b"#!", b"\x7fELF", b"\xcf\xfa\xed\xfe"))


def environment(requirements: Path, environments: Path) -> Path:
    """The python of the environment for a requirements file, made now if it does not exist."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    content = "\n".join([version, *_image_packages()]).encode() + requirements.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:16]
    folder = environments / digest
    environments.mkdir(parents=True, exist_ok=True)
    with (environments / f"{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # jobs that need the same environment wait for the first one to make it
        if not (folder / "complete").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, requirements, version)
            (folder / "complete").touch()
    return folder / "bin" / "python"


def _image_packages() -> list[str]:
    """The packages of this process's image, and our stand-ins of the containers' packages."""
    return [*site.getsitepackages(), *(entry for entry in sys.path if entry.endswith("/containers/packages"))]


def _make(folder: Path, requirements: Path, version: str) -> None:
    venv.create(folder, with_pip=False, symlinks=True)
    packages = folder / "lib" / f"python{version}" / "site-packages"
    (packages / "image.pth").write_text("".join(f"{path}\n" for path in _image_packages()))
    command = [*_installer(folder / "bin" / "python"), "-r", str(requirements)]
    code = subprocess.run(command, check=False).returncode
    if code:
        raise SystemExit(f"The requirements {requirements} cannot be installed ({command[0]} ended with {code}).")


def _installer(python: Path) -> list[str]:
    """What installs into another environment: an environment that uv made has no pip of its own.

    The last resort is the pip that Python carries for new environments, put into the other one.
    """
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--python", str(python), "install", "--disable-pip-version-check"]
    uv = shutil.which("uv", path=os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)]))
    if uv:
        return [uv, "pip", "install", "--python", str(python)]
    subprocess.run([python, "-m", "ensurepip"], stdout=subprocess.DEVNULL, check=True)
    return [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
