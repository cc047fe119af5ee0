"""A build's sources: archives in S3, commits of git repositories, put into the build's folder."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker.codecommit.git import GitError, GitRepository
from local_sagemaker.errors import ServiceError
from local_sagemaker.files.archives import ArchiveError, unpack_zip
from local_sagemaker.objects.types import Objects
from local_sagemaker.records.store import Body
from local_sagemaker.services.codebuild.errors import BuildFailure

LARGEST = 10 << 30
"""Bytes of an unpacked source."""
FindRepository = Callable[[str, str], GitRepository | None]
"""The repository of a provider (``CODECOMMIT``, ``GITHUB``) by its name."""


@dataclass(frozen=True)
class Fetched:
    """What was fetched: the version that it turned out to be, and where it came from."""

    version: str = ""
    location: str = ""


class Sources:
    """Fetches sources into folders."""

    def __init__(self, objects: Objects, repositories: FindRepository) -> None:
        self._objects, self._repositories = objects, repositories

    def fetch(self, source: Body, version: str, folder: Path) -> Fetched:
        """Puts a source into a folder. Raises `BuildFailure`."""
        folder.mkdir(parents=True, exist_ok=True)
        kind, location = source["type"], source.get("location", "")
        if kind == "NO_SOURCE":
            return Fetched()
        if kind == "S3":
            bucket, _, key = location.removeprefix("arn:aws:s3:::").removeprefix("s3://").partition("/")
            self.unpack(bucket, key, folder)
            return Fetched("", location)
        return self._clone(kind, location, version, folder)

    def unpack(self, bucket: str, key: str, folder: Path) -> None:
        """Unpacks an archive from S3, or copies what is below a key that ends with a slash."""
        folder.mkdir(parents=True, exist_ok=True)
        if key.endswith("/"):
            for item in self._objects.list(bucket, key):
                file = self._objects.path(bucket, item.key)
                target = folder / item.key.removeprefix(key)
                inside = target.resolve().is_relative_to(folder.resolve())
                if file is not None and not item.key.endswith("/") and inside:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target)
            return
        archive = self._objects.path(bucket, key)
        if archive is None:
            raise BuildFailure("CLIENT_ERROR", f"NoSuchKey: The specified key does not exist. status code: 404 ({key})")
        try:
            unpack_zip(archive, folder, LARGEST)
        except (ArchiveError, OSError) as error:
            raise BuildFailure("CLIENT_ERROR", f"The source s3://{bucket}/{key} is no zip: {error}") from error

    def _clone(self, kind: str, location: str, version: str, folder: Path) -> Fetched:
        name = re.sub(r"\.git$", "", location.rstrip("/"))
        name = name.rpartition("/")[2] if kind == "CODECOMMIT" else "/".join(name.split("/")[-2:])
        try:
            git = self._repositories(kind, name)
            commit = git.resolve(version) if git and version else git.resolve("HEAD") if git else None
            if git is None or commit is None:
                what = f"version {version} in {location}" if git else f"repository {location}"
                raise BuildFailure("CLIENT_ERROR", f"repository not found for primary source: no {what}")
            checkout(git, commit, folder)
        except (GitError, ServiceError) as error:
            raise BuildFailure("CLIENT_ERROR", f"error while cloning {location}: {error}") from error
        return Fetched(commit, location)


def checkout(git: GitRepository, commit: str, folder: Path) -> None:
    """Clones a repository into an empty folder and checks a commit out, with git's own folder."""
    inside = {"GIT_DIR": str(folder / ".git"), "GIT_WORK_TREE": str(folder)}
    git.run("init", "--quiet", variables=inside)
    git.run("fetch", "--quiet", str(git.folder), "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*",
            variables=inside)  # fmt: skip
    git.run("checkout", "--quiet", "--force", commit, variables=inside)
