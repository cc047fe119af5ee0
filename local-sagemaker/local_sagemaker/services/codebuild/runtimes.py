"""What a build's environment image would select: its shell and its languages' versions, as this machine has them."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from local_sagemaker.codebuild.buildspec import Buildspec
from local_sagemaker.images.libraries.interpreters import Interpreter, find_any

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The Python of a build that selects none: that of the service, with a folder for its own packages."""
_KNOWN = tuple(f"3.{minor}" for minor in range(7, 16))
_TOOLS = {"nodejs": "node", "java": "java", "golang": "go", "ruby": "ruby", "php": "php", "dotnet": "dotnet"}
_SELECTING = re.compile(r"aws/codebuild/.*(standard|lambda)")


def shell(wanted: str, image: str) -> list[str]:
    """The command of the shell: ``sh`` of Amazon Linux is bash."""
    bash = shutil.which("bash")
    if wanted == "bash":
        return [bash or "bash"]
    if bash and "amazonlinux" in image and not wanted:
        return [bash, "--posix"]
    return ["/bin/sh"]


@dataclass(frozen=True)
class Runtimes:
    """What the install phase selects: why it fails (code and message), lines for the log, another Python."""

    refusal: tuple[str, str] | None = None
    notes: list[str] = field(default_factory=list)
    python: Interpreter | None = None

    @property
    def readable(self) -> tuple[Path, ...]:
        """The folders of the machine that the selected Python lies in, as far as builds do not see them anyway.

        Of one that is installed into the home folder itself, the program's folder and the library only.
        """
        if self.python is None:
            return ()
        whole = not Path.home().resolve().is_relative_to(self.python.prefix)
        apart = not whole or not self.python.program.is_relative_to(self.python.prefix)
        folders = (
            *((self.python.prefix,) if whole else self.python.libraries),
            *((self.python.program.parent,) if apart else ()),
        )
        return tuple(folder for folder in folders if folder.parts[1:2] != ("usr",))


def select(spec: Buildspec, image: str) -> Runtimes:
    """What a specification selects of this machine."""
    install = next(phase for phase in spec.phases if phase.name == "install")
    if not install.runtimes:
        return Runtimes()
    if not _SELECTING.search(image):
        text = "Skipping install of runtimes. Runtime version selection is not supported by this build image"
        return Runtimes(None, [text])
    notes: list[str] = []
    python = None
    for name, wanted in install.runtimes.items():
        if name == "python":
            python = (
                None if _is_own(wanted) else find_any(wanted, venv=True) if re.fullmatch(r"3\.\d+", wanted) else None
            )
            if python is None and not _is_own(wanted):
                text = f"Unknown runtime version named '{wanted}' of python. This build image has the following "
                return Runtimes(("YAML_FILE_ERROR", f"{text}versions: {', '.join(_versions())}"), notes)
            notes.append(f"Selecting 'python' runtime version '{python.minor if python else OWN}' ...")
        elif tool := shutil.which(_TOOLS.get(name, name)):
            notes.append(f"Selecting '{name}': {tool} of this machine, whatever its version.")
        else:
            return Runtimes(("YAML_FILE_ERROR", f"Unknown runtime named '{name}': this machine has none."), notes)
    return Runtimes(None, notes, python)


def _is_own(wanted: str) -> bool:
    """Whether the service's Python is a version; variables are taken as they come."""
    return wanted in ("latest", "3.x", OWN, "3") or wanted.startswith("$")


def _versions() -> list[str]:
    return [minor for minor in _KNOWN if minor == OWN or find_any(minor, venv=True)]
