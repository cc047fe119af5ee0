"""S3 objects become files of a job: which objects, under which names, on which host (contracts: containers 0)."""

from __future__ import annotations

import errno
import gzip
import os
import random
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from local_sagemaker import json_text
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.files.archives import room
from local_sagemaker.files.copies import copy
from local_sagemaker.files.untrusted_folder import LEADS_OUT, Folder
from local_sagemaker.jobs.spec import Channel, JobFailure
from local_sagemaker.objects import uris
from local_sagemaker.objects.types import Objects

_PIECE = 1 << 20
_LARGEST_MANIFEST = 64 << 20
_NO_NAME = (*LEADS_OUT, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG)


@dataclass(frozen=True)
class Item:
    """One object and the relative name of its file."""

    bucket: str
    key: str
    name: str

    @property
    def uri(self) -> str:
        """The object's URI."""
        return f"s3://{self.bucket}/{self.key}"


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
    """Refuses an input without objects, as Create operations do (text: contracts: api-errors 3)."""
    bucket, prefix = uris.split(uri)
    if objects.bucket_exists(bucket) and next(iter(objects.list(bucket, prefix)), None) is not None:
        return
    raise ValidationError(
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in '
        f"the selected region ({region}), that objects exist under that S3 prefix, and that the role "
        f'"{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
    )


def share(channel: Channel, objects: list[Item], host: int, hosts: int) -> list[Item]:
    """What one host gets: everything, or every n-th object; shuffled when the channel requests it."""
    chosen = objects[host::hosts] if channel.sharded else list(objects)
    if channel.seed is not None:
        random.Random(channel.seed).shuffle(chosen)
    return chosen


def download(chosen: list[Item], folder: Path, objects: Objects) -> None:
    """Copies objects to files below the folder; the job may change its copies."""
    folder.mkdir(parents=True, exist_ok=True)
    with Folder(folder) as root, ExitStack() as stack:
        place, inner = "", root
        for item in chosen:
            above, _, name = safe(item.name).rpartition("/")
            with _named(item):
                if above != place:
                    stack.close()
                    place, inner = "", root
                    inner, place = stack.enter_context(root.make(above or ".")), above
                with os.fdopen(inner.create(name), "wb") as target, open_item(item, objects) as file:
                    copy(file.fileno(), target.fileno())


def inflate(item: Item, target: Path, objects: Objects) -> None:
    """Writes what a gzip object holds to a file."""
    left = room(target.parent)
    with target.open("wb") as writer:
        for piece in stream([item], objects, inflate=True):
            left -= len(piece)
            if left < 0:
                raise JobFailure(f"ClientError: Data download failed: {item.uri}: No space left on device")
            writer.write(piece)


def stream(chosen: list[Item], objects: Objects, *, inflate: bool) -> Iterator[bytes]:
    """The bytes of the objects one after the other, as Pipe mode sends them."""
    for item in chosen:
        yield from pieces(item, objects, inflate=inflate)


def pieces(item: Item, objects: Objects, *, inflate: bool) -> Iterator[bytes]:
    """The bytes of one object."""
    with open_item(item, objects) as file:
        try:
            with gzip.open(file) if inflate else file as plain:
                while piece := plain.read(_PIECE):
                    yield piece
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise JobFailure(f"ClientError: Data download failed: {item.uri} is no gzip file: {error}") from error


def open_item(item: Item, objects: Objects) -> BinaryIO:
    """The open file of an object; a job whose input no longer exists fails."""
    path = objects.path(item.bucket, item.key)
    with suppress(FileNotFoundError):
        if path is not None:
            return path.open("rb", buffering=0)  # type: ignore[return-value]
    raise JobFailure(f"ClientError: Data download failed: {item.uri} does not exist.")


def safe(name: str) -> str:
    """The name without empty parts, unless it leaves its folder or no file can have it."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or not parts or "\0" in name:
        raise JobFailure(f"ClientError: Data download failed: '{name}' is not a file name below the channel's folder.")
    return "/".join(parts)


@contextmanager
def _named(item: Item) -> Iterator[None]:
    """Says which object can't be a file here: its name is too long, or that of a folder of others."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_NAME:
            raise
        problem = "its name is too long for a file"
        if error.errno != errno.ENAMETOOLONG:
            problem = "another input has files in a folder of that name, or is a file with the name of its folder"
        raise JobFailure(f"ClientError: Data download failed: {item.uri}: {problem}.") from error


def _manifest(uri: str, objects: Objects) -> list[Item]:
    """A JSON array: ``{"prefix": "s3://bucket/folder/"}``, then names relative to it."""
    bucket, key = uris.split(uri)
    try:
        content = json_text.load(objects.read(bucket, key, _LARGEST_MANIFEST) or b"")
        if not _is_manifest(content):
            raise ValueError('it is no JSON array of {"prefix": "s3://..."} and names')
        base, folder = uris.split(content[0]["prefix"])
        listed_items = [Item(base, folder + name, name) for name in content[1:]]
    except (ValueError, ServiceError) as error:
        raise JobFailure(f"ClientError: The manifest {uri} can't be read: {error}") from error
    missing = next((item for item in listed_items if objects.head(item.bucket, item.key) is None), None)
    if missing:
        raise JobFailure(f"ClientError: The manifest {uri} lists s3://{base}/{missing.key}, which does not exist.")
    return listed_items


def _is_manifest(content: object) -> bool:
    if not isinstance(content, list) or not content or not isinstance(content[0], dict):
        return False
    return all(isinstance(text, str) for text in (content[0].get("prefix"), *content[1:]))


def has_only_folders(uri: str, objects: Objects) -> bool:
    """Whether all objects under a URI are those that stand for empty folders."""
    bucket, prefix = uris.split(uri)
    return objects.bucket_exists(bucket) and next(iter(objects.list(bucket, prefix)), None) is not None
