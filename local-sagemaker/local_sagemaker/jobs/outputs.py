"""Files of a job become S3 objects: at its end, while it runs, or as one archive (contracts: containers 1.4, 2.3, 2.9).

A job may leave anything in its folders and change it at any time, so they are read through `files.untrusted_folder`:
what a link or a mount of its own leads to is never uploaded, and nothing is moved but what lies in the job's folder.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from local_sagemaker.api.operations import Call
from local_sagemaker.files.untrusted_folder import LEADS_OUT, Entry, Folder
from local_sagemaker.jobs import archive
from local_sagemaker.jobs.spec import JobFailure, Upload, UploadTiming
from local_sagemaker.objects import uris
from local_sagemaker.objects.types import Objects

_MARKERS = (".sagemaker-uploading", ".sagemaker-uploaded", ".sagemaker-ignore")
_LONGEST_KEY = 1024
_CHANGED = (*LEADS_OUT, errno.ENOENT, errno.ESTALE)
"""What the file system says of a file that the job removed, moved or replaced while it was read."""


class Outputs:
    """The outputs of one job, in the folders of its hosts."""

    def __init__(self, hosts: Sequence[Folder], objects: Objects) -> None:
        """`hosts` are the roots of the hosts: an output's path is below their ``ml``."""
        self._hosts, self._objects = hosts, objects

    def finish(self, upload: Upload, scratch: Path) -> bool:
        """Uploads an output at the end of the job, from all hosts, moving the files. False: there were none.

        An archive is made in the folder `scratch`.
        """
        bucket, key = uris.split(upload.uri)
        with ExitStack() as stack:
            folders = [folder for host in self._hosts if (folder := stack.enter_context(output(host, upload.path)))]
            if upload.archive:
                target = scratch / key.rsplit("/", 1)[-1]
                for folder in folders:
                    self.check_links(upload.path, folder.walk())
                if not archive.pack(folders, target):
                    return False
                self._objects.put_file(bucket, key, target, move=True)
                return True
            return sum(self._move(upload, folder, bucket, key) for folder in folders) > 0

    def _move(self, upload: Upload, folder: Folder, bucket: str, prefix: str) -> int:
        """Moves the files of one host into the bucket; how many."""
        entries = list(folder.walk())
        self.check_links(upload.path, entries)
        for entry in entries:
            key = object_key(prefix, entry.name)
            self._objects.put_from(bucket, key, folder, entry.name, move=True, content_type=upload.content_type)
        return len(entries)

    def check_links(self, path: str, entries: Iterator[Entry] | list[Entry]) -> None:
        """JobFailure for a file that has a name outside of the job: it may be anybody's.

        Only path rewriting lets a job make such a hard link; mount namespaces keep it from doing so.
        """
        several = [entry for entry in entries if entry.status.st_nlink > 1]
        if not several:
            return
        names = Counter(_inode(entry) for host in self._hosts for entry in host.walk() if entry.status.st_nlink > 1)
        for entry in several:
            if names[_inode(entry)] < entry.status.st_nlink:
                raise JobFailure(
                    f"ClientError: Data upload failed: /opt/ml/{path}/{entry.name} is a hard link to a file outside of "
                    "the job."
                )


class Mirror:
    """A folder that is uploaded while the job runs: what is new or changed and, for checkpoints, what was removed."""

    def __init__(self, upload: Upload, host: Folder, objects: Objects, call: Call | None) -> None:
        self._bucket, self._key = uris.split(upload.uri)
        self._path, self._host, self._objects, self._call = upload.path, host, objects, call
        self._outputs = Outputs([host], objects)
        self._deletes = upload.when is UploadTiming.MIRROR
        self._seen: dict[str, tuple[int, int]] = {}
        if self._deletes:
            with output(host, self._path) as folder:
                self._seen = {entry.name: _stamp(entry) for entry in folder.walk()} if folder else {}
        self._sent = dict(self._seen)

    def sweep(self, *, last: bool = False) -> None:
        """Uploads what has changed; a file that is still growing waits until it rests, or until the last sweep.

        While the job runs, a folder that can't be read as it is waits for the next sweep; at last it fails the job.
        """
        try:
            with output(self._host, self._path) as folder:
                self._sweep(folder, last)
        except JobFailure:
            if last:
                raise
        except OSError as error:
            if last or error.errno not in _CHANGED:
                raise

    def _sweep(self, folder: Folder | None, last: bool) -> None:
        entries = [entry for entry in folder.walk() if not entry.name.endswith(_MARKERS)] if folder else []
        self._outputs.check_links(self._path, entries)
        now: dict[str, tuple[int, int]] = {}
        for entry in entries:
            now[entry.name] = stamp = _stamp(entry)
            if folder and self._sent.get(entry.name) != stamp and (last or self._seen.get(entry.name) == stamp):
                self._send(folder, entry.name, stamp)
        if self._deletes and self._call:
            for name in set(self._sent) - set(now):
                self._call("s3:DeleteObject", {"Bucket": self._bucket, "Key": object_key(self._key, name)})
                del self._sent[name]
        self._seen = now

    def _send(self, folder: Folder, name: str, stamp: tuple[int, int]) -> None:
        try:
            self._objects.put_from(self._bucket, object_key(self._key, name), folder, name)
        except OSError as error:
            if error.errno not in _CHANGED:
                raise
            return  # the job has removed or replaced it since
        self._sent[name] = stamp


@contextmanager
def output(host: Folder, path: str) -> Iterator[Folder | None]:
    """A folder below a host's /opt/ml, or None where the job has removed it. JobFailure where it can't be reached.

    On AWS such a folder is a mount, which a job can neither remove nor replace.
    """
    try:
        folder = host.folder(f"ml/{path}")
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        if error.errno not in LEADS_OUT:
            raise
        raise JobFailure(
            f"ClientError: Data upload failed: the job has replaced /opt/ml/{path}, or a folder above it, by a link, "
            "a file or a mount; outputs are uploaded from folders of the job."
        ) from error
    with folder:
        yield folder


def object_key(prefix: str, name: str) -> str:
    """The key of a file; JobFailure for a name that can't be part of one."""
    key = "/".join(part for part in (prefix.rstrip("/"), name) if part)
    try:
        length = len(key.encode())
    except UnicodeEncodeError as error:
        raise JobFailure(f"ClientError: Data upload failed: the file name {name[:300]!r} is not UTF-8.") from error
    if length > _LONGEST_KEY:
        raise JobFailure(
            f"ClientError: Data upload failed: the key of the file {name[:300]!r}... would have {length} bytes; S3 "
            f"takes {_LONGEST_KEY}."
        )
    return key


def _stamp(entry: Entry) -> tuple[int, int]:
    return entry.status.st_mtime_ns, entry.status.st_size


def _inode(entry: Entry) -> tuple[int, int]:
    return entry.status.st_dev, entry.status.st_ino
