"""The user's own images: a repository name stands for a folder with the container contract's programs.

They are listed in ``images.json`` of the state folder::

    {"my-image": "/home/me/my-image", "other": "../other"}

The key is the last part of the image URI's path, without the tag; the value a folder, absolute or relative to the file.
The folder holds executables (or Python scripts) named ``train`` and ``serve`` (also ``train.py``, ``serve.py``; only
those that are used), and, if they need more than this service has installed, a ``requirements.txt``. Processing jobs
run their ContainerEntrypoint, or the folder's ``process``, with the folder first on PATH. Each content of a
requirements file gets one environment, made at first use, that sees this service's packages too. Jobs see the folder
where it is, and can't change it. A server must listen on 127.0.0.1 at ``SAGEMAKER_BIND_TO_PORT``.
"""
# ruff: noqa: ARG002 - the methods have the parameters of the contract, used or not

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from local_sagemaker.errors import ValidationError
from local_sagemaker.images import command
from local_sagemaker.images.image import ImageUri, Program

RUN = "local_sagemaker.containers.own_environment:main"


class Custom:
    """Every image of ``images.json``, which is read anew when it has changed."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self._read: tuple[Path, int, int] | None = None
        self._folders: dict[str, Path] = {}

    @property
    def repositories(self) -> tuple[str, ...]:
        """The repositories listed now."""
        return tuple(self._listed())

    def train(self, uri: ImageUri) -> Program:
        """The folder's ``train``."""
        return self._program(uri, (str(self._verb(uri, "train")), "train"))

    def process(self, uri: ImageUri, entrypoint: list[str] | None, arguments: list[str] | None) -> Program:
        """The entrypoint of the request, else the folder's ``process``."""
        own = [] if entrypoint else [str(self._verb(uri, "process"))]
        return self._program(uri, command.resolve(entrypoint, arguments, own, ()))

    def serve(self, uri: ImageUri, environment: Mapping[str, str]) -> Program:
        """The folder's ``serve``."""
        return self._program(uri, (str(self._verb(uri, "serve")), "serve"))

    def default_metrics(self, uri: ImageUri) -> list[dict[str, str]]:
        """None: metric definitions are the user's."""
        return []

    def _program(self, uri: ImageUri, argv: tuple[str, ...]) -> Program:
        folder = self._listed()[uri.repository]
        environments = (self.file or folder).parent / "environments"
        environments.mkdir(parents=True, exist_ok=True)
        return Program(
            ("run", str(folder), str(environments), *argv), RUN, {"PYTHONUNBUFFERED": "TRUE"},
            readable=(folder,), writable=(environments,),
        )  # fmt: skip

    def _verb(self, uri: ImageUri, verb: str) -> Path:
        folder = self._listed()[uri.repository]
        for name in (verb, f"{verb}.py"):
            if (folder / name).is_file():
                return folder / name
        raise ValidationError(f"The image '{uri.uri}' has no program '{verb}' in {folder}.")

    def _listed(self) -> dict[str, Path]:
        file = self.file
        if file is None or not file.is_file():
            self._read, self._folders = None, {}
            return self._folders
        state = file.stat()
        stamp = (file, state.st_mtime_ns, state.st_size)
        if stamp != self._read:
            self._folders, self._read = _parse(file), stamp
        return self._folders


def _parse(file: Path) -> dict[str, Path]:
    try:
        listed = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ValidationError(f"{file} is not JSON: {error}") from error
    if not isinstance(listed, dict) or not all(isinstance(folder, str) for folder in listed.values()):
        raise ValidationError(f'{file} must be one JSON object of "repository": "folder" lines.')
    return {name: (file.parent / Path(folder).expanduser()).resolve() for name, folder in listed.items()}
