"""Model package groups: the models of the registry, each holding numbered versions (model packages)."""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.arns import last
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import Conflict, MissingResource, NameTaken
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import MODEL_PACKAGE_GROUP
from local_sagemaker.records.status import PackageStatus
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.caller_identity import user_context
from local_sagemaker.services.sagemaker.arn_scope import check_scope
from local_sagemaker.services.sagemaker.listing import pick
from local_sagemaker.services.sagemaker.resource_records import ResourceRecords
from local_sagemaker.services.sagemaker.tags import Tags

PACKAGE = "model-package"
POLICY = "model-package-group-policy"


class ModelPackageGroups(Resource):
    """Operations on groups. Their packages and policies have keys that begin with the name in lower case."""

    def __init__(self, *, settings: Settings, records: Records, tags: Tags) -> None:
        self._settings, self._records = settings, records
        self._groups = ResourceRecords(
            MODEL_PACKAGE_GROUP, settings=settings, records=records, tags=tags,
            missing=lambda _, arn: MissingResource(f"ModelPackageGroup {arn} does not exist."),
            taken=lambda _, arn: NameTaken(f"Model Package Group already exists: {arn}"),  # contracts: api-errors 2
        )  # fmt: skip

    @operation("CreateModelPackageGroup", atomic=True)
    def create(self, request: Request) -> Response:
        """Adds an empty group."""
        name = request["ModelPackageGroupName"]
        arn = self._groups.arn(name)
        body = {
            **request,
            "ModelPackageGroupArn": arn,
            "CreationTime": now(),
            "CreatedBy": user_context(self._settings),
            "ModelPackageGroupStatus": PackageStatus.COMPLETED,
        }
        tags = body.pop("Tags", None)
        self._groups.insert(body, tags)
        return {"ModelPackageGroupArn": arn}

    @operation("DescribeModelPackageGroup")
    def describe(self, request: Request) -> Response:
        """A group by name or ARN."""
        return public(self._require(request))

    @operation("ListModelPackageGroups")
    def list_groups(self, request: Request) -> Response:
        """Oldest first unless requested otherwise."""
        if request.get("CrossAccountFilterOption") == "CrossAccount":
            return {"ModelPackageGroupSummaryList": []}
        chosen, token = self._groups.page(request, direction="Ascending")
        members = ("Name", "Arn", "Description", "Status")
        named = [f"ModelPackageGroup{member}" for member in members]
        return {
            "ModelPackageGroupSummaryList": [
                pick(body, *named, "CreationTime", "ManagedConfiguration") for body in chosen
            ],
            **token,
        }

    @operation("DeleteModelPackageGroup", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes a group that holds no packages."""
        with self._records.transaction():
            name = self._require(request)["ModelPackageGroupName"]
            if self._records.has_any(PACKAGE, f"{name.lower()}/"):
                raise Conflict("Model Package Group cannot be deleted as it contains Model Packages.")
            self._groups.delete(name)
            self._records.delete(POLICY, name.lower())
        return {}

    @operation("PutModelPackageGroupPolicy", atomic=True)
    def put_policy(self, request: Request) -> Response:
        """Keeps a resource policy; nobody else can reach this machine, so it allows nothing further."""
        group = self._of_policy(request)
        self._records.put(POLICY, _key(group), {"ResourcePolicy": request["ResourcePolicy"]})
        return {"ModelPackageGroupArn": group["ModelPackageGroupArn"]}

    @operation("GetModelPackageGroupPolicy")
    def get_policy(self, request: Request) -> Response:
        """The policy as it was put."""
        group = self._of_policy(request)
        policy = self._records.get(POLICY, _key(group))
        if policy is None:
            raise _no_policy(group)
        return policy

    @operation("DeleteModelPackageGroupPolicy", atomic=True)
    def delete_policy(self, request: Request) -> Response:
        """Removes the policy; there must be one."""
        group = self._of_policy(request)
        with self._records.transaction():
            if self._records.get(POLICY, _key(group)) is None:
                raise _no_policy(group)
            self._records.delete(POLICY, _key(group))
        return {}

    def _require(self, request: Request) -> Body:
        name = request["ModelPackageGroupName"]
        check_scope(name, self._settings, lambda arn: MissingResource(f"ModelPackageGroup {arn} does not exist."))
        return self._groups.require(last(name))

    def _of_policy(self, request: Request) -> Body:
        """The group, with the words that the operations on policies have for one that is missing.

        The texts are those that Terraform's provider and CloudFormation's own handler recognise.
        """
        try:
            return self._require(request)
        except MissingResource as error:
            arn = self._groups.arn(last(request["ModelPackageGroupName"]))
            raise MissingResource(f"Cannot find Model Package Group: {arn}") from error


def _no_policy(group: Body) -> MissingResource:
    return MissingResource(f"Cannot find resource policy for: {group['ModelPackageGroupArn']}")


def _key(group: Body) -> str:
    return str(group["ModelPackageGroupName"]).lower()
