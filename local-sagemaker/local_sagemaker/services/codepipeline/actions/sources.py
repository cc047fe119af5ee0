"""Source actions: a commit of a repository, or an object, becomes an artifact."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.clock import iso
from local_sagemaker.codecommit.git import GitCommit, GitError, GitRepository
from local_sagemaker.objects.types import Objects
from local_sagemaker.records.delivery_members import own_delivery
from local_sagemaker.records.delivery_status import ConnectionStatus
from local_sagemaker.services.codepipeline.actions.action import ActionArtifacts, ActionResult, ActionWork
from local_sagemaker.services.codepipeline.errors import ActionFailure

FindRepository = Callable[[str, str], GitRepository | None]
Checkout = Callable[[GitRepository, str, Path], None]


class GitSources:
    """CodeCommit and CodeStarSourceConnection."""

    def __init__(
        self, artifacts: ActionArtifacts, repositories: FindRepository, checkout: Checkout, call: Call
    ) -> None:
        """`checkout` clones a repository into a folder, for artifacts that are clones."""
        self._artifacts, self._repositories, self._checkout = artifacts, repositories, checkout
        self._call = call

    def code_commit(self, work: ActionWork) -> ActionResult:
        """A branch of a CodeCommit repository."""
        settings = work.configuration
        name = settings["RepositoryName"]
        result, commit = self._fetch(work, "CODECOMMIT", name, settings["BranchName"])
        result.variables.update(RepositoryName=name, CommitterDate=iso(commit.committer.time)[:19] + "Z")
        return result

    def connection(self, work: ActionWork) -> ActionResult:
        """A branch of a repository behind a connection."""
        settings = work.configuration
        name, arn = settings["FullRepositoryId"], settings["ConnectionArn"]
        state = self._call("codeconnections:GetConnection", {"ConnectionArn": arn})["Connection"]["ConnectionStatus"]
        if state != ConnectionStatus.AVAILABLE:
            text = f"The connection {arn} is {state}: push to a repository behind it to complete it."
            raise ActionFailure(text, "ConfigurationError")
        result, commit = self._fetch(work, "GITHUB", name, settings["BranchName"])
        result.variables.update(
            FullRepositoryName=name, ConnectionArn=arn, AuthorEmail=commit.author.email,
            AuthorDisplayName=commit.author.name, AuthorId=commit.author.name,
        )  # fmt: skip
        return result

    def _fetch(self, work: ActionWork, kind: str, name: str, branch: str) -> tuple[ActionResult, GitCommit]:
        git = self._repositories(kind, name)
        if git is None:
            text = "The service role or action role doesn't have the permissions required to access the repository "
            raise ActionFailure(f"{text}named {name}, or the repository does not exist.", "ConfigurationError")
        override: dict[str, Any] = own_delivery(work.execution)["_revisions"].get(work.declared["name"], {})
        identity = git.resolve(override["revisionValue"]) if override else git.branch(branch)
        commit = git.commit(identity) if identity else None
        if commit is None:
            text = f"No branch with the name '{branch}' was found in the repository named '{name}'."
            raise ActionFailure(text, "ConfigurationError")
        place = work.place(work.outputs[0])
        self._artifacts.put(place, self._archive(git, commit, work.configuration))
        summary = commit.message.strip().partition("\n")[0]
        variables = {
            "BranchName": override.get("branchName", branch), "CommitId": commit.id, "CommitMessage": commit.message,
            "AuthorDate": iso(commit.author.time)[:19] + "Z",
        }  # fmt: skip
        revision = {"revisionId": commit.id, "revisionSummary": summary}
        external = {"externalExecutionId": commit.id}
        return ActionResult(
            artifacts={work.outputs[0]: place}, variables=variables, revision=revision, external=external,
            summary=summary,
        ), commit  # fmt: skip

    def _archive(self, git: GitRepository, commit: GitCommit, settings: dict[str, str]) -> bytes:
        if settings.get("OutputArtifactFormat", "CODE_ZIP") == "CODE_ZIP":
            return git.archive(commit.id)
        with tempfile.TemporaryDirectory() as folder:
            try:
                self._checkout(git, commit.id, Path(folder))
            except GitError as error:
                raise ActionFailure(f"The repository could not be cloned: {error}", "JobFailed") from error
            return _zip(Path(folder))


def _zip(folder: Path) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return data.getvalue()


class ObjectSource:
    """S3: an object of a versioned bucket."""

    def __init__(self, artifacts: ActionArtifacts, objects: Objects) -> None:
        self._artifacts, self._objects = artifacts, objects

    def __call__(self, work: ActionWork) -> ActionResult:
        """The object's newest version."""
        settings = work.configuration
        bucket, key = settings["S3Bucket"], settings["S3ObjectKey"]
        info, file = self._objects.head(bucket, key), self._objects.path(bucket, key)
        if info is None or file is None:
            text = f"The object with key '{key}' could not be found in the bucket '{bucket}'."
            raise ActionFailure(text, "ConfigurationError")
        if not info.version or info.version == "null":
            raise ActionFailure(f"The bucket '{bucket}' is not versioned.", "ConfigurationError")
        place = work.place(work.outputs[0])
        self._objects.put_file(place["bucket"], place["key"], file, content_type="application/zip")
        variables = {"ETag": info.etag, "VersionId": info.version, "BucketName": bucket, "ObjectKey": key}
        revision = {"revisionId": info.version, "revisionSummary": f"Amazon S3 version id: {info.version}"}
        return ActionResult(artifacts={work.outputs[0]: place}, variables=variables, revision=revision)
