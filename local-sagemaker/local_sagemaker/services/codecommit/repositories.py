"""Repositories themselves: made, described, listed, renamed, tagged, deleted."""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.records.delivery_members import own_repository
from local_sagemaker.services.codecommit.errors import CodeCommitError, check_count
from local_sagemaker.services.codecommit.repository_store import REPOSITORY, RepositoryStore


class CodeRepositories(Resource):
    """The operations on repositories. At a start, what a killed service did not finish is taken in."""

    def __init__(self, *, store: RepositoryStore) -> None:
        self._store = store

    def resume(self) -> None:
        """Takes in pushes that the service did not see the end of."""
        for body in self._store.records.list(REPOSITORY):
            self._store.hosted.of(body["repositoryName"]).create()
            self._store.take_in(body["repositoryName"])

    def reset(self) -> None:
        """Removes all repositories' files."""
        self._store.hosted.clear()

    @operation("CreateRepository")
    def create(self, request: Request) -> Response:
        """Makes an empty repository."""
        name = request["repositoryName"]
        body = self._store.create(name, request.get("repositoryDescription"), dict(request.get("tags", {})))
        return {"repositoryMetadata": self._store.metadata(body)}

    @operation("GetRepository")
    def get(self, request: Request) -> Response:
        """One repository."""
        return {"repositoryMetadata": self._store.metadata(self._store.require(request["repositoryName"]))}

    @operation("BatchGetRepositories")
    def batch(self, request: Request) -> Response:
        """Several; the names of those that do not exist."""
        text = "The maximum number of allowed repository names was exceeded. Currently, this number is 100."
        check_count(request["repositoryNames"], "MaximumRepositoryNamesExceededException", text)
        bodies = {name: self._store.records.get(REPOSITORY, name) for name in request["repositoryNames"]}
        return {
            "repositories": [self._store.metadata(body) for body in bodies.values() if body],
            "repositoriesNotFound": [name for name, body in bodies.items() if body is None],
        }

    @operation("ListRepositories")
    def list(self, request: Request) -> Response:
        """All repositories, by name or by the last change."""
        bodies = self._store.records.list(REPOSITORY)
        by_date = request.get("sortBy") == "lastModifiedDate"
        bodies.sort(
            key=lambda body: body["lastModifiedDate"] if by_date else body["repositoryName"],
            reverse=request.get("order") == "descending",
        )
        return {"repositories": [{name: b[name] for name in ("repositoryName", "repositoryId")} for b in bodies]}

    @operation("DeleteRepository")
    def delete(self, request: Request) -> Response:
        """Removes a repository; an unknown one is removed already."""
        body = self._store.records.get(REPOSITORY, request["repositoryName"])
        if body is None:
            return {}
        self._store.records.delete(REPOSITORY, request["repositoryName"])
        self._store.hosted.remove(request["repositoryName"])
        return {"repositoryId": body["repositoryId"]}

    @operation("UpdateRepositoryDescription")
    def describe(self, request: Request) -> Response:
        """Changes the description."""
        description = request.get("repositoryDescription")
        self._store.change(request["repositoryName"], repositoryDescription=description)
        return {}

    @operation("UpdateRepositoryName")
    def rename(self, request: Request) -> Response:
        """Gives a repository another name."""
        old, new = request["oldName"], request["newName"]
        body = self._store.require(old)
        if self._store.records.get(REPOSITORY, new) is not None:
            raise CodeCommitError(f"Repository named {new} already exists", code="RepositoryNameExistsException")
        arn = body["Arn"].rpartition(":")[0] + f":{new}"
        with self._store.records.transaction():
            self._store.records.put(REPOSITORY, new, {**body, "repositoryName": new, "Arn": arn})
            self._store.records.delete(REPOSITORY, old)
            self._store.hosted.rename(old, new)
        return {}

    @operation("UpdateDefaultBranch")
    def default(self, request: Request) -> Response:
        """Chooses the default branch."""
        name, branch = request["repositoryName"], request["defaultBranchName"]
        self._store.branch(name, branch)
        self._store.set_default(name, branch)
        return {}

    def _name(self, arn: str) -> str:
        return str(self._store.require(arn.rpartition(":")[2])["repositoryName"])

    @operation("TagResource")
    def tag(self, request: Request) -> Response:
        """Adds tags."""
        name = self._name(request["resourceArn"])
        self._store.change(name, _tags={**own_repository(self._store.require(name))["_tags"], **request["tags"]})
        return {}

    @operation("UntagResource")
    def untag(self, request: Request) -> Response:
        """Takes tags away."""
        name = self._name(request["resourceArn"])
        tags = own_repository(self._store.require(name))["_tags"]
        self._store.change(name, _tags={key: tags[key] for key in tags if key not in request["tagKeys"]})
        return {}

    @operation("ListTagsForResource")
    def tags(self, request: Request) -> Response:
        """The tags of a repository."""
        return {"tags": own_repository(self._store.require(self._name(request["resourceArn"])))["_tags"]}
