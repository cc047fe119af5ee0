"""Files and folders that ended work has left: in the state folder, and among temporary files, for which each campaign's
service has a folder of its own."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support import Service

_WORKING = ("jobs/*/*", "jobs/.prepared-*", "endpoints/*/*", ".jobs-*", ".endpoints-*", ".local-sagemaker-*")
"""Folders of running work."""
_AHEAD = re.compile(r"jobs/\.(?:prepared-(\d+)|temporary)|endpoints/[^/]+/\.prepared")
"""What fork servers, by their process's id, prepare before it is needed."""
_HALF = re.compile(r"(?!\.gitignore)(.*\.(new|part|lock|tmp)|tmp_.*|\.making-.*|\.removed-.*|pip-.*)")
"""Names of what is being written, and of claims on it."""
_OWN = {"lock", "start.lock"}


def of_running_work(service: Service) -> list[str]:
    """Folders of jobs and of endpoints' instances; also while the service is running."""
    home = service.home
    names = [str(file.relative_to(home)) for pattern in _WORKING for file in home.glob(pattern)]
    return sorted(name for name in names if not _is_ahead(name))


def _is_ahead(name: str) -> bool:
    match = _AHEAD.match(name)
    return match is not None and (match[1] is None or Path("/proc", match[1]).exists())


def of_ended_service(service: Service) -> list[str]:
    """The same, what is half written, and temporary files, once the service has ended in order."""
    home = service.home
    half = [str(file.relative_to(home)) for file in home.rglob("*") if _HALF.fullmatch(file.name)]
    names = {*of_running_work(service), *(name for name in half if name not in _OWN)}
    names |= {str(file) for file in (home / "objects/.index/temporary").glob("*") if file.stat().st_size}
    names |= {str(file) for file in (home / "jobs/.temporary").glob("*")}
    if "TMPDIR" in service.start_environment:
        names |= {str(file) for file in Path(service.start_environment["TMPDIR"]).glob("*")}
    return sorted(names)
