"""Code repositories: Git repositories that are known to SageMaker by a name. Nothing here opens them."""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import ValidationError
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import CODE_REPOSITORY
from local_sagemaker.records.store import Body
from local_sagemaker.services.sagemaker.resource_records import ResourceRecords
from local_sagemaker.services.sagemaker.tags import Tags


class SageMakerRepositories(Resource):
    """CreateCodeRepository, DescribeCodeRepository, UpdateCodeRepository, ListCodeRepositories,
    DeleteCodeRepository."""

    def __init__(self, *, settings: Settings, records: Records, tags: Tags) -> None:
        self._repositories = ResourceRecords(
            CODE_REPOSITORY, settings=settings, records=records, tags=tags,
            # Terraform's provider recognises the first text by its beginning; the other is inferred.
            missing=lambda _, arn: ValidationError(f'Cannot find CodeRepository: "{arn}"'),
            taken=lambda _, arn: ValidationError(f'Cannot create already existing CodeRepository: "{arn}"'),
        )  # fmt: skip

    @operation("CreateCodeRepository", atomic=True)
    def create(self, request: Request) -> Response:
        """Adds a repository."""
        arn, moment = self._repositories.arn(request["CodeRepositoryName"]), now()
        body = {**request, "CodeRepositoryArn": arn, "CreationTime": moment, "LastModifiedTime": moment}
        tags = body.pop("Tags", None)
        self._repositories.insert(body, tags)
        return {"CodeRepositoryArn": arn}

    @operation("DescribeCodeRepository")
    def describe(self, request: Request) -> Response:
        """The repository."""
        return self._repositories.require(request["CodeRepositoryName"])

    @operation("UpdateCodeRepository", atomic=True)
    def update(self, request: Request) -> Response:
        """Changes the secret with its credentials, all that can change."""

        def change(body: Body) -> None:
            body["GitConfig"] = {**body["GitConfig"], **request.get("GitConfig", {})}
            body["LastModifiedTime"] = now()

        name = request["CodeRepositoryName"]
        arn = self._repositories.require(name)["CodeRepositoryArn"]
        self._repositories.update(name, change)
        return {"CodeRepositoryArn": arn}

    @operation("ListCodeRepositories")
    def list_repositories(self, request: Request) -> Response:
        """By name, in ascending order, unless requested otherwise (API reference)."""
        bodies, token = self._repositories.page(request, by="Name", direction="Ascending")
        return {"CodeRepositorySummaryList": bodies, **token}

    @operation("DeleteCodeRepository", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes the repository with its tags."""
        self._repositories.require(request["CodeRepositoryName"])
        self._repositories.delete(request["CodeRepositoryName"])
        return {}
