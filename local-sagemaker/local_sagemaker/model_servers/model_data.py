"""A model's files: fetched from the object store and unpacked into a container's /opt/ml/model.

ModelDataUrl names a ``.tar.gz``, by ``s3://`` or https; ModelDataSource also single objects and uncompressed prefixes.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.errors import ValidationError
from local_sagemaker.objects import uris
from local_sagemaker.objects.types import Objects


class ModelDataError(ValidationError):
    """The model's files are missing or cannot be used; the text is the endpoint's or job's reason."""


def exists(container: Mapping[str, Any], objects: Objects) -> bool:
    """Whether the model data that a container names is there. A container without any is complete."""
    location, compressed = _location(container)
    if location is None:
        return True
    bucket, key = _split(location)
    if container.get("Mode") == "MultiModel" or not compressed:
        return next(iter(objects.list(bucket, key)), None) is not None
    return objects.head(bucket, key) is not None


def fetch(container: Mapping[str, Any], objects: Objects, folder: Path) -> None:
    """Fills a folder with the model's files. ModelDataError when that is not possible."""
    folder.mkdir(parents=True, exist_ok=True)
    location, compressed = _location(container)
    if location is None:
        return
    bucket, key = _split(location)
    if not compressed:
        _copy(objects, bucket, key, folder)
        return
    archive = objects.path(bucket, key)
    if archive is None:
        raise ModelDataError(f"Could not find model data at {location}.")
    unpack(archive, folder, location)


def unpack(archive: Path, folder: Path, name: str) -> None:
    """Unpacks a tar archive, compressed or not. Members that would land outside, links out and devices are refused."""
    try:
        with tarfile.open(archive) as members:
            members.extractall(folder, filter="data")
    except tarfile.FilterError as error:
        raise ModelDataError(f"Model data at {name} is refused: {error}.") from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ModelDataError(f"Failed to extract model data archive from URL {name}: {error}.") from error


def _location(container: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The URI of the model data, and whether it is an archive."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source:
        return source["S3Uri"], source.get("CompressionType") == "Gzip"
    return container.get("ModelDataUrl"), True


def _split(location: str) -> tuple[str, str]:
    return uris.split(location)


def _copy(objects: Objects, bucket: str, key: str, folder: Path) -> None:
    """Uncompressed models: an object, or all objects below a prefix. Links are enough: the files are only read."""
    found = False
    for info in objects.list(bucket, key):
        name = info.key.removeprefix(key).lstrip("/") or info.key.rsplit("/", 1)[-1]
        source = objects.path(bucket, info.key)
        if source is None or info.key.endswith("/"):
            continue
        target = folder / name
        if not target.resolve().is_relative_to(folder.resolve()):
            raise ModelDataError(f"Model data at s3://{bucket}/{info.key} is refused: its path leads outside.")
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(source, target)
        found = True
    if not found:
        raise ModelDataError(f"Could not find model data at s3://{bucket}/{key}.")


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
