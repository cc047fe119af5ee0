"""The contents of the three repositories, rendered from this project's sources: nothing is kept twice.

A repository is a selection of this tree at the same places, so that its builds and tests run the same commands, and one
repository that holds everything serves all three pipelines, too.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from delivery.errors import DeliveryError

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES: Mapping[str, tuple[str, ...]] = {
    "modelbuild": (
        "README.md", "LICENSE", "setup.py", "pyproject.toml", "codebuild-buildspec.yml", "pipelines", "model-checks",
        "sagemaker-pipelines-project.ipynb",
    ),
    "modeldeploy": ("LICENSE", "delivery/__init__.py", "delivery/stages", "delivery/modeldeploy"),
    "modelmonitor": (
        "LICENSE", "delivery/__init__.py", "delivery/stages", "delivery/modelmonitor",
        "pipelines/check_job", "model-checks/model_checks",  # what the jobs of portable monitors run
    ),
}  # fmt: skip
WORKFLOWS: Mapping[str, tuple[str, ...]] = {
    "modelbuild": ("modelbuild.yml",),
    "modeldeploy": ("modeldeploy.yml", "modeldeploy-stage.yml"),
    "modelmonitor": ("modelmonitor.yml", "modelmonitor-stage.yml"),
}
"""What runs a repository's builds where GitHub Actions does it."""
LARGEST_ARCHIVE = 20_000_000
"""Bytes. AWS: ``Code archive supplied cannot be more than 20 MB compressed``. An archive with an empty file is ``not a
valid .zip archive`` to it (aws/aws-cdk#19012)."""
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", ".*_cache", "build", "dist")


def render(repository: str, target: Path, github_actions: bool = False) -> list[Path]:
    """Writes a repository's files below a folder, which may exist; their paths in it. Files of the user stay.

    :raises DeliveryError: if this is installed without the project's sources.
    """
    for source in SOURCES[repository]:
        origin, goal = ROOT / source, target / source
        if not origin.exists():
            raise DeliveryError(f"there is no {origin}: install a copy of the project with pip install --editable")
        if origin.is_dir():
            shutil.copytree(origin, goal, ignore=_LEFT_OUT, dirs_exist_ok=True)
        else:
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, goal)
    for name in WORKFLOWS.get(repository, ()) if github_actions else ():
        goal = target / ".github" / "workflows" / name
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "delivery" / "project" / "workflows" / name, goal)
    return list(_files(target))


def make_archive(repository: str) -> bytes:
    """A repository's files as a .zip, from which CloudFormation makes the first commit of a CodeCommit repository.

    :raises DeliveryError: for what CodeCommit refuses; the text names the files.
    """
    made = io.BytesIO()
    with tempfile.TemporaryDirectory() as name, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        folder = Path(name)
        files = render(repository, folder)
        empty = [str(path) for path in files if not (folder / path).stat().st_size]
        if empty:
            raise DeliveryError(f"no CodeCommit repository can begin with an empty file: {', '.join(empty)}")
        for path in files:
            archive.write(folder / path, path.as_posix())
    if (size := len(made.getvalue())) > LARGEST_ARCHIVE:
        text = f"the files of {repository} have {size / 1e6:.1f} MB compressed"
        raise DeliveryError(f"{text}, and a CodeCommit repository can begin with {LARGEST_ARCHIVE / 1e6:.0f} MB")
    return made.getvalue()


def find_seed_problems() -> Iterator[str]:
    """Why a CodeCommit repository cannot begin with its files, one line each."""
    for repository in SOURCES:
        try:
            make_archive(repository)
        except DeliveryError as error:
            yield str(error)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and ".git" not in path.relative_to(folder).parts[:1]:
            yield path.relative_to(folder)
