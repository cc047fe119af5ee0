"""What the operations on builds and on batches share: which project may be started, repeated requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from local_sagemaker.api.operations import Request
from local_sagemaker.clock import now
from local_sagemaker.records.delivery_members import RequestedRecord, own_requested
from local_sagemaker.records.store import Body
from local_sagemaker.services.codebuild.errors import InvalidInput

TOKEN_SECONDS = 300.0
"""For how long an idempotency token is the same request (CodeBuild API reference, StartBuild)."""


def refuse_source_of_pipeline(project: Body, request: Request) -> None:
    """Projects whose source is a pipeline's are started by it only, unless the request has another source."""
    if project["source"]["type"] == "CODEPIPELINE" and "sourceTypeOverride" not in request:
        raise InvalidInput("Invalid project: builds of sources of type CODEPIPELINE are started by CodePipeline.")


def own_members_of(request: Request) -> RequestedRecord:
    """What a record has of the request that made it, to recognise its repetition."""
    members = {name: value for name, value in request.items() if name != "idempotencyToken"}
    digest = hashlib.sha256(json.dumps(members, sort_keys=True, default=str).encode()).hexdigest()
    return RequestedRecord(_token=request.get("idempotencyToken", ""), _digest=digest)


def find_repeated(bodies: Sequence[Body], members: RequestedRecord) -> Body | None:
    """The newest that the same request made a short time ago. Raises InvalidInput when that had other parameters."""
    for body in reversed(bodies):
        own = own_requested(body)
        if members["_token"] and own.get("_token") == members["_token"] and body["startTime"] > now() - TOKEN_SECONDS:
            if own["_digest"] != members["_digest"]:
                raise InvalidInput("The idempotency token was used before, with other parameters.")
            return body
    return None


def find_ordered(bodies: Sequence[Body], token: str) -> str | None:
    """The id of what a pipeline's action of this token has started already."""
    return next((str(body["id"]) for body in bodies if own_requested(body).get("_token") == token), None)
