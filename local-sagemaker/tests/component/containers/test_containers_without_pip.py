"""Requirements of users where the service's environment has no pip, as one that uv made: nothing may need it there."""

from __future__ import annotations

import os
import shutil
import subprocess
import venv
import zipfile
from pathlib import Path

import pytest

import local_sagemaker

SOURCES = Path(local_sagemaker.__file__).parent.parent
OWN_IMAGE = (
    "import sys; from local_sagemaker.containers.custom_image_entrypoint import main; main(sys.argv[1:])",
    "import tiny; print('answer', tiny.ANSWER)",
)
SCRIPT_MODE = "import sys; from pathlib import Path; from local_sagemaker.containers.toolkit.source import install; "


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The python of an environment that sees the service and has no pip."""
    venv.create(tmp_path / "bare", with_pip=False)
    (packages,) = (tmp_path / "bare").glob("lib/python*/site-packages")
    (packages / "service.pth").write_text(f"{SOURCES}\n")
    return tmp_path / "bare/bin/python"


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """A folder with a program, and requirements that are at hand."""
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "ANSWER = 42\n")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\n")
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "requirements.txt").write_text(f"{wheel}\n")
    (folder / "train").write_text(OWN_IMAGE[1])
    return folder


@pytest.mark.parametrize("with_uv", [False, True])
def test_the_requirements_of_an_own_image(bare: Path, requirements: Path, tmp_path: Path, with_uv: bool) -> None:
    path = "/usr/bin:/bin"
    if with_uv:
        uv = shutil.which("uv")
        if uv is None:
            pytest.skip("uv is not installed")
        path = f"{Path(uv).parent}:{path}"
    environment = {**os.environ, "PATH": path, "PIP_NO_INDEX": "1", "UV_OFFLINE": "1"}
    words = [bare, "-c", OWN_IMAGE[0], requirements, tmp_path / "environments", requirements / "train"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert "answer 42" in done.stdout, done.stdout + done.stderr
    assert subprocess.run([bare, "-c", "import pip"], capture_output=True, check=False).returncode == 1


def test_the_requirements_of_a_script(bare: Path, requirements: Path, tmp_path: Path) -> None:
    """The job's command `pip`, first on its PATH, brings the pip that Python carries."""
    job = tmp_path / "job"
    prepare = (
        "import sys; from pathlib import Path; from local_sagemaker.processes.environment import make; "
        "print(make(Path(sys.argv[1])))"
    )
    python = subprocess.run([bare, "-c", prepare, job], capture_output=True, text=True, check=True).stdout.strip()
    program = f"{SCRIPT_MODE}install(Path(sys.argv[1])); import tiny; print('answer', tiny.ANSWER)"
    environment = {**os.environ, "PATH": f"{Path(python).parent}:/usr/bin:/bin", "PIP_NO_INDEX": "1"}
    done = subprocess.run(
        [python, "-c", program, requirements], env=environment, capture_output=True, text=True, check=False
    )
    assert "answer 42" in done.stdout, done.stdout + done.stderr
