"""The lines around the place in a user's code at which a job failed, from the job's code input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.objects import read_part, split_uri
from local_sagemaker.studio.views.failure import Frame

_AROUND = 2


@dataclass(frozen=True)
class SourceExcerpt:
    """Lines of a file, as it is in S3 now; `first` is the number of the first, `at` that of the failing one."""

    href: str
    first: int
    at: int
    lines: list[str]


def read_source(visit: Visit, job: Mapping[str, Any], frame: Frame | None) -> SourceExcerpt | None:
    """Five lines around a frame; None where the file is in no input of the processing job, or has changed since."""
    uri = _find_uri(job, frame.file) if frame else ""
    if frame is None or not uri:
        return None
    try:
        lines = read_part(visit, *split_uri(uri)).data.decode("utf-8", "replace").splitlines()
    except ServiceError:
        return None
    if not 0 < frame.line <= len(lines) or frame.source not in lines[frame.line - 1]:
        return None
    first = max(1, frame.line - _AROUND)
    return SourceExcerpt(urls.s3(uri), first, frame.line, lines[first - 1 : frame.line + _AROUND])


def _find_uri(job: Mapping[str, Any], file: str) -> str:
    """Where the file of a container came from: an input is a folder, or one object that lies below its local path."""
    for item in job.get("ProcessingInputs", []):
        source = item.get("S3Input", {})
        folder, uri = str(source.get("LocalPath", "")).rstrip("/"), str(source.get("S3Uri", ""))
        if folder and uri and file.startswith(f"{folder}/"):
            rest = file.removeprefix(f"{folder}/")
            return uri if uri.endswith(f"/{rest}") else f"{uri.rstrip('/')}/{rest}"
    return ""
