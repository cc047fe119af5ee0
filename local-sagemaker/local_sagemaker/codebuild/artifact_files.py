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


def folders(base: Path) -> list[Path]:
    """The folders that a base directory stands for: itself, or all that its wildcards match (user guide, "Build spec").

    Their own names are not in the artifact, only what is below them.
    """
    if base.is_dir():
        return [base]
    root = Path(base.anchor)
    try:
        return [path for path in sorted(root.glob(str(base.relative_to(root)))) if path.is_dir()]
    except (ValueError, NotImplementedError):  # e.g. ``build**``, which Python before 3.13 doesn't take as a pattern
        return []


def collect(artifact: dict[str, Any], base: Path, archive: Path, say: Say) -> int:
    """Writes the archive of an artifact's files and returns how many there are. Raises `ArtifactFailure`."""
    say(f"Expanding base directory path: {artifact['base_directory'] or '.'}")
    paths = folders(base)
    if not paths:
        raise ArtifactFailure(f"no matching base directory path found for {artifact['base_directory']}")
    say("Assembling file list")
    chosen = [
        (folder, name)
        for folder in paths
        for name in choose(list(files_below(folder)), artifact["files"], artifact["exclude_paths"], folder)
    ]
    if not chosen:
        raise ArtifactFailure("no matching artifact paths found")
    say(f"Found {len(chosen)} file(s)")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as into:
        for folder, name in chosen:
            place = Path(name).name if artifact["discard_paths"] else name
            if place in into.NameToInfo:
                cause = "discard-paths" if artifact["discard_paths"] else "base-directory"
                raise ArtifactFailure(f"{cause}: more than one file is named {place}")
            into.write(folder / name, place)
    return len(chosen)
