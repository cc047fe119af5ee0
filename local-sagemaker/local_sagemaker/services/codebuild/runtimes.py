"""What a build's environment image would select: its shell and its languages' versions, as this machine has them."""

from __future__ import annotations

import re
import shutil
import sys

from local_sagemaker.codebuild.buildspec import Buildspec

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The Python of a build here: that of the service, with a folder for its own packages."""
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


def check(spec: Buildspec, image: str) -> tuple[tuple[str, str] | None, list[str]]:
    """Why the install phase fails (code and message; None when it does not), and lines for the log."""
    install = next(phase for phase in spec.phases if phase.name == "install")
    if not install.runtimes:
        return None, []
    if not _SELECTING.search(image):
        text = "Skipping install of runtimes. Runtime version selection is not supported by this build image"
        return None, [text]
    notes: list[str] = []
    for name, wanted in install.runtimes.items():
        if name == "python":
            if not _is_own(wanted):
                text = f"Unknown runtime version named '{wanted}' of python. This build image has the following "
                return ("YAML_FILE_ERROR", f"{text}versions: {OWN}"), notes
            notes.append(f"Selecting 'python' runtime version '{OWN}' ...")
        elif tool := shutil.which(_TOOLS.get(name, name)):
            notes.append(f"Selecting '{name}': {tool} of this machine, whatever its version.")
        else:
            return ("YAML_FILE_ERROR", f"Unknown runtime named '{name}': this machine has none."), notes
    return None, notes


def _is_own(wanted: str) -> bool:
    """Whether the service's Python is a version; variables are taken as they come."""
    return wanted in ("latest", "3.x", OWN, "3") or wanted.startswith("$")
