"""Unpacks archives of strangers: tar.gz and zip, into a folder that nothing in them leads out of.

Python's own filters are not enough for that (CVE-2025-4517), and its oldest allowed version has none. What is here
needs the standard library only, as it also runs in the workers and in the images' Python.
"""

from __future__ import annotations

import base64
import errno
import os
import stat
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from local_sagemaker.files.untrusted_folder import Folder

_PIECE = 1 << 20
_GZIP = b"\x1f\x8b"
_WINDOW = 31  # zlib's: a gzip header and trailer, whose checksum and length are verified
_LONGEST_LINK = 4095
_SIZE_BEHIND = 0x08
"""The flag of a zip's file whose size stands behind its data."""
_ENDS = ("EOFHeaderError", "EmptyHeaderError")
"""What `tarfile` raises at the end of an archive: a block of zeros, or nothing."""
_OURS = (
    errno.EIO, errno.ENOMEM, errno.ENFILE, errno.EMFILE, errno.EFBIG, errno.ENOSPC, errno.EROFS, errno.EDQUOT,
)  # fmt: skip
"""What the file system says that is no fault of an archive."""


class Refused(Exception):
    """The archive is not what it should be, or holds what must not be unpacked."""


class TooLarge(Exception):
    """The archive holds more bytes or more members than allowed."""


class Inflated:
    """The plain bytes of a gzip file; `finish` reads to its end, so that all checksums are verified."""

    def __init__(self, file: IO[bytes], most: int, most_streams: int = sys.maxsize) -> None:
        """`most` are the bytes that may come out of it, `most_streams` the parts of it, of which each takes time."""
        self._file, self._left, self._streams = file, most, most_streams
        self._inflate = zlib.decompressobj(_WINDOW)
        self._input, self._ended = file.read(_PIECE), False
        if not self._input.startswith(_GZIP):
            raise Refused("it is not compressed by gzip")

    def read(self, size: int) -> bytes:
        """At most so many bytes; fewer, or none, at the end."""
        pieces, wanted = [], size
        while wanted > 0 and (piece := self._piece(wanted)):
            pieces.append(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    def finish(self) -> None:
        """Reads what is left."""
        while self.read(_PIECE):
            pass

    def _piece(self, size: int) -> bytes:
        while not self._ended:
            if self._inflate.eof:
                self._next_member()
                continue
            try:
                piece = self._inflate.decompress(self._input, size)
            except zlib.error as error:
                raise Refused(f"it is damaged ({error})") from error
            self._input = self._inflate.unconsumed_tail
            self._left -= len(piece)
            if self._left < 0:
                raise TooLarge("it holds too many bytes")
            if not self._input and not self._inflate.eof:
                self._input = self._file.read(_PIECE)
                if not self._input and not piece:
                    raise Refused("it ends too early")
            if piece:
                return piece
        return b""

    def _next_member(self) -> None:
        """A gzip file may hold several streams; what follows the last is ignored, as gzip(1) does."""
        self._streams -= 1
        if self._streams < 0:
            raise Refused("it consists of too many streams")
        rest = self._inflate.unused_data
        while len(rest) < len(_GZIP) and (more := self._file.read(_PIECE)):
            rest += more
        if rest.startswith(_GZIP):
            self._inflate, self._input = zlib.decompressobj(_WINDOW), rest
        else:
            self._ended = True


class _Member(tarfile.TarInfo):
    """A member whose header is whole: a damaged one in the middle would end the archive without a word."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> _Member:
        """The next member."""
        try:
            return super().fromtarfile(tar)
        except tarfile.HeaderError as error:
            if type(error).__name__ in _ENDS:
                raise
            raise Refused(f"it is damaged ({error})") from error


def unpack_tar(archive: str, folder: str, most_bytes: int, most_members: int, links: bool) -> dict[str, int]:
    """Unpacks a tar.gz into a folder; how many bytes and members it held. `Refused` or `TooLarge`, half done.

    With `links`, symbolic links that stay inside the folder are made; without, an archive with any is refused. Hard
    links to members, folders and regular files are always made; all else is refused.
    """
    with open(archive, "rb", buffering=0) as file, Folder(folder) as root:
        plain = Inflated(file, most_bytes + 2048 * most_members)
        unpacking = _Unpacking(root, most_bytes, links)
        try:
            with tarfile.open(fileobj=plain, mode="r|", bufsize=_PIECE, tarinfo=_Member) as members:  # type: ignore[call-overload]
                for member in members:
                    unpacking.members += 1
                    if unpacking.members > most_members:
                        raise TooLarge("it holds too many members")
                    unpacking.member(members, member)
                    members.members = []  # else all of them stay in memory
                plain.finish()
        except (tarfile.TarError, ValueError, EOFError, OverflowError) as error:
            raise Refused(f"it is damaged ({error})") from error
        finally:
            unpacking.close()
    return {"bytes": unpacking.bytes, "members": unpacking.members}


def read_tar(archive: str, name: str, most_bytes: int, largest: int) -> dict[str, str | None]:
    """The `text` of a regular file of a tar.gz, None where it has none of that name with at most `largest` bytes.

    `Refused`, `TooLarge` for an archive that is longer before it, or what `tarfile` raises of an odd one.
    """
    with open(archive, "rb", buffering=0) as file:
        plain = Inflated(file, most_bytes)
        with tarfile.open(fileobj=plain, mode="r|", bufsize=_PIECE, tarinfo=_Member) as members:  # type: ignore[call-overload]
            for member in members:
                if member.isreg() and member.size <= largest and member.name.removeprefix("./") == name:
                    source = members.extractfile(member)
                    assert source is not None
                    return {"text": source.read(largest).decode("utf-8", "replace")}
                members.members = []  # else all of them stay in memory
    return {"text": None}


class _Unpacking:
    """One archive on its way into a folder."""

    def __init__(self, root: Folder, most_bytes: int, links: bool) -> None:
        self._root, self._most, self._links = root, most_bytes, links
        self._parent: tuple[str, Folder] | None = None
        self.bytes = self.members = 0

    def close(self) -> None:
        """Closes the folder that is being filled."""
        if self._parent:
            self._parent[1].close()

    def member(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Unpacks one member."""
        parts = _parts(member.name)
        with _judge_errors(member.name):
            if member.isdir():
                self._folder("/".join(parts))
            elif not parts:
                raise Refused("a member has no name")
            elif member.isreg():
                source = archive.extractfile(member)
                assert source is not None
                self.write(parts, source, member.mode, member.mtime)
            elif member.issym():
                self._link(parts, member.linkname)
            elif member.islnk():
                self._hard_link(parts, _parts(member.linkname))
            else:
                raise Refused(f"{member.name!r} is a device or a pipe")

    def write(self, parts: list[str], source: IO[bytes], mode: int, moment: float) -> None:
        """Writes a regular file, executable where its owner may execute it."""
        parent = self._folder("/".join(parts[:-1]))
        descriptor = parent.create(parts[-1])
        try:
            while piece := source.read(_PIECE):
                self.bytes += len(piece)
                if self.bytes > self._most:
                    raise TooLarge("it holds too many bytes")
                view = memoryview(piece)
                while view:
                    view = view[os.write(descriptor, view) :]
            os.fchmod(descriptor, 0o755 if mode & stat.S_IXUSR else 0o644)
            if 0 <= moment < 1 << 40:
                os.utime(descriptor, (moment, moment))
        finally:
            os.close(descriptor)

    def _folder(self, name: str) -> Folder:
        """The folder of that name, kept open for the next member, which is likely to be in it, too."""
        if self._parent and self._parent[0] == name:
            return self._parent[1]
        folder = self._root.make(name or ".")
        self.close()
        self._parent = name, folder
        return folder

    def _link(self, parts: list[str], target: str) -> None:
        """A symbolic link. No folder on the way to it is a link, so that ``..`` means what it seems to mean here."""
        if not self._links:
            raise Refused(f"{'/'.join(parts)!r} is a symbolic link")
        way = [part for part in target.split("/") if part not in ("", ".")]
        up = next((number for number, part in enumerate(way) if part != ".."), len(way))
        if target.startswith("/") or ".." in way[up:] or up > len(parts) - 1 or len(target) > _LONGEST_LINK:
            raise Refused(f"the link {'/'.join(parts)!r} leads out of the archive")
        parent = self._folder("/".join(parts[:-1]))
        os.close(parent.create(parts[-1]))
        os.unlink(parts[-1], dir_fd=parent.descriptor)
        os.symlink(target, parts[-1], dir_fd=parent.descriptor)

    def _hard_link(self, parts: list[str], target: list[str]) -> None:
        """A second name of a member that has been unpacked."""
        parent = self._folder("/".join(parts[:-1]))
        with self._root.folder("/".join(target[:-1]) or ".") as folder:
            status = os.stat(target[-1], dir_fd=folder.descriptor, follow_symlinks=False) if target else None
            if status is None or not stat.S_ISREG(status.st_mode):
                raise Refused(f"the link {'/'.join(parts)!r} leads to no file")
            if parts == target:
                return
            os.close(parent.create(parts[-1]))
            os.unlink(parts[-1], dir_fd=parent.descriptor)
            os.link(
                target[-1], parts[-1], src_dir_fd=folder.descriptor, dst_dir_fd=parent.descriptor, follow_symlinks=False
            )


@contextmanager
def _judge_errors(name: str) -> Iterator[None]:
    """Says which member the file system could not take, unless that is the file system's own fault."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.errno in _OURS:
            raise
        raise Refused(f"{name[:300]!r} can't be unpacked: {error.strerror}") from error


def _parts(name: str) -> list[str]:
    """The parts of a member's name; a leading slash is dropped, as tar does. `Refused` for one that leads out."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in name:
        raise Refused(f"{name[:300]!r} leads out of the archive")
    return parts


def unpack_zip(archive: str, folder: str, most_bytes: int, most_members: int) -> dict[str, Any]:
    """Unpacks a zip into a folder; names that lead out of it are made to stay inside. Files keep their execute bits.

    `Refused`, `TooLarge`, or what `zipfile` and the decompressors raise.
    """
    with Folder(folder) as root, zipfile.ZipFile(archive) as members:
        entries = _entries(members, most_bytes, most_members)
        unpacking = _Unpacking(root, most_bytes, False)
        try:
            for entry in entries:
                parts = [part for part in entry.filename.split("/") if part not in ("", ".", "..")]
                with _judge_errors(entry.filename):
                    if entry.is_dir() or not parts:
                        root.make("/".join(parts) or ".").close()
                        continue
                    with members.open(entry) as source:
                        unpacking.write(parts, source, entry.external_attr >> 16, -1)
        finally:
            unpacking.close()
    return {"bytes": unpacking.bytes, "members": len(entries)}


def unpack_files(archive: str, folder: str, most_bytes: int, most_members: int) -> dict[str, list[str] | list[bool]]:
    """Unpacks the files of a zip into a folder, each under its number, executable or not.

    Their `names` in order, and whether each is `streamable`: not stored with its size behind its data.
    `Refused`, `TooLarge`, or what `zipfile` and the decompressors raise.
    """
    with Folder(folder) as root, zipfile.ZipFile(archive) as members:
        entries = [entry for entry in _entries(members, most_bytes, most_members) if not entry.is_dir()]
        unpacking = _Unpacking(root, most_bytes, False)
        try:
            for number, entry in enumerate(entries):
                with members.open(entry) as source:
                    unpacking.write([str(number)], source, entry.external_attr >> 16, -1)
        finally:
            unpacking.close()
    return {
        "names": [entry.filename for entry in entries],
        "streamable": [
            entry.compress_type != zipfile.ZIP_STORED or not entry.flag_bits & _SIZE_BEHIND for entry in entries
        ],
    }


def read_zip(archive: str, name: str, largest: int) -> dict[str, str | None]:
    """The `data` of a file of a zip as base64, None where it has none of that name.

    `TooLarge`, or what `zipfile` and the decompressors raise.
    """
    with zipfile.ZipFile(archive) as members:
        if name not in members.namelist():
            return {"data": None}
        with members.open(name) as source:
            data = source.read(largest + 1)  # which inflates no more than that, whatever the headers say
    if len(data) > largest:
        raise TooLarge(f"{name!r} has more than {largest} bytes")
    return {"data": base64.b64encode(data).decode()}


def _entries(members: zipfile.ZipFile, most_bytes: int, most_members: int) -> list[zipfile.ZipInfo]:
    entries = members.infolist()
    if len(entries) > most_members or sum(entry.file_size for entry in entries) > most_bytes:
        raise TooLarge("it holds too many bytes or members")
    return entries
