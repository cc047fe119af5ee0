"""Makes the library set of an image with uv: a virtual environment of its own, finished or not there at all.

A set is made under a temporary name beside its place, checked by an import of its libraries (which also writes their
bytecode), and renamed. uv keeps one copy of each file in its cache and links it into the sets.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.images.libraries.plan import Plan

Say = Callable[[str], None]
MANIFEST = "set.json"
SERVING = "serving"
"""Folder of what only the model server of this service needs; no script sees it."""
_TOOLS = ("pip", "setuptools<81", "wheel")
_SERVING = ("uvloop", "httptools")
_WITHOUT_GPU_CODE = {"xgboost": ("xgboost-cpu", (2, 1))}
"""Libraries that are published without their code for GPUs under another name, since that version: a fiftieth of the
size, else the same. They are installed under their own name."""
_PROGRESS = ("Resolved", "Prepared", "Installed", "Downloading", "warning: Failed")
_OFFLINE = ("dns error", "failed to lookup", "Failed to fetch", "Connection refused", "error sending request",
            "Network connectivity is disabled", "network was disabled", "timed out", "Could not connect",
            "tcp connect error")  # fmt: skip

_CHECK = """
import importlib, importlib.metadata as metadata, json, sys
problems = []
for name in {modules!r}:
    try:
        importlib.import_module(name)
    except Exception as error:
        problems.append(f"{{name}}: {{type(error).__name__}}: {{error}}")
versions = {{d.metadata["Name"]: d.version for d in metadata.distributions() if d.metadata["Name"]}}
print(json.dumps({{"problems": problems, "versions": versions}}))
"""


class NotPrepared(ServiceError):
    """An image's libraries could not be installed; the text names the image and the command to try again."""

    code, status = "ValidationException", 400


@dataclass(frozen=True)
class LibrarySet:
    """A finished set: its folder, and what its manifest says."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def name(self) -> str:
        """``repository:tag`` of its image."""
        return str(self.manifest["image"])

    @property
    def versions(self) -> dict[str, str]:
        """Everything that is installed."""
        return dict(self.manifest["versions"])

    @property
    def differences(self) -> list[str]:
        """In what it is not like the image."""
        return list(self.manifest["differences"])

    @property
    def size(self) -> int:
        """The bytes of its files, those that are links to uv's cache included."""
        return int(self.manifest["size"])

    @property
    def works(self) -> bool:
        """Whether its interpreter still exists."""
        return self.python.exists()


def read(folder: Path) -> LibrarySet | None:
    """The finished set in a folder, None when there is none."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return LibrarySet(folder, manifest) if isinstance(manifest, dict) and "size" in manifest else None


def build(plan: Plan, target: Path, say: Say, *, uv: str | None = None) -> LibrarySet:
    """Makes the set of a plan at `target`, which does not exist. Raises NotPrepared; nothing is left then."""
    name = plan.image.name
    making = target.with_name(f".making-{os.getpid()}-{target.name}")
    shutil.rmtree(making, ignore_errors=True)
    began = time.monotonic()
    say(f"Preparing the libraries of {name} (Python {plan.interpreter.version}) ...")
    try:
        tool = _Uv(uv or uv_command(), name, say)
        tool.run("venv", "--relocatable", "--python", str(plan.interpreter.path), str(making))
        python = making / "bin" / "python"
        renamed = _without_gpu_code(plan.versions)
        wanted = [f"{renamed.get(library, library)}=={version}" for library, version in plan.versions.items()]
        tool.install(python, [*wanted, *plan.image.packages, *_TOOLS])
        for library, published in renamed.items():
            _rename_distribution(python, published, library)
        if plan.image.serves:
            tool.install(python, _SERVING, "--target", str(making / SERVING))
        differences = [*plan.differences, *_published_helpers(plan, python, tool)]
        report = _check(python, list(plan.versions))
        if report["problems"]:
            raise NotPrepared(f"The libraries of {name} do not work on this machine: {'; '.join(report['problems'])}.")
        manifest = {
            "image": name,
            "digest": plan.image.digest,
            "python": plan.interpreter.version,
            "versions": report["versions"],
            "differences": differences,
            "left_out": list(plan.image.left_out),
            "size": _size(making),
        }
        (making / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
        making.rename(target)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    say(f"Prepared {name} in {time.monotonic() - began:.0f} s.")
    return LibrarySet(target, manifest)


def _size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*"))


def uv_command() -> str:
    """The uv that came with this package, else the one on PATH."""
    try:
        from uv import find_uv_bin  # type: ignore[import-not-found, unused-ignore]

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        command = shutil.which("uv")
    if command is None:
        raise NotPrepared("Images need the tool uv, which is not installed: pip install uv")
    return command


class _Uv:
    """Calls of uv for one image, with its progress passed on."""

    def __init__(self, command: str, image: str, say: Say) -> None:
        self._command, self._image, self._say = command, image, say

    def install(self, python: Path, requirements: Sequence[str], *options: str) -> None:
        """Installs wheels; nothing is built."""
        self.run("pip", "install", "--only-binary", ":all:", "--python", str(python), *options, *requirements)

    def attempt(self, *arguments: str) -> str | None:
        """Runs a command that may fail; the end of what it said then."""
        lines: list[str] = []
        with subprocess.Popen(
            [self._command, *arguments, "--no-python-downloads", "--color", "never"], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace", env=_environment(), cwd="/",
        ) as process:  # fmt: skip
            assert process.stderr
            for line in process.stderr:
                if line.strip():
                    lines.append(line.rstrip())
                    if line.lstrip().startswith(_PROGRESS):
                        self._say(f"  {line.strip()}")
        return None if process.returncode == 0 else "\n".join(lines[-12:])

    def run(self, *arguments: str) -> None:
        """Runs a command that must not fail."""
        problem = self.attempt(*arguments)
        if problem is None:
            return
        again = f"local-sagemaker images prepare {self._image}"
        if any(sign in problem for sign in _OFFLINE):
            raise NotPrepared(
                f"The libraries of the image {self._image} are not on this machine, and the package index cannot be "
                f"reached. With a network, run: {again}\n{problem}"
            )
        raise NotPrepared(f"The libraries of the image {self._image} cannot be installed. Try: {again}\n{problem}")


def _without_gpu_code(versions: Mapping[str, str]) -> dict[str, str]:
    """The libraries that have such a variant for this machine, by their own names."""
    if os.uname().sysname != "Linux" or os.uname().machine not in ("x86_64", "aarch64"):
        return {}
    return {
        name: variant
        for name, (variant, since) in _WITHOUT_GPU_CODE.items()
        if name in versions and tuple(map(int, versions[name].split(".")[:2])) >= since
    }


def _rename_distribution(python: Path, published: str, name: str) -> None:
    """Gives an installed variant the name of the library, so that pip and scripts find what they look for."""
    old = published.replace("-", "_")
    for folder in python.parents[1].glob(f"lib/python*/site-packages/{old}-*.dist-info"):
        renamed = folder.with_name(folder.name.replace(old, name, 1))
        folder.rename(renamed)
        for file in (renamed / "METADATA", renamed / "RECORD"):
            text = file.read_text("utf-8")
            file.unlink()  # uv's cache has a link to it
            text = text.replace(f"Name: {published}\n", f"Name: {name}\n", 1).replace(folder.name, renamed.name)
            file.write_text(text, "utf-8")


def _published_helpers(plan: Plan, python: Path, tool: _Uv) -> list[str]:
    """Installs the containers' own packages from their sources; names those that can't be built on this machine."""
    wanted = list(plan.image.published_helpers)
    command = ("pip", "install", "--no-deps", "--python", str(python))
    missing = []
    if wanted and tool.attempt(*command, *wanted) is not None:
        for requirement in wanted:
            if tool.attempt(*command, requirement) is not None:
                missing.append(f"no {requirement.partition('==')[0]}: it needs a C compiler (image: {requirement})")
    for file in python.parents[1].glob("lib/python*/site-packages/sagemaker_containers/_mapping.py"):
        text = file.read_text("utf-8")
        file.unlink()  # uv's cache has a link to it
        file.write_text(text.replace("collections.Mapping", "collections.abc.Mapping"), "utf-8")  # as the images do
    return missing


def _check(python: Path, libraries: Sequence[str]) -> dict[str, Any]:
    """Imports the libraries in the set, which writes their bytecode, and lists what is installed."""
    modules = [_MODULES.get(name, name) for name in libraries]
    environment = {name: value for name, value in _environment().items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [python, "-I", "-c", _CHECK.format(modules=modules)], capture_output=True, text=True, cwd="/", env=environment,
        check=False,
    )  # fmt: skip
    try:
        report: dict[str, Any] = json.loads(done.stdout.strip().rsplit("\n", 1)[-1])
    except ValueError:
        return {"problems": [done.stderr.strip()[-500:] or f"exit code {done.returncode}"], "versions": {}}
    return report


_MODULES = {"scikit-learn": "sklearn", "PyYAML": "yaml", "Pillow": "PIL"}


def _environment() -> dict[str, str]:
    """This process's variables without those of its own virtual environment, which uv would follow."""
    return {
        name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    }
