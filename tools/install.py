"""Makes the virtual environment and installs into it: ``python tools/install.py FOLDER PIP-ARGUMENT ...``.

Only Python itself is needed. uv, which takes a tenth of pip's time, is installed into the environment first; where it
can't be had, or can't install, pip does the work. Run by the Python that the environment shall have; standard library
only.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

EXECUTABLES = "Scripts" if os.name == "nt" else "bin"
PIP_SETTINGS = re.compile(r"^(?:global|install|:env:)\.(index-url|cert)=(['\"])(.*)\2$", re.MULTILINE)
UV_NAMES = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}


def main(arguments: list[str]) -> int:
    """Prints what was used and how long it took; the exit code of the installer."""
    folder, wanted = Path(arguments[0]), arguments[1:]
    started = time.monotonic()
    python = make_environment(folder)
    remove_other_xgboost(python)
    uv = find_uv(python)
    if uv and install_with_uv(uv, python, wanted):
        installer = "uv"
    elif has_pip(python):
        print("Installing with pip instead, which takes a few minutes ...", flush=True)
        code = subprocess.call([*pip(python), "install", "--quiet", *wanted])
        if code:
            return code
        installer = "pip"
    else:
        print(f"{folder} has neither uv nor pip: remove it, and run this again.", file=sys.stderr)
        return 1
    print(f"Installed into {folder} in {time.monotonic() - started:.0f} s by {installer}.", flush=True)
    return 0


def make_environment(folder: Path) -> Path:
    """The environment's Python. An environment that is usable stays as it is."""
    python = folder / EXECUTABLES / Path("python").with_suffix(".exe" if os.name == "nt" else "")
    if python.exists() and subprocess.run([python, "-c", ""], check=False).returncode == 0:
        return python
    if folder.exists():  # its Python has been removed since, or its making was interrupted
        shutil.rmtree(folder)
    code = subprocess.call([sys.executable, "-m", "venv", str(folder)])
    if code:  # Python has said why: on Debian, the package python3-venv is missing
        shutil.rmtree(folder, ignore_errors=True)
        raise SystemExit(code)
    return python


def pip(python: Path) -> list[str]:
    return [str(python), "-m", "pip", "--disable-pip-version-check"]


def has_pip(python: Path) -> bool:
    return subprocess.run([*pip(python), "--version"], capture_output=True, check=False).returncode == 0


def remove_other_xgboost(python: Path) -> None:
    """Removes xgboost where xgboost-cpu is what is required: they are one library, and hold the same files.

    An environment of before that change has it. Both go, as removing one takes files of the other.
    """
    if sys.platform == "darwin":
        return
    show = "import importlib.metadata as m; print(*(one.metadata['Name'] for one in m.distributions()))"
    names = subprocess.run([python, "-I", "-c", show], capture_output=True, text=True, check=False).stdout.split()
    if "xgboost" in names:
        subprocess.call([*pip(python), "uninstall", "--quiet", "--yes", "xgboost", "xgboost-cpu"])


def find_uv(python: Path) -> str | None:
    """uv of the environment, installed by its pip if need be; else one on PATH; None, with a note, without any."""
    own = python.with_name("uv.exe" if os.name == "nt" else "uv")
    if own.exists():
        return str(own)
    done = subprocess.run([*pip(python), "install", "--quiet", "uv"], capture_output=True, text=True, check=False)
    if done.returncode == 0 and own.exists():
        return str(own)
    elsewhere = shutil.which("uv")
    if elsewhere is None:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"uv can't be had by pip ({reason}).", file=sys.stderr)
    return elsewhere


def install_with_uv(uv: str, python: Path, wanted: list[str]) -> bool:
    """Whether uv installed everything. Its own messages say what failed."""
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    command = [uv, "pip", "install", *quiet, "--python", str(python), *wanted]
    environment = {"UV_SYSTEM_CERTS": "1", **settings_of_pip(python), **os.environ}
    if subprocess.run(command, env=environment, check=False).returncode == 0:
        return True
    print("uv could not install; its message is above.", file=sys.stderr)
    return False


def settings_of_pip(python: Path) -> dict[str, str]:
    """The index and the certificates that this machine's pip uses, as variables of uv, which does not read pip's."""
    done = subprocess.run([*pip(python), "config", "list"], capture_output=True, text=True, check=False)
    return {UV_NAMES[name]: value for name, _, value in PIP_SETTINGS.findall(done.stdout)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
