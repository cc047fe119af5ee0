"""The user's own images: a repository name stands for a folder with the container contract's programs.

They are listed in ``images.json`` of the state folder::

    {"my-image": "/home/me/my-image", "other": "../other"}

The key is the last part of the image URI's path, without the tag; the value a folder, absolute or relative to the file.
The folder holds executables (or Python scripts) named ``train`` and ``serve`` (also ``train.py``, ``serve.py``; only
those that are used). Processing jobs run their ContainerEntrypoint, or the folder's ``process``, with the folder first
on PATH. Jobs see the folder where it is, and can't change it. A server must listen on 127.0.0.1 at
``SAGEMAKER_BIND_TO_PORT``.

An image has the Python and the libraries of another one, as FROM has it in a Dockerfile: that of ``BASE``, or the one
that its entry names: ``{"my-image": {"folder": "../mine", "from": "sagemaker-xgboost:3.2-0"}}``. What else it needs
stands in the folder's ``requirements.txt``: each content of it gets one environment, made at first use.
"""
# ruff: noqa: ARG002 - the methods have the parameters of the contract, used or not

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_sagemaker.errors import ValidationError
from local_sagemaker.images import command
from local_sagemaker.images.image import ImageUri, Program
from local_sagemaker.images.libraries import ImageLibraries, catalogue

BASE = "sagemaker-xgboost:3.0-5"
"""What an image is made from where its entry names nothing."""
RUN = "local_sagemaker.containers.custom_image_entrypoint:main"


@dataclass(frozen=True)
class _Entry:
    """What the file says of one image."""

    folder: Path
    base: ImageLibraries


class Custom:
    """Every image of ``images.json``, which is read anew when it has changed."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self._read: tuple[Path, int, int] | None = None
        self._entries: dict[str, _Entry] = {}

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
        entry = self._listed()[uri.repository]
        folder = entry.folder
        environments = (self.file or folder).parent / "environments"
        environments.mkdir(parents=True, exist_ok=True)
        return Program(
            ("run", str(folder), str(environments), *argv), RUN, {"PYTHONUNBUFFERED": "TRUE"}, entry.base,
            readable=(folder,), writable=(environments,),
        )  # fmt: skip

    def _verb(self, uri: ImageUri, verb: str) -> Path:
        folder = self._listed()[uri.repository].folder
        for name in (verb, f"{verb}.py"):
            if (folder / name).is_file():
                return folder / name
        raise ValidationError(f"The image '{uri.uri}' has no program '{verb}' in {folder}.")

    def _listed(self) -> dict[str, _Entry]:
        file = self.file
        if file is None or not file.is_file():
            self._read, self._entries = None, {}
            return self._entries
        state = file.stat()
        stamp = (file, state.st_mtime_ns, state.st_size)
        if stamp != self._read:
            self._entries, self._read = _parse(file), stamp
        return self._entries


def _parse(file: Path) -> dict[str, _Entry]:
    try:
        listed = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ValidationError(f"{file} is not JSON: {error}") from error
    if not isinstance(listed, dict):
        raise ValidationError(f'{file} must be one JSON object of "repository": "folder" lines.')
    return {name: _entry(file, name, value) for name, value in listed.items()}


def _entry(file: Path, name: str, value: Any) -> _Entry:
    if isinstance(value, str):
        value = {"folder": value}
    if not isinstance(value, dict) or not {"folder"} <= set(value) <= {"folder", "from"}:
        raise ValidationError(
            f'{file} must be one JSON object of "repository": "folder" lines, or of "repository": '
            f'{{"folder": "...", "from": "REPOSITORY:TAG"}}; see {name}.'
        )
    folder, source = str(value["folder"]), str(value.get("from", BASE))
    uri = ImageUri.parse(source)
    base = catalogue.find(uri.repository, uri.tag)
    if base is None:
        known = ", ".join(sorted({image.repository for image in catalogue.list_images()}))
        raise ValidationError(f"{file}: {name} is from '{source}', whose libraries are not known. Known: {known}.")
    return _Entry((file.parent / Path(folder).expanduser()).resolve(), base)
