"""Tags of a resource, and the forms that add and remove one."""

from __future__ import annotations

from local_sagemaker.errors import ValidationError
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.listing import items_or_none

ACTIONS = ("tag", "untag")


def tags_of(visit: Visit, arn: str) -> dict[str, str]:
    """ListTags of a SageMaker resource."""
    tags = items_or_none(visit, "sagemaker:ListTags", "Tags", ResourceArn=arn, MaxResults=50)
    return {item["Key"]: item["Value"] for item in tags}


def edit_tags(visit: Visit, arn: str) -> None:
    """AddTags or DeleteTags, as the form says. Raises the API's errors."""
    key = visit.field("key").strip()
    if not key:
        raise ValidationError("A tag needs a key.")
    if visit.field("action") == "untag":
        visit.call("sagemaker:DeleteTags", {"ResourceArn": arn, "TagKeys": [key]})
        return
    tag = {"Key": key, "Value": visit.field("value").strip()}
    visit.call("sagemaker:AddTags", {"ResourceArn": arn, "Tags": [tag]})
