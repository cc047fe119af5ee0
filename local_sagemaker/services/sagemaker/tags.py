"""Tags of any SageMaker resource, kept by ARN."""

from __future__ import annotations

from local_sagemaker.errors import ValidationError
from local_sagemaker.operations import Request, Response, operation
from local_sagemaker.records import Records
from local_sagemaker.services.sagemaker.listing import page

KIND = "tags"
LIMIT = 50


class Tags:
    """AddTags, ListTags, DeleteTags; Create operations hand their ``Tags`` to `put`."""

    def __init__(self, records: Records) -> None:
        self._records = records

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
        """Merges tags and answers all that the resource now has."""
        self._merge(request["ResourceArn"], request["Tags"])
        return {"Tags": self.of(request["ResourceArn"])}

    @operation("ListTags")
    def list_tags(self, request: Request) -> Response:
        """The tags of a resource."""
        tags, token = page(self.of(request["ResourceArn"]), request, default=50)
        return {"Tags": tags, **token}

    @operation("DeleteTags")
    def delete(self, request: Request) -> Response:
        """Removes tags by key."""
        with self._records.transaction():
            body = self._records.get(KIND, request["ResourceArn"].lower()) or {}
            kept = {key: value for key, value in body.items() if key not in request["TagKeys"]}
            self._records.put(KIND, request["ResourceArn"].lower(), kept)
        return {}

    def _merge(self, arn: str, tags: list[dict[str, str]]) -> None:
        with self._records.transaction():
            body = self._records.get(KIND, arn.lower()) or {}
            body.update({tag["Key"]: tag["Value"] for tag in tags})
            if len(body) > LIMIT:
                raise ValidationError(f"A resource can have at most {LIMIT} tags; {arn} would have {len(body)}.")
            self._records.put(KIND, arn.lower(), body)
