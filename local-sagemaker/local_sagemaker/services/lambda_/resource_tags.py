"""Tags of functions and of event source mappings, by the ARN of either."""

from __future__ import annotations

from collections.abc import Callable

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.api.tag_numbers import count_tags
from local_sagemaker.records import Records
from local_sagemaker.records.own_members import own_function, own_mapping
from local_sagemaker.services.lambda_.errors import InvalidValue, absent_mapping
from local_sagemaker.services.lambda_.names import FunctionReference
from local_sagemaker.services.lambda_.queue_pollers import KIND
from local_sagemaker.services.lambda_.store import FunctionStore

Tags = dict[str, str]
MOST_TAGS = 50


class ResourceTags(Resource):
    """The three operations of tags."""

    def __init__(self, *, store: FunctionStore, records: Records) -> None:
        self._store, self._records = store, records

    @operation("ListTags")
    def list_tags(self, request: Request) -> Response:
        """The tags of a function or a mapping."""
        if mapping := _mapping(request):
            body = self._records.get(KIND, mapping)
            if body is None:
                raise absent_mapping()
            return {"Tags": own_mapping(body).get("_tags", {})}
        return {"Tags": own_function(self._store.latest(FunctionReference.parse(request["Resource"])))["_tags"]}

    @operation("TagResource")
    def tag(self, request: Request) -> Response:
        """Adds tags."""

        def add(tags: Tags) -> None:
            tags.update(request["Tags"])
            check_number(tags)

        self._change(request, add)
        return {}

    @operation("UntagResource")
    def untag(self, request: Request) -> Response:
        """Removes tags by key."""

        def remove(tags: Tags) -> None:
            for key in request["TagKeys"]:
                tags.pop(key, None)

        self._change(request, remove)
        return {}

    def _change(self, request: Request, change: Callable[[Tags], None]) -> None:
        mapping = _mapping(request)
        if not mapping:
            reference = FunctionReference.parse(request["Resource"])
            self._store.change(reference, None, lambda body: change(own_function(body)["_tags"]))
        elif (
            self._records.update(KIND, mapping, lambda body: change(own_mapping(body).setdefault("_tags", {}))) is None
        ):
            raise absent_mapping()


def check_number(tags: Tags) -> Tags:
    """The tags. Raises for more than a resource can have; the text is recorded of AWS."""
    if count_tags(tags) > MOST_TAGS:
        raise InvalidValue("Number of tags exceeds resource tag limit.")
    return tags


def _mapping(request: Request) -> str:
    """The id of the mapping that an ARN names, or nothing."""
    _, separator, identity = request["Resource"].partition(":event-source-mapping:")
    return identity if separator else ""
