"""Makes a Python environment with the SageMaker Python SDK v2, outside the repository, and prints its Python.

    python tests/sdk_v2.py [FOLDER]

The folder is by default ``~/.cache/sagemaker-pipelines-project/sdk-v2`` (or under ``$XDG_CACHE_HOME``), about 300 MB.
Made once; the second call only looks. Tests of both distributions call it and are skipped where it cannot be made.
"""

import fcntl
import os
import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENT = "sagemaker>=2.257,<3"


def main(folder: str | None = None) -> Path:
    """The environment's Python."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    room = Path(folder) if folder else cache / "sagemaker-pipelines-project" / "sdk-v2"
    python, ready = room / "bin" / "python", room / ".ready"
    room.parent.mkdir(parents=True, exist_ok=True)
    with room.with_name(f"{room.name}.lock").open("w") as lock:  # other test processes want it at the same moment
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            venv.create(room, with_pip=True, clear=True)
            _install(python)
            ready.touch()
    return python


def _install(python: Path) -> None:
    """Installs the SDK, with the uv of this environment if there is one that can, which takes a tenth of pip's time."""
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "pip", "install", "--quiet", "--python", python, REQUIREMENT]
    if not uv.exists() or subprocess.run(command, check=False, stdout=sys.stderr, timeout=900).returncode:
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT]
        subprocess.run(pip, check=True, stdout=sys.stderr, timeout=900)


def python_or_skip() -> Path:
    """The same for a test, which is skipped where there can be no such environment."""
    import pytest

    try:
        return main()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"no environment with SDK v2 can be made here: {error}")


if __name__ == "__main__":
    sys.stdout.write(f"{main(*sys.argv[1:])}\n")
