"""A region's git repositories: CodeCommit's, and those behind connections, for git's clients, builds and pipelines."""

from __future__ import annotations

from functools import partial

from local_sagemaker.codecommit.git import GitRepository
from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.services import codecommit
from local_sagemaker.services.codecommit.git_http import GitAddress, GitEndpoint
from local_sagemaker.services.codecommit.repository_store import REPOSITORY
from local_sagemaker.services.codeconnections.connections import complete


class GitEndpoints:
    """Finds repositories."""

    def __init__(self, *, settings: Settings, records: Records, url: str) -> None:
        self._settings, self._records = settings, records
        self.resources, self._store = codecommit.build(settings=settings, records=records, url=url)
        self.connected = codecommit.build_repositories(settings=settings, records=records)

    def find(self, provider: str, name: str) -> GitRepository | None:
        """The repository of ``CODECOMMIT`` or ``GITHUB`` with a name."""
        if provider == "CODECOMMIT":
            known = self._records.get(REPOSITORY, name) is not None
            return self._store.hosted.of(name) if known else None
        return self.connected.of(name) if self.connected.exists(name) else None

    def door(self, address: GitAddress) -> GitEndpoint | None:
        """The repository that git's clients reach at an address. One behind a connection is made by its first use."""
        name, region = address.name, self._settings.region
        if not address.connected:
            git = self.find("CODECOMMIT", name)
            return GitEndpoint(git, region, partial(self._store.take_in, name)) if git else None
        git = self.connected.of(name)
        return GitEndpoint(git, region, partial(self._take_in, name), partial(_create, git))

    def _take_in(self, name: str) -> None:
        complete(self._records)
        self.connected.take_in(name, {"repositoryName": name})


def _create(git: GitRepository) -> None:
    with git.lock:
        git.create()
