"""The lines around the place in a user's code at which a job failed, from the job's code in S3: files or archives."""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.objects import read_part, split_uri
from local_sagemaker.studio.views.failure import Frame

_AROUND = 2
_ARCHIVES = (".tar.gz", ".tgz")
_LARGEST_ARCHIVE, _LARGEST_SOURCE, _MOST_READ = 8 << 20, 1 << 20, 64 << 20
_SCRIPTS = "/opt/ml/code"
_CHANNELS = "/opt/ml/input/data"


@dataclass(frozen=True)
class SourceExcerpt:
    """Lines of a file, as it is in S3 now; `first` is the number of the first, `at` that of the failing one. `member`
    is the file's name in the archive that it came in, if it did."""

    href: str
    first: int
    at: int
    lines: list[str]
    member: str = ""


def read_source(visit: Visit, job: Mapping[str, Any], frame: Frame | None) -> SourceExcerpt | None:
    """Five lines around a frame; None where the file is in none of the job's code, or has changed since."""
    if frame is None:
        return None
    for folder, uri in _places(job):
        if not frame.file.startswith(f"{folder}/"):
            continue
        rest = frame.file.removeprefix(f"{folder}/")
        try:
            text, uri, member = _read(visit, uri, rest)
        except (ServiceError, KeyError, OSError, EOFError, tarfile.TarError, zlib.error):
            continue
        lines = text.decode("utf-8", "replace").splitlines()
        if 0 < frame.line <= len(lines) and frame.source in lines[frame.line - 1]:
            first = max(1, frame.line - _AROUND)
            shown = lines[first - 1 : frame.line + _AROUND]
            return SourceExcerpt(urls.s3(uri), first, frame.line, shown, member)
    return None


def _places(job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Folders of the container, and the URIs that were brought there: an input is a prefix, one object, or an archive
    that the job unpacked."""
    for item in job.get("ProcessingInputs", []):
        source = item.get("S3Input", {})
        yield str(source.get("LocalPath", "")).rstrip("/") or "/", str(source.get("S3Uri", ""))
    parameters = job.get("HyperParameters", {})
    yield _SCRIPTS, _plain(parameters.get("sagemaker_submit_directory", ""))
    for item in job.get("InputDataConfig", []):
        uri = str(item.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri", ""))
        yield f"{_CHANNELS}/{item.get('ChannelName', '')}", uri
        if str(item.get("ChannelName", "")) == "code":  # which the SDK's drivers unpack, or run from here
            yield _SCRIPTS, uri


def _plain(text: str) -> str:
    """The SDK writes hyperparameters as JSON, people do not."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text


def _read(visit: Visit, uri: str, rest: str) -> tuple[bytes, str, str]:
    """A file below an input, the object that it came in, and its name there."""
    if not uri.startswith("s3://"):
        raise KeyError(uri)
    if uri.endswith(_ARCHIVES):
        return _read_member(visit, uri, rest), uri, rest
    if not uri.endswith(f"/{rest}"):
        uri = f"{uri.rstrip('/')}/{rest}"
    try:
        return read_part(visit, *split_uri(uri)).data, uri, ""
    except ServiceError:
        archive = f"{uri.removesuffix(f'/{rest}')}/sourcedir.tar.gz"
        return _read_member(visit, archive, rest), archive, rest


def _read_member(visit: Visit, uri: str, name: str) -> bytes:
    """A file of an archive, which is read in memory and to the file only. Raises KeyError where it is not found."""
    part = read_part(visit, *split_uri(uri), _LARGEST_ARCHIVE)
    if part.size > _LARGEST_ARCHIVE:
        raise KeyError(uri)
    seen = 0
    with tarfile.open(fileobj=io.BytesIO(part.data), mode="r|gz") as archive:
        for member in archive:
            seen += member.size
            if seen > _MOST_READ:
                break
            if member.name.removeprefix("./") == name and member.isfile() and member.size <= _LARGEST_SOURCE:
                file = archive.extractfile(member)
                return file.read() if file else b""
    raise KeyError(name)
