"""CodeCommit: repositories that boto3 reads and writes, and that ``git`` clones, fetches and pushes over HTTP."""

from __future__ import annotations

from pathlib import Path

from local_sagemaker.api.operations import Resource
from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import CODE_REFERENCE
from local_sagemaker.services.codecommit.bare_repositories import HostedRepositories
from local_sagemaker.services.codecommit.branches import Branches
from local_sagemaker.services.codecommit.commits import CodeCommits
from local_sagemaker.services.codecommit.contents import Contents
from local_sagemaker.services.codecommit.repositories import CodeRepositories
from local_sagemaker.services.codecommit.repository_store import RepositoryStore

__all__ = ["HostedRepositories", "build"]


def build(*, settings: Settings, records: Records, url: str) -> tuple[list[Resource], RepositoryStore]:
    """The resources whose marked methods are the operations, and the store, which serves git's own clients, too."""
    hosted = HostedRepositories(settings.home / "repositories" / settings.region, records, CODE_REFERENCE.kind)
    store = RepositoryStore(settings=settings, records=records, hosted=hosted, url=url)
    resources: list[Resource] = [
        CodeRepositories(store=store), Branches(store=store), CodeCommits(store=store), Contents(store=store),
    ]  # fmt: skip
    return resources, store


def build_repositories(*, settings: Settings, records: Records) -> HostedRepositories:
    """The repositories that stand for those behind connections."""
    folder: Path = settings.home / "connected" / settings.region
    return HostedRepositories(folder, records, kind="connected-reference")
