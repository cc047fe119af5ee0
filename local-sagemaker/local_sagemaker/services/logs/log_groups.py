"""Log groups: create, list, retain, tag, delete."""

from __future__ import annotations

from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.logs import Logs
from local_sagemaker.services.logs.names import (
    InvalidParameter,
    ResourceAlreadyExists,
    group_arn,
    group_of_arn,
    page,
    require_group,
)

# The values that PutRetentionPolicy takes (its API reference).
_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


class LogGroups(Resource):
    """Log groups are folders; what is not in the folder's name is in a side file of it."""

    def __init__(self, *, settings: Settings, logs: Logs) -> None:
        self._settings = settings
        self._logs = logs

    @operation("CreateLogGroup")
    def create(self, request: Request) -> Response:
        """Makes an empty group."""
        name = request["logGroupName"]
        if self._logs.has(name):
            raise ResourceAlreadyExists("The specified log group already exists")
        self._logs.create_group(name)
        self._logs.change_group(name, tags=request.get("tags"), key=request.get("kmsKeyId"))
        return {}

    @operation("DeleteLogGroup")
    def delete(self, request: Request) -> Response:
        """Removes a group with all its streams."""
        require_group(self._logs, request["logGroupName"])
        self._logs.delete_group(request["logGroupName"])
        return {}

    @operation("DescribeLogGroups")
    def describe(self, request: Request) -> Response:
        """Groups by name: with a prefix, or with a pattern, which is a part of the name in any case."""
        if "logGroupNamePrefix" in request and "logGroupNamePattern" in request:
            raise InvalidParameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
        pattern = request.get("logGroupNamePattern", "").lower()
        wanted = {group_of_arn(name) for name in request.get("logGroupIdentifiers", ())}
        groups = [
            group
            for group in self._logs.groups(request.get("logGroupNamePrefix", ""))
            if pattern in group["name"].lower() and (not wanted or group["name"] in wanted)
        ]
        chosen, token = page(groups, request)
        return {"logGroups": [self._summary(group) for group in chosen], **token}

    @operation("PutRetentionPolicy")
    def put_retention(self, request: Request) -> Response:
        """Streams whose last event is older than so many days are removed."""
        require_group(self._logs, request["logGroupName"])
        if request["retentionInDays"] not in _DAYS:
            raise InvalidParameter(f"retentionInDays must be one of {', '.join(map(str, _DAYS))}.")
        self._logs.change_group(request["logGroupName"], retention=request["retentionInDays"])
        return {}

    @operation("DeleteRetentionPolicy")
    def delete_retention(self, request: Request) -> Response:
        """Events are kept for ever."""
        require_group(self._logs, request["logGroupName"])
        self._logs.change_group(request["logGroupName"], retention=None)
        return {}

    @operation("ListTagsForResource")
    def list_tags(self, request: Request) -> Response:
        """The tags of a group, by ARN."""
        return {"tags": self._tags(group_of_arn(request["resourceArn"]))}

    @operation("ListTagsLogGroup")
    def list_group_tags(self, request: Request) -> Response:
        """The tags of a group, by name (the older form)."""
        return {"tags": self._tags(request["logGroupName"])}

    @operation("TagResource")
    def tag(self, request: Request) -> Response:
        """Adds tags to a group."""
        group = group_of_arn(request["resourceArn"])
        self._logs.change_group(group, tags={**self._tags(group), **request["tags"]})
        return {}

    @operation("UntagResource")
    def untag(self, request: Request) -> Response:
        """Removes tags of a group by key."""
        group = group_of_arn(request["resourceArn"])
        kept = {key: value for key, value in self._tags(group).items() if key not in request["tagKeys"]}
        self._logs.change_group(group, tags=kept)
        return {}

    def _tags(self, group: str) -> dict[str, str]:
        require_group(self._logs, group)
        return dict(self._logs.group(group).get("tags", {}))

    def _summary(self, group: dict[str, Any]) -> Response:
        arn = group_arn(self._settings, group["name"])
        return {
            "logGroupName": group["name"],
            "creationTime": group["created"],
            "metricFilterCount": 0,
            "arn": f"{arn}:*",
            "logGroupArn": arn,
            "storedBytes": group["size"],
            "logGroupClass": "STANDARD",
            **({"retentionInDays": group["retention"]} if "retention" in group else {}),
            **({"kmsKeyId": group["key"]} if "key" in group else {}),
        }
