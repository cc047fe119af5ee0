"""S3 objects become files of a job: which objects, under which names, on which host (specs: containers 0)."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from local_sagemaker.errors import ValidationError
from local_sagemaker.jobs.spec import Channel, JobFailure
from local_sagemaker.objects import uris
from local_sagemaker.objects.types import Objects

_PIECE = 1 << 20


@dataclass(frozen=True)
class Item:
    """One object and the relative name of its file."""

    bucket: str
    key: str
    name: str


def local_name(prefix: str, key: str) -> str:
    """The file name of a key under an S3Prefix: the whole folder part of the prefix is cut off."""
    if key == prefix or not key.startswith(prefix.rstrip("/") + "/"):
        return key[prefix.rfind("/") + 1 :]
    return key[len(prefix.rstrip("/")) + 1 :]


def items(channel: Channel, objects: Objects) -> list[Item]:
    """The objects of a channel, sorted by key, before they are divided among hosts."""
    if channel.data_type == "ManifestFile":
        return _manifest(channel.uri, objects)
    bucket, prefix = uris.split(channel.uri)
    if not objects.bucket_exists(bucket):
        return []
    listed = (info.key for info in objects.list(bucket, prefix))
    return [Item(bucket, key, local_name(prefix, key)) for key in listed if not key.endswith("/")]


def check(uri: str, objects: Objects, *, region: str, role: str) -> None:
    """Refuses an input without objects, as Create operations do (text: truth/api-errors)."""
    bucket, prefix = uris.split(uri)
    if objects.bucket_exists(bucket) and next(iter(objects.list(bucket, prefix)), None) is not None:
        return
    raise ValidationError(
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in '
        f"the selected region ({region}), that objects exist under that S3 prefix, and that the role "
        f'"{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
    )


def share(channel: Channel, found: list[Item], host: int, hosts: int) -> list[Item]:
    """What one host gets: everything, or every n-th object; shuffled when the channel asks for it."""
    chosen = found[host::hosts] if channel.sharded else list(found)
    if channel.seed is not None:
        random.Random(channel.seed).shuffle(chosen)
    return chosen


def download(chosen: list[Item], folder: Path, objects: Objects) -> None:
    """Copies objects to files below the folder; the job may change its copies."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {folder}
    for item in chosen:
        target = folder / safe(item.name)
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        copy(source(item, objects), target)


def stream(chosen: list[Item], objects: Objects, *, inflate: bool) -> Iterator[bytes]:
    """The bytes of the objects one after the other, as Pipe mode sends them."""
    for item in chosen:
        yield from pieces(item, objects, inflate=inflate)


def pieces(item: Item, objects: Objects, *, inflate: bool) -> Iterator[bytes]:
    """The bytes of one object."""
    path = source(item, objects)
    with gzip.open(path) if inflate else path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def source(item: Item, objects: Objects) -> Path:
    """The plain file of an object; a job whose input is gone by now fails."""
    path = objects.path(item.bucket, item.key)
    if path is None:
        raise JobFailure(f"ClientError: Data download failed: s3://{item.bucket}/{item.key} does not exist.")
    return path


def safe(name: str) -> str:
    """The name, unless it leaves its folder."""
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise JobFailure(f"ClientError: Data download failed: '{name}' is not a file name below the channel's folder.")
    return name


def copy(origin: Path, target: Path, *, inflate: bool = False) -> None:
    """Copies a file, inside the kernel where that is possible (blocks may then be shared until written)."""
    if inflate:
        with gzip.open(origin) as reader, target.open("wb") as writer:
            shutil.copyfileobj(reader, writer, _PIECE)
        return
    if not hasattr(os, "copy_file_range"):
        shutil.copyfile(origin, target)
        return
    with origin.open("rb", buffering=0) as reader, target.open("wb", buffering=0) as writer:
        left = os.fstat(reader.fileno()).st_size
        try:
            while left > 0 and (done := os.copy_file_range(reader.fileno(), writer.fileno(), left)):
                left -= done
        except OSError:
            reader.seek(0)
            writer.seek(0)
            shutil.copyfileobj(reader, writer, _PIECE)


def _manifest(uri: str, objects: Objects) -> list[Item]:
    """A JSON array: ``{"prefix": "s3://bucket/folder/"}``, then names relative to it."""
    bucket, key = uris.split(uri)
    try:
        head, *names = json.loads(objects.read(bucket, key) or b"")
        base, folder = uris.split(head["prefix"])
    except (ValueError, TypeError, KeyError) as error:
        raise JobFailure(f"ClientError: The manifest {uri} can't be read: {error}") from error
    found = [Item(base, folder + name, name) for name in names]
    missing = next((item for item in found if objects.head(item.bucket, item.key) is None), None)
    if missing:
        raise JobFailure(f"ClientError: The manifest {uri} lists s3://{base}/{missing.key}, which does not exist.")
    return found
