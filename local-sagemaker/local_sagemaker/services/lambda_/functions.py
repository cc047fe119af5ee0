"""Functions: create, change, describe, list, delete."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.errors import AccessDenied, ServiceError
from local_sagemaker.functions.sandboxes import Sandboxes
from local_sagemaker.records.own_members import FunctionRecord, own_function
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.lambda_.code import Archive, CodeArchives
from local_sagemaker.services.lambda_.errors import InvalidValue
from local_sagemaker.services.lambda_.names import LATEST, FunctionReference
from local_sagemaker.services.lambda_.paging import page
from local_sagemaker.services.lambda_.resource_tags import check_number
from local_sagemaker.services.lambda_.store import FunctionStore, touch
from local_sagemaker.services.lambda_.versions import FunctionVersions

_RESERVED = (
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
)  # fmt: skip
_ENVIRONMENT_BYTES = 4096
_PLAIN = (
    "Description", "Role", "Handler", "Runtime", "Timeout", "MemorySize", "EphemeralStorage", "KMSKeyArn",
    "Architectures",
)  # fmt: skip


class FunctionOperations(Resource):
    """The $LATEST versions of functions."""

    def __init__(
        self, *, store: FunctionStore, code: CodeArchives, sandboxes: Sandboxes, versions: FunctionVersions
    ) -> None:
        self._store, self._code, self._sandboxes, self._versions = store, code, sandboxes, versions

    @operation("CreateFunction")
    def create(self, request: Request) -> Response:
        """Makes a function, which is Active at once."""
        name = FunctionReference.parse(request["FunctionName"]).name
        if len(name) > _LONGEST_NAME:
            raise _beyond("FunctionName", name, f"length less than or equal to {_LONGEST_NAME}")
        _check(request, self._store.account)
        for member in ("Runtime", "Handler"):
            if not request.get(member):
                raise InvalidValue("Runtime and Handler are mandatory parameters for functions created from ZIP files.")
        archive = self._code.take(request["Code"])
        body: Body = {
            "FunctionName": name,
            "FunctionArn": self._store.arn(name),
            "Description": "",
            "Timeout": 3,
            "MemorySize": 128,
            "Version": LATEST,
            "TracingConfig": {"Mode": "PassThrough"},
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": ["x86_64"],
            "EphemeralStorage": {"Size": 512},
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
            **FunctionRecord(_tags=check_number(request.get("Tags", {})), _versions=0),
        }
        _apply(body, request, archive)
        self._store.insert(name, body)
        if not request.get("Publish"):
            return public(body)
        return {**self._versions.publish(body), "FunctionArn": body["FunctionArn"]}

    @operation("UpdateFunctionCode")
    def update_code(self, request: Request) -> Response:
        """Replaces the code; with DryRun only looks at it."""
        reference = FunctionReference.parse(request["FunctionName"])
        self._store.latest(reference)
        archive = self._code.take(request)
        if request.get("DryRun"):
            return {**public(self._store.latest(reference)), "CodeSize": archive.size, "CodeSha256": archive.sha256}
        body = self._change(reference, request, lambda body: _apply(body, request, archive))
        return self._versions.publish(body) if request.get("Publish") else public(body)

    @operation("UpdateFunctionConfiguration")
    def update_configuration(self, request: Request) -> Response:
        """Changes what the request has."""
        _check(request, self._store.account)
        reference = FunctionReference.parse(request["FunctionName"])
        return public(self._change(reference, request, lambda body: _apply(body, request, None)))

    @operation("GetFunctionConfiguration")
    def configuration(self, request: Request) -> Response:
        """The configuration of a version."""
        reference = FunctionReference.parse(request["FunctionName"], request.get("Qualifier"))
        return self._describe(self._store.find(reference), reference)

    @operation("GetFunction")
    def get(self, request: Request) -> Response:
        """The configuration of a version with the function's tags. Where AWS gives a link to the code is a file."""
        reference = FunctionReference.parse(request["FunctionName"], request.get("Qualifier"))
        body = self._store.find(reference)
        tags = own_function(self._store.latest(reference))["_tags"]
        location = self._code.file(own_function(body)["_code"]).as_uri()
        return {
            "Configuration": self._describe(body, reference),
            "Code": {"RepositoryType": "S3", "Location": location},
            **({"Tags": tags} if tags else {}),
        }

    @operation("ListFunctions")
    def list(self, request: Request) -> Response:
        """All functions; with FunctionVersion ALL their versions, too."""
        functions = []
        for body in self._store.functions():
            name = body["FunctionName"]
            if request.get("FunctionVersion") != "ALL":
                functions.append(public(body))
            else:
                functions.append({**public(body), "FunctionArn": self._store.arn(name, LATEST)})
                functions += map(public, self._store.versions(name))
        return page("Functions", functions, request)

    @operation("DeleteFunction")
    def delete(self, request: Request) -> Response:
        """Removes a version, or the function with all its versions; the logs stay, as on AWS."""
        reference = FunctionReference.parse(request["FunctionName"], request.get("Qualifier"))
        if reference.qualifier == LATEST:
            self._store.latest(reference)
            raise InvalidValue("$LATEST version cannot be deleted without deleting the function.")
        for body in self._store.delete(reference):
            self._sandboxes.retire(body["RevisionId"])
        return {"StatusCode": 204}

    def _change(self, reference: FunctionReference, request: Request, change: Callable[[Body], None]) -> Body:
        """Changes $LATEST; its sandboxes end, since they run what was before."""
        before: list[str] = []

        def apply(body: Body) -> None:
            before[:] = [body["RevisionId"]]
            change(body)

        body = self._store.change(reference, request.get("RevisionId"), apply)
        self._sandboxes.retire(before[0])
        return body

    def _describe(self, body: Body, reference: FunctionReference) -> Response:
        shown = public(body)
        if reference.qualifier:
            shown["FunctionArn"] = self._store.arn(reference.name, reference.qualifier)
        return shown


def _apply(body: Body, request: Request, archive: Archive | None) -> None:
    """Takes over what a request has of a configuration, and an archive."""
    body.update({member: request[member] for member in _PLAIN if member in request})
    if "Environment" in request:
        variables = request["Environment"].get("Variables", {})
        body.pop("Environment", None)
        if variables:
            body["Environment"] = {"Variables": variables}
    for member in ("VpcConfig", "DeadLetterConfig", "LoggingConfig", "TracingConfig", "SnapStart"):
        if request.get(member):
            body[member] = {**body.get(member, {}), **request[member]}
    if archive:
        body |= {"CodeSize": archive.size, "CodeSha256": archive.sha256, **FunctionRecord(_code=archive.name)}
    touch(body)


_MOST = {"Timeout": 900, "MemorySize": 10_240}
"""Seconds and megabytes (Lambda quotas)."""
_LONGEST_NAME = 64


def _beyond(member: str, value: Any, bound: str) -> ServiceError:
    name = member[0].lower() + member[1:]
    start = f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint"
    text = f"{start}: Member must have {bound}"
    return ServiceError(text, code="ValidationException", status=400)


def _check(request: Request, account: str) -> None:
    if "Role" in request and request["Role"].split(":")[4] != account:
        raise AccessDenied("Cross-account pass role is not allowed.")
    for member, most in _MOST.items():
        if request.get(member, 0) > most:
            raise _beyond(member, request[member], f"value less than or equal to {most}")
    if request.get("PackageType") == "Image":
        raise InvalidValue("Functions from container images are not supported by the local service; upload a zip.")
    runtime = request.get("Runtime", "python3")
    if not runtime.startswith("python"):
        raise InvalidValue(
            f"The runtime {runtime} is not supported by the local service, which runs functions in Python only "
            "(python3.9 to python3.13; others, retired ones too, run in the nearest of these)."
        )
    if request.get("Layers"):
        raise InvalidValue("Layers are not supported by the local service; put their content into the function's zip.")
    if request.get("FileSystemConfigs"):
        raise InvalidValue("FileSystemConfigs are not supported by the local service.")
    variables = request.get("Environment", {}).get("Variables", {})
    reserved = [name for name in variables if name in _RESERVED]
    start = "Lambda was unable to configure your environment variables because the environment variables you have "
    if reserved:
        raise InvalidValue(
            f"{start}provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    measured = json.dumps(variables, separators=(",", ":"))
    if len(measured.encode()) > _ENVIRONMENT_BYTES:
        raise InvalidValue(f"{start}provided exceeded the 4KB limit. String measured: {measured}")
