"""What the operations on builds and on batches share: which project may be started, the rules of their tokens."""

from __future__ import annotations

from local_sagemaker.api.operations import Request
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.store import Body
from local_sagemaker.services.codebuild.errors import InvalidInput
from local_sagemaker.services.request_tokens import TokenRules


def _mismatch(_member: str, _operation: str, _request: Request) -> ServiceError:
    return InvalidInput("The idempotency token was used before, with other parameters.")


CLIENT_TOKENS = TokenRules("idempotencyToken", 300.0, _mismatch)
"""A token is the same request for five minutes (CodeBuild API reference, StartBuild)."""
ORDER_TOKENS = TokenRules("token", mismatch=None)
"""Those of the actions of pipelines, which begin once, however often the service restarts."""


def refuse_source_of_pipeline(project: Body, request: Request) -> None:
    """Projects whose source is a pipeline's are started by it only, unless the request has another source."""
    if project["source"]["type"] == "CODEPIPELINE" and "sourceTypeOverride" not in request:
        raise InvalidInput("Invalid project: builds of sources of type CODEPIPELINE are started by CodePipeline.")
