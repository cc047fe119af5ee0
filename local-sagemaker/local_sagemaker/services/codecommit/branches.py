"""Branches: made, looked up, listed, deleted."""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.codecommit.git import BRANCHES
from local_sagemaker.services.codecommit.errors import CodeCommitError, missing
from local_sagemaker.services.codecommit.repository_store import RepositoryStore


class Branches(Resource):
    """CreateBranch, GetBranch, ListBranches, DeleteBranch."""

    def __init__(self, *, store: RepositoryStore) -> None:
        self._store = store

    @operation("CreateBranch")
    def create(self, request: Request) -> Response:
        """Begins a branch at a commit."""
        name, branch = request["repositoryName"], request["branchName"]
        git = self._store.git(name)
        with git.lock:
            if git.branch(branch):
                text = f"The branch {branch} already exists in repository {name}."
                raise CodeCommitError(text, code="BranchNameExistsException")
            if git.commit(request["commitId"]) is None:
                raise missing("Commit", f"Commit {request['commitId']} does not exist in repository {name}.")
            self._store.move_branch(name, branch, request["commitId"])
        return {}

    @operation("GetBranch")
    def get(self, request: Request) -> Response:
        """A branch and its newest commit."""
        if "repositoryName" not in request:  # optional in the model
            text = "A repository name is required, but was not specified."
            raise CodeCommitError(text, code="RepositoryNameRequiredException")
        branch = request.get("branchName") or self._store.require(request["repositoryName"]).get("defaultBranch", "")
        commit = self._store.branch(request["repositoryName"], branch)
        return {"branch": {"branchName": branch, "commitId": commit}}

    @operation("ListBranches")
    def list(self, request: Request) -> Response:
        """The names of all branches."""
        names = self._store.git(request["repositoryName"]).references()
        return {"branches": [name.removeprefix(BRANCHES) for name in names if name.startswith(BRANCHES)]}

    @operation("DeleteBranch")
    def delete(self, request: Request) -> Response:
        """Ends a branch; the default one stays."""
        name, branch = request["repositoryName"], request["branchName"]
        git = self._store.git(name)
        if self._store.require(name).get("defaultBranch") == branch:
            text = f"The branch {branch} is the default branch of repository {name} and cannot be deleted."
            raise CodeCommitError(text, code="DefaultBranchCannotBeDeletedException")
        with git.lock:
            commit = git.branch(branch)
            if commit is None:
                return {}
            git.delete_reference(BRANCHES + branch)
            self._store.take_in(name)
        return {"deletedBranch": {"branchName": branch, "commitId": commit}}
