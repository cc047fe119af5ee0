"""Bare repositories in a folder, and what their branches and tags are, as records whose changes are events.

A reference's record is compared with git after every push and at every start: a push is an event once, also when the
service ends in the middle of it.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from local_sagemaker.clock import now
from local_sagemaker.codecommit.git import GitRepository
from local_sagemaker.files.removal import discard
from local_sagemaker.records import Records

SUFFIX = ".git"


class HostedRepositories:
    """Repositories by their names; `kind` is that of their references' records. A name may hold slashes."""

    def __init__(self, folder: Path, records: Records, kind: str) -> None:
        self._folder, self._records, self._kind = folder, records, kind
        self._repositories: dict[str, GitRepository] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> GitRepository:
        """The repository's files, which may not exist yet."""
        with self._lock:
            repository = self._repositories.get(name)
            if repository is None:
                repository = self._repositories[name] = GitRepository(self._folder / f"{name}{SUFFIX}")
            return repository

    def exists(self, name: str) -> bool:
        """Whether it has files."""
        return (self._folder / f"{name}{SUFFIX}" / "HEAD").is_file()

    def names(self) -> list[str]:
        """All that have files."""
        if not self._folder.is_dir():
            return []
        heads = [*self._folder.glob(f"*{SUFFIX}/HEAD"), *self._folder.glob(f"*/*{SUFFIX}/HEAD")]
        return sorted(str(head.parent.relative_to(self._folder)).removesuffix(SUFFIX) for head in heads)

    def take_in(self, name: str, extra: dict[str, Any]) -> None:
        """Compares the references' records with git, and writes what has changed. `extra` is kept with each."""
        repository = self.of(name)
        with repository.lock:
            current = repository.references() if self.exists(name) else {}
            known = dict(self._records.items(self._kind, f"{name}/"))
            with self._records.transaction():
                for full, commit in current.items():
                    before = known.pop(f"{name}/{full}", None)
                    if before is None or before["commitId"] != commit:
                        old = before["commitId"] if before else None
                        self._records.put(self._kind, f"{name}/{full}", _reference(full, commit, old, extra))
                for key in known:
                    self._records.delete(self._kind, key)

    def rename(self, old: str, new: str) -> None:
        """Gives a repository another name; its references' records go with it, without events."""
        with self.of(old).lock:
            (self._folder / f"{old}{SUFFIX}").rename(self._folder / f"{new}{SUFFIX}")
            self._records.delete_all(self._kind, f"{old}/")
            with self._lock:
                self._repositories.pop(old, None)

    def remove(self, name: str) -> None:
        """Removes the files and the references' records, without events."""
        with self.of(name).lock:
            discard(self._folder / f"{name}{SUFFIX}")
            self._records.delete_all(self._kind, f"{name}/")

    def clear(self) -> None:
        """Removes everything."""
        discard(self._folder)


def _reference(full: str, commit: str, old: str | None, extra: dict[str, Any]) -> dict[str, Any]:
    kind, _, short = full.removeprefix("refs/").partition("/")
    return {
        "referenceType": {"heads": "branch", "tags": "tag"}[kind], "referenceName": short, "referenceFullName": full,
        "commitId": commit, "oldCommitId": old, "time": now(), **extra,
    }  # fmt: skip
