"""Resources of an API: the tree of its paths."""

from __future__ import annotations

import re

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.records.own_members import own_api
from local_sagemaker.records.store import Body
from local_sagemaker.services.apigateway.errors import ApiBadRequest, ApiConflict
from local_sagemaker.services.apigateway.store import ApiStore, new_id, page, resource_of

_PART = re.compile(r"[A-Za-z0-9._~:$-]+|\{[A-Za-z0-9._:-]+\+?\}")


class Resources(Resource):
    """Draft resources; clients see them after a deployment."""

    def __init__(self, *, store: ApiStore) -> None:
        self._store = store

    @operation("CreateResource")
    def create(self, request: Request) -> Response:
        """Adds a resource below another one."""
        part = request["pathPart"]
        if not _PART.fullmatch(part):
            raise ApiBadRequest(
                "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at "
                "the beginning and the end."
            )

        def change(body: Body) -> Body:
            parent = resource_of(body, request["parentId"])
            if parent["path"].endswith("+}"):
                raise ApiBadRequest("Cannot create a child of a resource with a greedy path variable")
            siblings = [item for item in own_api(body)["_resources"].values() if item.get("parentId") == parent["id"]]
            if any(item["pathPart"] == part for item in siblings):
                raise ApiConflict(f"Another resource with the same parent already has this name: {part}")
            if part.startswith("{") and any(item["pathPart"].startswith("{") for item in siblings):
                raise ApiBadRequest(
                    "A sibling of this resource already has a variable path part -- only one is allowed"
                )
            identifier = new_id(6)
            path = f"{parent['path'].rstrip('/')}/{part}"
            made = {"id": identifier, "parentId": parent["id"], "pathPart": part, "path": path}
            own_api(body)["_resources"][identifier] = made
            return made

        return dict(self._store.change(request["restApiId"], change))

    @operation("GetResource")
    def get(self, request: Request) -> Response:
        """One resource."""
        return _describe(resource_of(self._store.api(request["restApiId"]), request["resourceId"]), request)

    @operation("GetResources")
    def list(self, request: Request) -> Response:
        """All resources of an API."""
        body = self._store.api(request["restApiId"])
        return page([_describe(item, request) for item in own_api(body)["_resources"].values()], request)

    @operation("DeleteResource")
    def delete(self, request: Request) -> Response:
        """Removes a resource with all below it."""

        def change(body: Body) -> None:
            top = resource_of(body, request["resourceId"])
            if top["path"] == "/":
                raise ApiBadRequest("Root resource cannot be deleted.")
            inside = f"{top['path']}/"
            own_api(body)["_resources"] = {
                key: item
                for key, item in own_api(body)["_resources"].items()
                if item is not top and not item["path"].startswith(inside)
            }

        self._store.change(request["restApiId"], change)
        return {}


def _describe(resource: Body, request: Request) -> Body:
    """A resource; its methods in full only with ``embed=methods``."""
    methods = resource.get("resourceMethods")
    if not methods or "methods" in request.get("embed", ()):
        return resource
    return {**resource, "resourceMethods": {name: {} for name in methods}}
