"""The Python that a fork server runs, and the variables that it starts with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker import machine_environment
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

    @classmethod
    def of(cls, found: LibrarySet, warm: Sequence[str]) -> Runtime:
        """The Python of a library set."""
        serving = found.folder / SERVING
        return cls(str(found.python), tuple(warm), of_image=True, serving=str(serving) if serving.is_dir() else None)

    def environment(self) -> dict[str, str]:
        """The variables that the fork server starts with."""
        inherited = machine_environment.of_fork_servers(os.environ, own_python=not self.of_image)
        if not self.of_image:
            inherited["PYTHONDONTWRITEBYTECODE"] = "1"
            project = str(Path(__file__).parents[2])
            inherited["PYTHONPATH"] = os.pathsep.join(filter(None, [project, os.environ.get("PYTHONPATH", "")]))
        return {**inherited, **_QUIET_THREADS}
