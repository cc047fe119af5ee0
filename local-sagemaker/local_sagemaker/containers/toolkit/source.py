"""The user's code: fetched, unpacked, and its requirements installed, before the script or the model server starts."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

from local_sagemaker.containers.failure import ScriptError
from local_sagemaker.containers.paths import IMAGE_PYTHON, private_tmp
from local_sagemaker.files.archive_extraction import unpack_tar

log = logging.getLogger(__name__)


def fetch(source: str, folder: Path) -> None:
    """Brings ``sagemaker_submit_directory`` into a folder: an S3 or local archive, one script, or a local folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if not source:
        return
    local = Path(source)
    if source.startswith("s3://"):
        local = private_tmp() / Path(urlsplit(source).path).name
        _download(source, local)
    if local.is_dir():
        if local.resolve() != folder.resolve():
            shutil.copytree(local, folder, dirs_exist_ok=True)
    elif tarfile.is_tarfile(local):
        unpack_tar(str(local), str(folder), sys.maxsize, sys.maxsize, True)
    else:
        shutil.copy(local, folder)


def _download(uri: str, file: Path) -> None:
    import boto3

    parts = urlsplit(uri)
    boto3.client("s3").download_file(parts.netloc, parts.path.lstrip("/"), str(file))


def install(folder: Path) -> bool:
    """Installs ``requirements.txt``, and the folder itself if it is a package; whether there was anything to do."""
    done = False
    if (folder / "requirements.txt").is_file():
        _pip(folder, "-r", "requirements.txt")
        done = True
    if (folder / "setup.py").is_file():
        _pip(folder, ".")
        done = True
    return done


def _pip(folder: Path, *what: str) -> None:
    command = ["-m", "pip", "install", *what]
    shown = " ".join([IMAGE_PYTHON, *command])
    log.info("Installing module with the following command:\n%s", shown)
    sys.stdout.flush()
    # Where the libraries came without pip, the job's own command `pip` fetches the one that Python carries.
    program = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else ["pip"]
    variables = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    code = subprocess.run([*program, *command[2:]], cwd=folder, env=variables, check=False).returncode
    if code:
        raise ScriptError(f'InstallModuleError:\nExitCode {code}\nCommand "{shown}"', code)
