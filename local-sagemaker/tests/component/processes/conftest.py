"""Real processes: a fork server (without the slow imports) per isolation mode, and a way to run a script in it."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.config import Settings
from local_sagemaker.files.removal import remove
from local_sagemaker.images.image import Program
from local_sagemaker.processes import ForkedProcesses, ProcessSpec
from local_sagemaker.processes.isolation import VARIABLE

SECONDS = 300
SECRET = f"a key of the user's own {uuid.uuid4().hex}"
KEYS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "DATABASE_PASSWORD")


@dataclass
class Ran:
    """A process that has ended."""

    code: int | None
    root: Path
    output: str


@dataclass
class World:
    """A fork server and the folder for its processes."""

    processes: ForkedProcesses
    home: Path
    count: int = field(default=0)

    def root(self) -> Path:
        """A new process folder."""
        self.count += 1
        root = self.home / f"process-{self.count}"
        (root / "ml" / "code").mkdir(parents=True)
        return root

    def start(self, *argv: str, root: Path | None = None, entry: str | None = None, **more: Any) -> tuple[Any, Path]:
        """Starts a command."""
        root = root or self.root()
        return self.processes.start(ProcessSpec(Program(argv, entry), root, root / "log", **more)), root

    def run(self, *argv: str, **more: Any) -> Ran:
        """Runs a command to its end."""
        process, root = self.start(*argv, **more)
        code = process.wait(SECONDS)
        return Ran(code, root, (root / "log").read_text("utf-8", "replace"))

    def script(self, text: str, *arguments: str, **more: Any) -> Ran:
        """Runs a Python script at /opt/ml/code/script.py."""
        root = self.root()
        (root / "ml" / "code" / "script.py").write_text(text)
        return self.run("python3", "/opt/ml/code/script.py", *arguments, root=root, **more)


@pytest.fixture(scope="session")
def make_world() -> Iterator[Callable[[str], World]]:
    """Worlds by isolation mode ("" is the best that the machine has), made once each."""
    worlds: dict[str, World] = {}

    def make(mode: str) -> World:
        if mode not in worlds:
            home = Path(tempfile.mkdtemp(prefix="processes-"))
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(VARIABLE, mode)
                for name in KEYS:
                    patch.setenv(name, SECRET)
                processes = ForkedProcesses(settings=Settings(home=home), load=False)
                processes.warm()
            worlds[mode] = World(processes, home)
        return worlds[mode]

    yield make
    for world in worlds.values():
        world.processes.close()
        remove(world.home)


@pytest.fixture(params=["", "user", "rewrite"])
def world(request: pytest.FixtureRequest, make_world: Callable[[str], World]) -> World:
    """Each isolation mode in turn; one that this machine does not permit is skipped by name."""
    found = make_world(request.param)
    if request.param == "user" and found.processes.isolation.way != "user and mount namespaces":
        pytest.skip(f"no user namespaces here: {found.processes.isolation.reason}")
    return found


@pytest.fixture
def best(make_world: Callable[[str], World]) -> World:
    """The isolation that this machine uses by itself."""
    return make_world("")
