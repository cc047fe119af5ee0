"""The Python that a fork server runs, and the variables that it starts with."""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local_sagemaker import environment_allowlist
from local_sagemaker.images.libraries import LibrarySet
from local_sagemaker.images.libraries.build import SERVING

# OpenMP's threads spin while they wait, read once at its load. With several jobs on the same cores that made a training
# of 50 ms take a second; asleep they cost nothing.
_QUIET_THREADS = {"OMP_WAIT_POLICY": "passive"}


@dataclass(frozen=True)
class Runtime:
    """A Python that a fork server runs: that of a library set, or without one the service's own."""

    python: str
    warm: tuple[str, ...] = ()
    of_image: bool = False
    serving: str | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    """Of this installation, besides the service, what the image's programs import; and where each is."""

    @classmethod
    def of(cls, library_set: LibrarySet, warm: Sequence[str], own_packages: Iterable[str] = ()) -> Runtime:
        """The Python of a library set."""
        folder = library_set.folder / SERVING
        serving = str(folder) if folder.is_dir() else None
        return cls(str(library_set.python), tuple(warm), True, serving, {name: _place(name) for name in own_packages})

    def environment(self) -> dict[str, str]:
        """The variables that the fork server starts with."""
        inherited = environment_allowlist.of_fork_servers(os.environ, own_python=not self.of_image)
        if not self.of_image:
            inherited["PYTHONDONTWRITEBYTECODE"] = "1"
            project = str(Path(__file__).parents[2])
            inherited["PYTHONPATH"] = os.pathsep.join(filter(None, [project, os.environ.get("PYTHONPATH", "")]))
        return {**inherited, **_QUIET_THREADS}


@functools.cache
def _place(package: str) -> str:
    """The folder of a package that is installed beside this one."""
    spec = importlib.util.find_spec(package)
    assert spec, package
    assert spec.submodule_search_locations, package
    return str(Path(spec.submodule_search_locations[0]).resolve())
