"""The records of CodeCommit's repositories beside their git repositories."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

from local_sagemaker.clock import now
from local_sagemaker.codecommit.git import BRANCHES, GitCommit, GitRepository
from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.records.delivery_members import RepositoryRecord
from local_sagemaker.records.store import AlreadyExists, Body
from local_sagemaker.services.codecommit.bare_repositories import HostedRepositories
from local_sagemaker.services.codecommit.errors import CodeCommitError, missing

REPOSITORY = "git-repository"
"""SageMaker has code repositories, too: they are names of such."""


class RepositoryStore:
    """Repositories by name."""

    def __init__(self, *, settings: Settings, records: Records, hosted: HostedRepositories, url: str) -> None:
        """`url` is where the service is, for the addresses that git clones from."""
        self._settings, self.records, self.hosted, self._url = settings, records, hosted, url

    @property
    def caller(self) -> str:
        """Who makes changes."""
        return f"arn:{self._settings.arns.partition}:iam::{self._settings.account}:root"

    def clone_url(self, name: str) -> str:
        """What ``git clone`` takes."""
        return f"{self._url}/v1/repos/{quote(name)}"

    def create(self, name: str, description: str | None, tags: dict[str, str]) -> Body:
        """Makes a repository."""
        moment = now()
        body = {
            "accountId": self._settings.account, "repositoryId": str(uuid.uuid4()), "repositoryName": name,
            "repositoryDescription": description, "lastModifiedDate": moment, "creationDate": moment,
            "Arn": self._settings.arns.of("codecommit", name), **RepositoryRecord(_tags=tags),
        }  # fmt: skip
        try:
            with self.records.transaction():
                self.records.insert(REPOSITORY, name, body)
                self.hosted.of(name).create()
        except AlreadyExists as error:
            text = f"Repository named {name} already exists"
            raise CodeCommitError(text, code="RepositoryNameExistsException") from error
        return body

    def require(self, name: str) -> Body:
        """A repository's record."""
        body = self.records.get(REPOSITORY, name)
        if body is None:
            raise missing("Repository", f"{name} does not exist")
        return body

    def metadata(self, body: Body) -> Body:
        """A repository as its operations show it."""
        shown = {name: value for name, value in body.items() if not name.startswith("_") and value is not None}
        url = self.clone_url(body["repositoryName"])
        region = self._settings.region
        ssh = f"ssh://git-codecommit.{region}.amazonaws.com/v1/repos/{body['repositoryName']}"
        return {**shown, "cloneUrlHttp": url, "cloneUrlSsh": ssh}

    def git(self, name: str) -> GitRepository:
        """A repository's files."""
        self.require(name)
        return self.hosted.of(name)

    def commit(self, name: str, specifier: str) -> GitCommit:
        """The commit that a branch, tag or id names."""
        git = self.git(name)
        identity = git.resolve(specifier)
        commit = git.commit(identity) if identity else None
        if commit is None:
            raise missing("Commit", f"Commit {specifier} does not exist in repository {name}.")
        return commit

    def branch(self, name: str, branch: str) -> str:
        """The newest commit of a branch."""
        tip = self.git(name).branch(branch)
        if tip is None:
            raise missing("Branch", f"The branch {branch} does not exist in repository {name}.")
        return tip

    def move_branch(self, name: str, branch: str, commit: str, before: str | None = None) -> None:
        """Lets a branch name a commit; `before` is what it must have named ("" for nothing)."""
        git = self.git(name)
        if not git.is_reference_name(BRANCHES + branch):
            raise CodeCommitError(f"{branch} is no valid name of a branch.", code="InvalidBranchNameException")
        git.set_reference(BRANCHES + branch, commit, before)
        self.take_in(name)

    def take_in(self, name: str) -> None:
        """Has what changed in git become events; the first branch becomes the default one."""
        body = self.records.get(REPOSITORY, name)
        if body is None:
            return
        extra = {
            "repositoryName": name, "repositoryId": body["repositoryId"], "repositoryArn": body["Arn"],
            "callerUserArn": self.caller,
        }  # fmt: skip
        self.hosted.take_in(name, extra)
        self._choose_default(name, body)

    def _choose_default(self, name: str, body: Body) -> None:
        branches = [
            full.removeprefix("refs/heads/")
            for full in self.hosted.of(name).references()
            if full.startswith("refs/heads/")
        ]
        if branches and body.get("defaultBranch") not in branches:
            self.set_default(name, "main" if "main" in branches else branches[0])

    def set_default(self, name: str, branch: str) -> None:
        """Which branch is the default one."""

        def change(body: Body) -> None:
            body["defaultBranch"] = branch

        self.hosted.of(name).set_default_branch(branch)
        self.records.update(REPOSITORY, name, change)

    def change(self, name: str, **members: Any) -> None:
        """Sets members of a repository's record."""
        self.require(name)
        self.records.update(REPOSITORY, name, lambda body: {**body, **members, "lastModifiedDate": now()})
