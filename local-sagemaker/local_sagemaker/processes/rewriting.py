"""Where namespaces are not permitted: /opt/ml becomes another folder in a job's own code, arguments and variables.

Only the job's private copies are changed, and only text files that are code or configuration; data stays as it is.
"""

from __future__ import annotations

import io
import re
import socket
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LIMIT = 4 << 20
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
    target = str(ml).encode()
    for path in ml.rglob("*"):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LIMIT:
            continue
        if path.name == _ARCHIVE:
            _archive(path, target)
        elif _is_code(path.relative_to(ml)):
            _file(path, target)


def _is_code(path: Path) -> bool:
    suffix = path.suffix.lower()
    folders = path.parts[:-1]
    return suffix in _CODE or (suffix == ".json" and (not folders or any(part in _CONFIGURATION for part in folders)))


def _file(path: Path, target: bytes) -> None:
    before = path.read_bytes()
    after = _PLACE.sub(target.replace(b"\\", rb"\\"), before)
    if after != before:
        mode = path.stat().st_mode
        path.unlink()  # the bytes may be shared with the S3 object by a link
        path.write_bytes(after)
        path.chmod(mode)


def _archive(path: Path, target: bytes) -> None:
    written = io.BytesIO()
    try:
        with tarfile.open(path) as old, tarfile.open(fileobj=written, mode="w:gz") as new:
            for member in old:
                source = old.extractfile(member) if member.isfile() else None
                data = source.read() if source else b""
                if source and Path(member.name).suffix.lower() in _CODE:
                    data = _PLACE.sub(target.replace(b"\\", rb"\\"), data)
                    member.size = len(data)
                new.addfile(member, io.BytesIO(data) if source else None)
    except tarfile.TarError:
        return  # not an archive after all: the job itself will say so
    path.unlink()
    path.write_bytes(written.getvalue())


def resolve_hosts(hosts: Mapping[str, str]) -> None:
    """Has this process resolve the given host names, as a private /etc/hosts would."""
    lookup, by_name = socket.getaddrinfo, socket.gethostbyname

    def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        return lookup(hosts.get(host, host) if isinstance(host, str) else host, *rest, **named)

    def gethostbyname(name: str) -> str:
        return by_name(hosts.get(name, name))

    socket.getaddrinfo = getaddrinfo
    socket.gethostbyname = gethostbyname
