"""Files of a job become S3 objects: at its end, while it runs, or as one archive (specs: containers 1.4, 2.3, 2.9)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from local_sagemaker.api.operations import Call
from local_sagemaker.jobs import archive
from local_sagemaker.jobs.spec import Upload, When
from local_sagemaker.objects import uris
from local_sagemaker.objects.types import Objects

_MARKERS = (".sagemaker-uploading", ".sagemaker-uploaded", ".sagemaker-ignore")


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Relative name and path of every plain file below a folder; symbolic links are neither followed nor listed."""
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            if not path.is_symlink() and path.is_file():
                yield path.relative_to(folder).as_posix(), path


def finish(upload: Upload, folders: list[Path], scratch: Path, objects: Objects) -> bool:
    """Uploads an output at the end of the job, from all hosts' folders, moving the files. False: nothing is there."""
    bucket, key = uris.split(upload.uri)
    if upload.archive:
        target = scratch / key.rsplit("/", 1)[-1]
        if not archive.pack(folders, target):
            return False
        objects.put_file(bucket, key, target, move=True)
        return True
    found = False
    for folder in folders:
        for name, path in sorted(files(folder)):
            objects.put_file(bucket, _key(key, name), path, move=True, content_type=upload.content_type)
            found = True
    return found


class Mirror:
    """A folder that is uploaded while the job runs: what is new or changed, and for checkpoints also what is gone."""

    def __init__(self, upload: Upload, folder: Path, objects: Objects, call: Call | None) -> None:
        self._bucket, self._key = uris.split(upload.uri)
        self._folder, self._objects, self._call = folder, objects, call
        self._deletes = upload.when is When.MIRROR
        self._seen = {name: _stamp(path) for name, path in files(folder)} if self._deletes else {}
        self._sent = dict(self._seen)

    def sweep(self, *, last: bool = False) -> None:
        """Uploads what has changed; a file that is still growing waits until it rests, or until the last sweep."""
        now: dict[str, tuple[int, int]] = {}
        for name, path in files(self._folder):
            if name.endswith(_MARKERS):
                continue
            try:
                now[name] = stamp = _stamp(path)
                if self._sent.get(name) != stamp and (last or self._seen.get(name) == stamp):
                    self._objects.put_file(self._bucket, _key(self._key, name), path)
                    self._sent[name] = stamp
            except FileNotFoundError:
                continue  # the job has removed it meanwhile
        if self._deletes and self._call:
            for name in set(self._sent) - set(now):
                self._call("s3:DeleteObject", {"Bucket": self._bucket, "Key": _key(self._key, name)})
                del self._sent[name]
        self._seen = now


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _key(prefix: str, name: str) -> str:
    return "/".join(part for part in (prefix.rstrip("/"), name) if part)
