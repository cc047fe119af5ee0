"""Model package groups: the models of the registry, each holding numbered versions (model packages)."""

from __future__ import annotations

from local_sagemaker.arns import last
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import Conflict, ValidationError
from local_sagemaker.operations import Request, Resource, Response, operation
from local_sagemaker.records import Records
from local_sagemaker.records.store import public
from local_sagemaker.services.caller import created_by
from local_sagemaker.services.sagemaker.listing import order, page, pick, select
from local_sagemaker.services.sagemaker.tags import Tags

KIND = "model-package-group"
PACKAGE = "model-package"
POLICY = "model-package-group-policy"


class ModelPackageGroups(Resource):
    """Operations on groups. A group's record key is its name in lower case; names differ by more than case."""

    def __init__(self, *, settings: Settings, records: Records, tags: Tags) -> None:
        self._settings = settings
        self._records = records
        self._tags = tags

    @operation("CreateModelPackageGroup")
    def create(self, request: Request) -> Response:
        """Adds an empty group."""
        name = request["ModelPackageGroupName"]
        arn = self._arn(name)
        body = {
            **request,
            "ModelPackageGroupArn": arn,
            "CreationTime": now(),
            "CreatedBy": created_by(self._settings),
            "ModelPackageGroupStatus": "Completed",
        }
        tags = body.pop("Tags", None)
        with self._records.transaction():
            if self._records.get(KIND, name.lower()):
                raise ValidationError(f"Model Package Group already exists: {arn}")  # truth/api-errors
            self._records.insert(KIND, name.lower(), body)
            self._tags.put(arn, tags)
        return {"ModelPackageGroupArn": arn}

    @operation("DescribeModelPackageGroup")
    def describe(self, request: Request) -> Response:
        """A group by name or ARN."""
        return public(self._records.get(KIND, self._require(request)) or {})

    @operation("ListModelPackageGroups")
    def list_groups(self, request: Request) -> Response:
        """Oldest first unless asked otherwise."""
        if request.get("CrossAccountFilterOption") == "CrossAccount":
            return {"ModelPackageGroupSummaryList": []}
        bodies = select(self._records.list(KIND), request, name="ModelPackageGroupName")
        bodies = order(bodies, request, members={"Name": "ModelPackageGroupName"}, direction="Ascending")
        chosen, token = page(bodies, request)
        members = ("Name", "Arn", "Description", "Status")
        named = [f"ModelPackageGroup{member}" for member in members]
        return {
            "ModelPackageGroupSummaryList": [
                pick(body, *named, "CreationTime", "ManagedConfiguration") for body in chosen
            ],
            **token,
        }

    @operation("DeleteModelPackageGroup")
    def delete(self, request: Request) -> Response:
        """Removes a group that holds no packages."""
        key = self._require(request)
        with self._records.transaction():
            if self._records.items(PACKAGE, f"{key}/"):
                raise Conflict("Model Package Group cannot be deleted as it contains Model Packages.")
            self._records.delete(KIND, key)
            self._records.delete(POLICY, key)
            self._tags.drop(self._arn(key))
        return {}

    @operation("PutModelPackageGroupPolicy")
    def put_policy(self, request: Request) -> Response:
        """Keeps a resource policy; nobody else can reach this machine, so it allows nothing further."""
        key = self._require(request)
        self._records.put(POLICY, key, {"ResourcePolicy": request["ResourcePolicy"]})
        return {"ModelPackageGroupArn": self._arn(key)}

    @operation("GetModelPackageGroupPolicy")
    def get_policy(self, request: Request) -> Response:
        """The policy as it was put."""
        key = self._require(request)
        policy = self._records.get(POLICY, key)
        if policy is None:
            raise ValidationError(f"Resource policy for {self._arn(key)} does not exist.")
        return policy

    @operation("DeleteModelPackageGroupPolicy")
    def delete_policy(self, request: Request) -> Response:
        """Removes the policy."""
        self._records.delete(POLICY, self._require(request))
        return {}

    def _arn(self, name: str) -> str:
        return self._settings.arns.sagemaker("model-package-group", name.lower())

    def _require(self, request: Request) -> str:
        key = last(request["ModelPackageGroupName"]).lower()
        if self._records.get(KIND, key) is None:
            raise ValidationError(f"ModelPackageGroup {self._arn(key)} does not exist.")
        return key
