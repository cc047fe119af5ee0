"""Tags of any SageMaker resource, kept by ARN."""

from __future__ import annotations

from local_sagemaker import arns
from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.api.tag_numbers import count_tags
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import KINDS, PIPELINE_EXECUTION
from local_sagemaker.services.sagemaker.listing import page

KIND = "tags"
LIMIT = 50
_DESCRIBED = {kind.kind: (kind.describe, kind.name) for kind in KINDS.values() if kind is not PIPELINE_EXECUTION}
"""How a resource is requested, by the type in its ARN. Other types are not looked for, as they are not here."""


class Tags(Resource):
    """AddTags, ListTags, DeleteTags; Create operations hand their ``Tags`` to `put`."""

    def __init__(self, records: Records, call: Call | None = None) -> None:
        """`call` says whether a resource exists; without it every one is taken to be."""
        self._records, self._call = records, call

    def put(self, arn: str, tags: list[dict[str, str]] | None) -> None:
        """Adds tags to a resource; the value of a key that it has is replaced."""
        if tags:
            self._merge(arn, tags)

    def of(self, arn: str) -> list[dict[str, str]]:
        """The tags of a resource, in the order they were added."""
        body = self._records.get(KIND, arn.lower()) or {}
        return [{"Key": key, "Value": value} for key, value in body.items()]

    def drop(self, arn: str) -> None:
        """Forgets all tags of a deleted resource."""
        self._records.delete(KIND, arn.lower())

    @operation("AddTags")
    def add(self, request: Request) -> Response:
        """Merges tags and returns all that the resource now has."""
        arn = request["ResourceArn"]
        self._expect(arn)
        with self._records.transaction():
            if self._is_there(arn):
                self._merge(arn, request["Tags"])
                return {"Tags": self.of(arn)}
        self._expect(arn)  # it was deleted in the meantime, which is said
        return {"Tags": []}

    @operation("ListTags")
    def list_tags(self, request: Request) -> Response:
        """The tags of a resource."""
        self._expect(request["ResourceArn"])
        tags, token = page(self.of(request["ResourceArn"]), request, default=50)
        return {"Tags": tags, **token}

    @operation("DeleteTags")
    def delete(self, request: Request) -> Response:
        """Removes tags by key."""
        self._expect(request["ResourceArn"])
        keys = request["TagKeys"]
        self._records.update(
            KIND, request["ResourceArn"].lower(), lambda body: {key: body[key] for key in body if key not in keys}
        )
        return {}

    def _expect(self, arn: str) -> None:
        """Refuses a resource that does not exist: ValidationException whatever its type (public threads), with the text
        of its Describe, as no record of AWS's was found."""
        kind, name = _kind_and_name(arn)
        if self._call is None or not kind:
            return
        operation, member = _DESCRIBED[kind]
        try:
            self._call(f"sagemaker:{operation}", {member: arn if kind == "model-package" else name})
        except ServiceError as error:
            raise ValidationError(error.message) from error

    def _is_there(self, arn: str) -> bool:
        """Whether a resource still is, of those that are looked for."""
        kind, name = _kind_and_name(arn)
        return self._call is None or not kind or self._records.find(kind, name) is not None

    def _merge(self, arn: str, tags: list[dict[str, str]]) -> None:
        with self._records.transaction():
            body = self._records.get(KIND, arn.lower()) or {}
            body.update({tag["Key"]: tag["Value"] for tag in tags})
            if (number := count_tags(body)) > LIMIT:
                raise ValidationError(f"A resource can have at most {LIMIT} tags; {arn} would have {number}.")
            self._records.put(KIND, arn.lower(), body)


def _kind_and_name(arn: str) -> tuple[str, str]:
    """Kind and name of a resource that can be described; "" for others."""
    kind, _, name = arns.resource(arn).partition("/")
    return ("", "") if kind not in _DESCRIBED or (kind == "pipeline" and "/" in name) else (kind, name)
