"""The files that a build leaves: chosen by the patterns of its specification, put into an archive."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from local_sagemaker.files.patterns import PatternDialect, compile_pattern

Say = Callable[[str], None]


class ArtifactFailure(Exception):
    """Artifacts can't be collected; the message is what UPLOAD_ARTIFACTS shows."""


def archive_name(kind: str, number: int) -> str:
    """The file of an artifact or a report (`kind`) by its place in the specification."""
    return f"{kind}-{number}.zip"


def files_below(folder: Path) -> Iterator[str]:
    """The files below a folder, by their paths in it, in order. Links to folders are not followed."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix()


def choose(names: list[str], files: list[str], excluded: list[str], base: Path) -> list[str]:
    """Those of the names that match. A pattern that is a folder's name takes what is in it only by ``**``."""
    wanted = [compile_pattern(_relative(pattern, base), PatternDialect.BUILD) for pattern in files]
    unwanted = [compile_pattern(_relative(pattern, base), PatternDialect.BUILD) for pattern in excluded]
    return [
        name
        for name in names
        if any(pattern.fullmatch(name) for pattern in wanted)
        and not any(pattern.fullmatch(name) for pattern in unwanted)
    ]


def _relative(pattern: str, base: Path) -> str:
    return pattern[len(f"{base}/") :] if pattern.startswith(f"{base}/") else pattern


def collect(artifact: dict[str, Any], base: Path, archive: Path, say: Say) -> int:
    """Writes the archive of an artifact's files and returns how many there are. Raises `ArtifactFailure`."""
    say(f"Expanding base directory path: {artifact['base_directory'] or '.'}")
    if not base.is_dir():
        raise ArtifactFailure(f"no matching base directory path found for {artifact['base_directory']}")
    say("Assembling file list")
    names = choose(list(files_below(base)), artifact["files"], artifact["exclude_paths"], base)
    if not names:
        raise ArtifactFailure("no matching artifact paths found")
    say(f"Found {len(names)} file(s)")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as into:
        for name in names:
            place = Path(name).name if artifact["discard_paths"] else name
            if place in into.namelist():
                raise ArtifactFailure(f"discard-paths: more than one file is named {place}")
            into.write(base / name, place)
    return len(names)
