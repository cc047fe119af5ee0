"""Model packages: the versions in a model package group, and those without a group. Approval is here.

A version's number is never given twice, not even after the version is deleted. What Create was given is kept and
echoed in AWS's shape; only the members that behave are named in this code.
"""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.arns import last, resource
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import MissingResource, NameTaken, ServiceError, ValidationError
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import MODEL_PACKAGE, MODEL_PACKAGE_GROUP, UPDATED
from local_sagemaker.records.own_members import own_package, own_package_group
from local_sagemaker.records.status import ApprovalStatus, PackageStatus
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.caller_identity import user_context
from local_sagemaker.services.request_tokens import RequestTokens, TokenRules
from local_sagemaker.services.sagemaker.arn_scope import check_scope
from local_sagemaker.services.sagemaker.listing import page, pick, select
from local_sagemaker.services.sagemaker.resource_records import page_of
from local_sagemaker.services.sagemaker.tags import Tags

KIND = MODEL_PACKAGE.kind

_SUMMARY = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)
_REPLACED = (
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelLifeCycle",
)


_EVENT_FIELDS = {
    "ModelApprovalStatus": "ModelApprovalStatus",
    "ApprovalDescription": "ApprovalDescription",
    "ModelLifeCycle": "ModelLifeCycle",
    "CustomerMetadataProperties": "CustomerMetadataProperties",
    "InferenceSpecification": "InferenceSpecification",
    "SourceUri": "sourceUri",
}
"""Members whose change is an event, and their names in its UpdatedModelPackageFields (developer guide)."""


class ModelPackages(Resource):
    """Operations on model packages. The record key is what follows ``model-package/`` in the ARN."""

    def __init__(self, *, settings: Settings, records: Records, tags: Tags) -> None:
        self._settings = settings
        self._records = records
        self._tags = tags
        self._tokens = RequestTokens(records, TokenRules("ClientToken"))

    @operation("CreateModelPackage", atomic=True)
    def create(self, request: Request) -> Response:
        """Registers the next version of a group, or a package of its own name.

        A ``ClientToken`` that was used before returns the package it made then.
        """
        body: Body = {}

        def act() -> Response:
            body.update(self._body(request))
            self._records.insert(KIND, _key(body["ModelPackageArn"]), body)
            self._tags.put(body["ModelPackageArn"], request.get("Tags"))
            return pick(body, "ModelPackageArn")

        response, _ = self._tokens.once(
            "CreateModelPackage", request, act,
            exists=lambda response: self._records.get(KIND, _key(response["ModelPackageArn"])),
        )  # fmt: skip
        return response

    @operation("DescribeModelPackage")
    def describe(self, request: Request) -> Response:
        """A package by ARN, or by name if it is in no group."""
        body = public(self._require(request["ModelPackageName"])[1])
        if request.get("IncludedData") == "MetadataOnly":
            body.pop("ModelCard", None)
        return body

    @operation("BatchDescribeModelPackage")
    def batch_describe(self, request: Request) -> Response:
        """Summaries by ARN, and an error for each ARN that does not exist."""
        packages: Response = {}
        errors: Response = {}
        for arn in request["ModelPackageArnList"]:
            try:
                body = self._require(arn)[1]
            except ServiceError as error:
                errors[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
                continue
            members = [member for member in _SUMMARY if member not in ("ModelPackageName", "ModelLifeCycle")]
            packages[arn] = pick(body, *members, "InferenceSpecification")
        return {"ModelPackageSummaries": packages, **({"BatchDescribeModelPackageErrorMap": errors} if errors else {})}

    @operation("ListModelPackages")
    def list_packages(self, request: Request) -> Response:
        """Oldest first unless requested otherwise; of no group unless a group or a type is given."""
        group = request.get("ModelPackageGroupName")
        parent = last(group).lower() if group else ""
        kind = request.get("ModelPackageType", "Versioned" if group else "Unversioned")
        named = kind == "Both" or request.get("SortBy") == "Name" or "NameContains" in request
        if named or (kind == "Versioned") != bool(group):
            chosen, token = self._by_name(request, f"{parent}/" if group else "", kind)
        else:
            equals = pick(request, "ModelApprovalStatus")
            chosen, token = page_of(self._records, KIND, request, direction="Ascending", parent=parent, equals=equals)
        return {"ModelPackageSummaryList": [pick(body, *_SUMMARY) for body in chosen], **token}

    @operation("UpdateModelPackage", atomic=True)
    def update(self, request: Request) -> Response:
        """Approves or rejects a version, or changes what may be changed after registration."""
        key, _ = self._require(request["ModelPackageArn"])

        def act() -> Response:
            body = self._records.update(KIND, key, lambda body: self._touch(body, request)) or {}
            return pick(body, "ModelPackageArn")

        return self._tokens.once("UpdateModelPackage", request, act)[0]

    @operation("DeleteModelPackage", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes a package; its version number stays used."""
        key, body = self._require(request["ModelPackageName"])
        with self._records.transaction():
            self._records.delete(KIND, key)
            self._tags.drop(body["ModelPackageArn"])
        return {}

    def _by_name(self, request: Request, prefix: str, kind: str) -> tuple[list[Body], dict[str, str]]:
        """What the index can't serve: a version goes by the name of its group, and numbers sort as numbers."""
        bodies = self._records.list(KIND, prefix)
        if kind != "Both":
            bodies = [body for body in bodies if ("ModelPackageVersion" in body) == (kind == "Versioned")]
        if "ModelApprovalStatus" in request:
            bodies = [body for body in bodies if body.get("ModelApprovalStatus") == request["ModelApprovalStatus"]]
        named = [{**body, "_name": _name(body)} for body in bodies]
        return page(_sort(select(named, request, name="_name"), request), request)

    def _body(self, request: Request) -> Body:
        _check_containers(request)
        body: Body = {name: value for name, value in request.items() if name not in ("ClientToken", "Tags")}
        body.update(self._identity(request))
        profiles = request.get("ValidationSpecification", {}).get("ValidationProfiles", [])
        statuses = [{"Name": profile["ProfileName"], "Status": "NotStarted"} for profile in profiles]
        body |= {
            "CreationTime": now(),
            "CreatedBy": user_context(self._settings),
            "ModelPackageStatus": PackageStatus.COMPLETED,
            "ModelPackageStatusDetails": {"ValidationStatuses": statuses, "ImageScanStatuses": []},
        }
        body.setdefault("CertifyForMarketplace", False)
        if "ModelPackageVersion" in body:
            body.setdefault("ModelApprovalStatus", ApprovalStatus.PENDING)
        return body

    def _identity(self, request: Request) -> Body:
        group, name = request.get("ModelPackageGroupName"), request.get("ModelPackageName")
        if group and name:
            raise ValidationError(
                "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
                "Cannot determine which one to use."
            )
        if name:
            arn = self._arn(name)
            if self._records.get(KIND, name.lower()):
                raise NameTaken(f"ModelPackage already exists: {arn}")
            return {"ModelPackageName": name, "ModelPackageArn": arn}
        if not group:
            raise ValidationError("Missing ARN.")
        return self._next_version(last(group))

    def _next_version(self, group: str) -> Body:
        def count(body: Body) -> None:
            own_package_group(body)["_last_version"] = own_package_group(body).get("_last_version", 0) + 1

        row = self._records.find(MODEL_PACKAGE_GROUP.kind, group)
        body = self._records.update(MODEL_PACKAGE_GROUP.kind, row[0], count) if row else None
        if body is None:
            raise MissingResource("Model Package Group does not exist.")
        version = own_package_group(body)["_last_version"]
        return {
            "ModelPackageGroupName": body["ModelPackageGroupName"],
            "ModelPackageVersion": version,
            "ModelPackageArn": self._arn(f"{group}/{version}"),
        }

    def _touch(self, body: Body, request: Request) -> None:
        before = pick(body, *_EVENT_FIELDS)
        body.update({member: request[member] for member in _REPLACED if member in request})
        if "ModelCard" in request:
            body["ModelCard"] = {**body.get("ModelCard", {}), **request["ModelCard"]}
        properties = {**body.get("CustomerMetadataProperties", {}), **request.get("CustomerMetadataProperties", {})}
        for name in request.get("CustomerMetadataPropertiesToRemove", ()):
            properties.pop(name, None)
        body.pop("CustomerMetadataProperties", None)
        if properties:
            body["CustomerMetadataProperties"] = properties
        if added := request.get("AdditionalInferenceSpecificationsToAdd"):
            body["AdditionalInferenceSpecifications"] = _add(body, added)
        body |= {"LastModifiedTime": now(), "LastModifiedBy": user_context(self._settings)}
        changed = [notified for name, notified in _EVENT_FIELDS.items() if body.get(name) != before.get(name)]
        if changed:
            own = own_package(body)
            own[UPDATED] = own.get(UPDATED, (0, []))[0] + 1, changed

    def _require(self, name: str) -> tuple[str, Body]:
        check_scope(name, self._settings, lambda arn: MissingResource(f"ModelPackage {arn} does not exist."))
        key = _key(name)
        body = self._records.get(KIND, key)
        if body is None:
            raise MissingResource(f"ModelPackage {self._arn(key)} does not exist.")
        return key, body

    def _arn(self, name: str) -> str:
        return self._settings.arns.sagemaker("model-package", name.lower())


def _key(name_or_arn: str) -> str:
    return resource(name_or_arn).removeprefix("model-package/").lower()


def _check_containers(request: Request) -> None:
    """Refuses what AWS refuses of a package's containers (text: a public script)."""
    specifications = [request.get("InferenceSpecification", {}), *request.get("AdditionalInferenceSpecifications", [])]
    containers = [one for specification in specifications for one in specification.get("Containers", [])]
    if "ModelPackageGroupName" not in request and any(container.get("Environment") for container in containers):
        raise ValidationError(
            "1 validation errors detected:Environment variable map cannot be specified when using non-versioned "
            "ModelPackages"
        )


def _add(body: Body, added: list[Body]) -> list[Body]:
    there = body.get("AdditionalInferenceSpecifications", [])
    names = [specification["Name"] for specification in [*there, *added]]
    if len(set(names)) < len(names):
        raise ValidationError("The names of additional inference specifications must be unique in a model package.")
    return [*there, *added]


def _name(body: Body) -> str:
    return str(body.get("ModelPackageName") or body.get("ModelPackageGroupName", ""))


def _sort(bodies: list[Body], request: Request) -> list[Body]:
    """By time (records are kept in that order), or by name and version."""
    if request.get("SortBy") == "Name":
        bodies = sorted(bodies, key=lambda body: (_name(body).lower(), body.get("ModelPackageVersion", 0)))
    return bodies[::-1] if request.get("SortOrder") == "Descending" else bodies
