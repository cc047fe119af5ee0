"""What a store left behind."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def leftovers(folder: Path) -> list[Path]:
    """Temporary files that hold anything."""
    found = []
    for file in (folder / ".index" / "temporary").iterdir():
        with suppress(FileNotFoundError):
            found += [file] if file.stat().st_size else []
    return found
