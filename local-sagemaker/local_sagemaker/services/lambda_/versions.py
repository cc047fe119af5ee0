"""Published versions, which never change, and aliases, which name one."""

from __future__ import annotations

import uuid

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.functions.sandboxes import Sandboxes
from local_sagemaker.records.own_members import FunctionVersionRecord, own_function, own_function_version
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.lambda_.code import CodeArchives
from local_sagemaker.services.lambda_.errors import InvalidValue, LambdaNotFound
from local_sagemaker.services.lambda_.names import LATEST, FunctionReference
from local_sagemaker.services.lambda_.paging import page
from local_sagemaker.services.lambda_.store import FunctionStore, check_revision


class FunctionVersions(Resource):
    """Versions and aliases of functions."""

    def __init__(self, *, store: FunctionStore, code: CodeArchives, sandboxes: Sandboxes) -> None:
        self._store, self._code, self._sandboxes = store, code, sandboxes

    @operation("PublishVersion", atomic=True)
    def create(self, request: Request) -> Response:
        """Makes a version of $LATEST; when nothing has changed since the last one, returns that."""
        body = self._store.latest(FunctionReference.parse(request["FunctionName"]))
        check_revision(body, request.get("RevisionId"))
        expected = request.get("CodeSha256")
        if expected and expected != body["CodeSha256"]:
            raise InvalidValue(f"CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST "
                               f"({body['CodeSha256']}). Please try again with the CodeSHA256 in $LATEST.")  # fmt: skip
        return self.publish(body, request.get("Description"))

    def publish(self, body: Body, description: str | None = None) -> Response:
        """Makes a version of a function's record."""
        name = body["FunctionName"]
        before = self._store.versions(name)
        if before and own_function_version(before[-1])["_of"] == body["RevisionId"]:
            return public(before[-1])

        def count(latest: Body) -> None:
            own_function(latest)["_versions"] += 1

        number = str(own_function(self._store.change(FunctionReference(name), None, count))["_versions"])
        version = {
            **{member: value for member, value in body.items() if member not in ("_tags", "_policy", "_versions")},
            **({"Description": description} if description is not None else {}),
            "Version": number,
            "FunctionArn": self._store.arn(name, number),
            "RevisionId": str(uuid.uuid4()),
            **FunctionVersionRecord(_of=body["RevisionId"]),
        }
        self._store.add_version(name, version)
        return public(version)

    @operation("ListVersionsByFunction")
    def list(self, request: Request) -> Response:
        """$LATEST and the published versions."""
        reference = FunctionReference.parse(request["FunctionName"])
        latest = self._store.latest(reference)
        shown = {**public(latest), "FunctionArn": self._store.arn(reference.name, LATEST)}
        return page("Versions", [shown, *map(public, self._store.versions(reference.name))], request)

    @operation("CreateAlias", atomic=True)
    def create_alias(self, request: Request) -> Response:
        """Names a version."""
        name = FunctionReference.parse(request["FunctionName"]).name
        self._store.find(FunctionReference(name, request["FunctionVersion"]))
        body = {
            "AliasArn": self._store.arn(name, request["Name"]),
            "Name": request["Name"],
            "FunctionVersion": request["FunctionVersion"],
            "Description": request.get("Description", ""),
            "RevisionId": str(uuid.uuid4()),
        }
        _refuse_routing(request)
        self._store.add_alias(name, body)
        return body

    @operation("GetAlias")
    def get_alias(self, request: Request) -> Response:
        """One alias."""
        name = FunctionReference.parse(request["FunctionName"]).name
        self._store.latest(FunctionReference(name))
        return self._store.alias(name, request["Name"])

    @operation("ListAliases")
    def list_aliases(self, request: Request) -> Response:
        """The aliases of a function, or of one of its versions."""
        name = FunctionReference.parse(request["FunctionName"]).name
        self._store.latest(FunctionReference(name))
        version = request.get("FunctionVersion")
        aliases = [alias for alias in self._store.aliases(name) if version in (None, alias["FunctionVersion"])]
        return page("Aliases", aliases, request)

    @operation("UpdateAlias", atomic=True)
    def update_alias(self, request: Request) -> Response:
        """Gives an alias another version."""
        name = FunctionReference.parse(request["FunctionName"]).name
        body = self._store.alias(name, request["Name"])
        check_revision(body, request.get("RevisionId"))
        _refuse_routing(request)
        if "FunctionVersion" in request:
            self._store.find(FunctionReference(name, request["FunctionVersion"]))
        body |= {member: request[member] for member in ("FunctionVersion", "Description") if member in request}
        body["RevisionId"] = str(uuid.uuid4())
        self._store.put_alias(name, body)
        return body

    @operation("DeleteAlias", atomic=True)
    def delete_alias(self, request: Request) -> Response:
        """Removes an alias."""
        name = FunctionReference.parse(request["FunctionName"]).name
        try:
            self._store.latest(FunctionReference(name))
        except LambdaNotFound:
            return {}
        self._store.delete_alias(name, request["Name"])
        return {}


def _refuse_routing(request: Request) -> None:
    if request.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
        raise InvalidValue("Aliases with several versions are not supported by the local service.")
