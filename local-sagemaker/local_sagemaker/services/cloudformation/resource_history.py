"""What resources were before an update, which a rollback sets them back to."""

from __future__ import annotations

from collections.abc import Mapping

from local_sagemaker.records.delivery_members import own_resource
from local_sagemaker.records.delivery_status import StackStatus
from local_sagemaker.records.store import Body

KEPT = (
    "PhysicalResourceId", "ResourceType", "_reference", "_attributes", "_names", "_properties", "_led_to", "_replaced",
)  # fmt: skip
"""What stays of a resource when another takes its place."""
_OF_CREATION = (*KEPT, "_creating", "_foreign", "_wanted")
"""What is said of a resource that is being made in the place of another."""


def state(body: Body) -> tuple[object, object]:
    """What an update changes of a resource."""
    return body.get("PhysicalResourceId"), own_resource(body).get("_properties")


def is_touched(body: Body, before: Body) -> bool:
    """Whether an update changed a resource, or may have: it failed half way, or a restart interrupted it."""
    return state(body) != state(before) or "_wanted" in body or body["ResourceStatus"] == StackStatus.UPDATE_FAILED


def existing_before(before: Mapping[str, Body]) -> dict[str, Body]:
    """The resources that existed before an update, by logical id.

    Of one whose replacement had failed the one to be replaced existed; one that had failed to be made did not.
    """
    existing = {}
    for logical, body in before.items():
        if "PhysicalResourceId" in body and not own_resource(body).get("_creating"):
            existing[logical] = body
        elif replaced := own_resource(body).get("_replaced"):
            existing[logical] = {**{key: body[key] for key in body if key not in _OF_CREATION}, **replaced[-1]}
    return existing
