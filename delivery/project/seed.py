"""The contents of the three repositories, rendered from this project's sources: nothing is kept twice.

A repository is a selection of this tree at the same places, so that its builds and tests run the same commands, and one
repository that holds everything serves all three pipelines, too.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

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
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info", ".*_cache", "build", "dist")


def render(repository: str, target: Path, github_actions: bool = False) -> list[Path]:
    """Writes a repository's files below a folder, which may exist; their paths in it. Files of the user stay."""
    for source in SOURCES[repository]:
        origin, goal = ROOT / source, target / source
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


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and ".git" not in path.relative_to(folder).parts[:1]:
            yield path.relative_to(folder)
