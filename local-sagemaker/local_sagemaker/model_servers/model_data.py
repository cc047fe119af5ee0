"""A model's files: fetched from the object store and unpacked into a container's /opt/ml/model.

ModelDataUrl names a ``.tar.gz``, by ``s3://`` or https; ModelDataSource also single objects and uncompressed prefixes.
A container may change its files, so none of them is the object's own.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.errors import ValidationError, says_full
from local_sagemaker.files.archives import ArchiveError, unpack_tar
from local_sagemaker.files.copies import copy
from local_sagemaker.files.untrusted_folder import LEADS_OUT, Folder
from local_sagemaker.objects import uris
from local_sagemaker.objects.types import Objects

_CLASH = (*LEADS_OUT, errno.EISDIR, errno.EEXIST)
log = logging.getLogger(__name__)


class ModelDataError(ValidationError):
    """The model's files are missing or cannot be used; the text is the endpoint's or job's reason."""


def fetch(container: Mapping[str, Any], objects: Objects, folder: Path, name: str = "container_1") -> None:
    """Fills a folder with the model's files. ModelDataError when that is not possible, with the container's name."""
    folder.mkdir(parents=True, exist_ok=True)
    location, compressed = _location(container)
    if location is None:
        return
    bucket, key = uris.split(location)
    if not compressed:
        _copy(objects, bucket, key, folder)
        return
    archive = objects.path(bucket, key)
    if archive is None:
        raise ModelDataError(f"Could not find model data at {location}.")
    _unpack(archive, folder, location, name)


def fetch_additional(container: Mapping[str, Any], objects: Objects, folder: Path, name: str) -> None:
    """Fills one folder for each of the container's AdditionalModelDataSources, called as its channel is."""
    for source in container.get("AdditionalModelDataSources", ()):
        channel = source["ChannelName"]
        if channel in (".", ".."):
            raise ModelDataError(f"The channel of an additional model data source can't be called '{channel}'.")
        data = {"ModelDataSource": {"S3DataSource": source["S3DataSource"]}}
        fetch(data, objects, folder / channel, name)


def _unpack(archive: Path, folder: Path, location: str, name: str) -> None:
    """AWS takes tar.gz archives of folders and regular files (contracts: containers 5.8)."""
    try:
        unpack_tar(archive, folder)
    except FileNotFoundError as error:
        raise ModelDataError(f"Could not find model data at {location}.") from error
    except (ArchiveError, OSError) as error:
        log.warning("the archive %s can't be unpacked: %s", location, error)
        reason = f'Failed to extract model data archive for container "{name}" from URL "{location}". '
        if says_full(error) or (isinstance(error, ArchiveError) and error.too_large):
            reason += (
                "The model data archive is too large. Please reduce the size of the model data archive or move to an "
                "instance type with more memory."
            )
        else:
            reason += "Please ensure that the object located at the URL is a valid tar.gz archive."
        raise ModelDataError(reason) from error


def _location(container: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The URI of the model data, and whether it is an archive."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source:
        return source["S3Uri"], source.get("CompressionType") == "Gzip"
    return container.get("ModelDataUrl"), True


def _copy(objects: Objects, bucket: str, key: str, folder: Path) -> None:
    """Uncompressed models: an object, or all objects below a prefix, by the rest of their keys."""
    exists = False
    with Folder(folder) as root:
        for info in objects.list(bucket, key):
            if info.key.endswith("/"):
                continue
            source = objects.path(bucket, info.key)
            if source is not None:
                name = info.key.removeprefix(key).lstrip("/") or info.key.rsplit("/", 1)[-1]
                _copy_one(source, root, name, f"s3://{bucket}/{info.key}")
                exists = True
    if not exists:
        raise ModelDataError(f"Could not find model data at s3://{bucket}/{key}.")


def _copy_one(source: Path, root: Folder, name: str, uri: str) -> None:
    """One file. What can't be one, or is one and also a folder, is refused, as AWS does (contracts: containers 5.8)."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\0" in part or len(os.fsencode(part)) > 255 for part in parts):
        raise ModelDataError(f"Model data at {uri} is refused: '{name}' can't be the name of a file in /opt/ml/model.")
    try:
        with (
            root.make("/".join(parts[:-1]) or ".") as folder,
            source.open("rb", buffering=0) as reader,
            os.fdopen(folder.create(parts[-1]), "wb") as target,
        ):
            copy(reader.fileno(), target.fileno())
    except OSError as error:
        if error.errno not in _CLASH:
            raise
        raise ModelDataError(
            f"Model data at {uri} is refused: '{name}' is the name of a file and of a folder in /opt/ml/model."
        ) from error
