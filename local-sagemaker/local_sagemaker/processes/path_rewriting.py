"""Where namespaces are not permitted: /opt/ml becomes another folder in a job's own code, arguments and variables.

Only the job's private copies are changed, and only text files that are code or configuration; data stays as it is.
"""

from __future__ import annotations

import io
import os
import re
import socket
import stat
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from local_sagemaker.files.untrusted_folder import Folder

_LIMIT = 4 << 20
_UNPACKED = 256 << 20
"""Bytes of a file, and of what an archive holds, up to which they are read."""
_CODE = frozenset({".py", ".sh", ".bash", ".r", ".jl", ".cfg", ".conf", ".ini", ".toml", ".yaml", ".yml", ".env"})
_CONFIGURATION = ("config", "sm_drivers", "code")
_PLACE = re.compile(rb"(?<![\w/.-])/opt/ml(?![\w.-])")
_ARCHIVE = "sourcedir.tar.gz"


def text(value: str, ml: Path) -> str:
    """The text with /opt/ml replaced."""
    return _PLACE.sub(str(ml).encode().replace(b"\\", rb"\\"), value.encode("utf-8", "surrogateescape")).decode(
        "utf-8", "surrogateescape"
    )


def mapping(values: Mapping[str, str], ml: Path) -> dict[str, str]:
    """The variables with /opt/ml replaced in their values."""
    return {name: text(value, ml) for name, value in values.items()}


def files(ml: Path) -> None:
    """Rewrites the code and configuration files below the job's folder, archives of code included."""
    target = str(ml).encode().replace(b"\\", rb"\\")
    with Folder(ml) as folder:
        for entry in folder.walk():
            path = PurePosixPath(entry.name)
            if entry.status.st_size > _LIMIT or not (path.name == _ARCHIVE or _is_code(path)):
                continue
            with folder.open(entry.name) as file:
                before = file.read()
            after = _archive(before, target) if path.name == _ARCHIVE else _PLACE.sub(target, before)
            if after != before:
                _replace(folder, path, after, stat.S_IMODE(entry.status.st_mode))


def _is_code(path: PurePosixPath) -> bool:
    suffix = path.suffix.lower()
    folders = path.parts[:-1]
    return suffix in _CODE or (suffix == ".json" and (not folders or any(part in _CONFIGURATION for part in folders)))


def _replace(folder: Folder, path: PurePosixPath, content: bytes, mode: int) -> None:
    """A new file instead of the old one, whose bytes may be shared with the S3 object by a link."""
    with folder.folder(str(path.parent)) as parent, os.fdopen(parent.create(path.name), "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), mode)


def _archive(before: bytes, target: bytes) -> bytes:
    """The archive with its code rewritten; as it was when it is damaged or very large: the job itself will say so."""
    written, size = io.BytesIO(), 0
    try:
        with tarfile.open(fileobj=io.BytesIO(before)) as old, tarfile.open(fileobj=written, mode="w:gz") as new:
            for member in old:
                size += member.size
                if size > _UNPACKED:
                    return before
                source = old.extractfile(member) if member.isreg() else None
                data = source.read() if source else b""
                if source and PurePosixPath(member.name).suffix.lower() in _CODE:
                    data = _PLACE.sub(target, data)
                    member.size = len(data)
                new.addfile(member, io.BytesIO(data) if source else None)
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error):
        return before
    return written.getvalue()


def resolve_hosts(hosts: Mapping[str, str]) -> None:
    """Has this process resolve the given host names, as a private /etc/hosts would."""
    lookup, by_name = socket.getaddrinfo, socket.gethostbyname

    def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        return lookup(hosts.get(host, host) if isinstance(host, str) else host, *rest, **named)

    def gethostbyname(name: str) -> str:
        return by_name(hosts.get(name, name))

    socket.getaddrinfo = getaddrinfo
    socket.gethostbyname = gethostbyname
