"""The lines around the place in a user's code at which a job failed, from the job's code in S3: files or archives."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.files.archives import ArchiveError, read_tar
from local_sagemaker.json_text import load
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.objects import read_part, split_uri
from local_sagemaker.studio.views.failure import Frame

_AROUND = 2
_ARCHIVES = (".tar.gz", ".tgz")
_LARGEST_ARCHIVE, _LARGEST_SOURCE, _MOST_READ = 8 << 20, 1 << 20, 64 << 20
_SECONDS = 20.0
_MOST_KEPT = 16
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
        except (ServiceError, KeyError, OSError):
            continue
        lines = text.splitlines()
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
        value = load(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text


def _read(visit: Visit, uri: str, rest: str) -> tuple[str, str, str]:
    """A file below an input, the object that it came in, and its name there."""
    if not uri.startswith("s3://"):
        raise KeyError(uri)
    if uri.endswith(_ARCHIVES):
        return _read_member(visit, uri, rest), uri, rest
    if not uri.endswith(f"/{rest}"):
        uri = f"{uri.rstrip('/')}/{rest}"
    try:
        return read_part(visit, *split_uri(uri)).data.decode("utf-8", "replace"), uri, ""
    except ServiceError:
        archive = f"{uri.removesuffix(f'/{rest}')}/sourcedir.tar.gz"
        return _read_member(visit, archive, rest), archive, rest


class _Kept:
    """Files of archives that were read last, as a page that is open reads the same one again and again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: OrderedDict[tuple[str, str, str], str | None] = OrderedDict()

    def get(self, visit: Visit, uri: str, etag: str, name: str) -> str | None:
        """The text of a file of an archive, None where it can't be had. Raises S3's errors."""
        key = (uri, etag, name)
        with self._lock:
            if key in self._texts:
                self._texts.move_to_end(key)
                return self._texts[key]
        data = read_part(visit, *split_uri(uri), _LARGEST_ARCHIVE).data
        try:
            text = read_tar(data, name, most_bytes=_MOST_READ, largest=_LARGEST_SOURCE, seconds=_SECONDS)
        except ArchiveError:
            text = None
        with self._lock:
            self._texts[key] = text
            while len(self._texts) > _MOST_KEPT:
                self._texts.popitem(last=False)
        return text


_KEPT = _Kept()


def _read_member(visit: Visit, uri: str, name: str) -> str:
    """A file of an archive, which is read to the file only. Raises KeyError where it is not found."""
    bucket, key = split_uri(uri)
    head = visit.call("s3:HeadObject", {"Bucket": bucket, "Key": key})
    if int(head.get("ContentLength", 0)) > _LARGEST_ARCHIVE:
        raise KeyError(uri)
    text = _KEPT.get(visit, uri, str(head["ETag"]), name)
    if text is None:
        raise KeyError(name)
    return text
