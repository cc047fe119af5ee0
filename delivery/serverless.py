"""Lambda functions, their logs and roles, and REST APIs: what exists, whose it is, and the life of a role."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from delivery.clients import Clients, is_absent
from delivery.deletion import Deletion
from delivery.ownership import Tags, as_mapping

LAMBDA_LOGS = "/aws/lambda/"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
POLICY = "delivery"


def list_functions(clients: Clients) -> Iterator[tuple[str, dict[str, str]]]:
    """Every Lambda function's name and tags."""
    for page in clients.functions.get_paginator("list_functions").paginate():
        for item in page["Functions"]:
            try:
                tags = clients.functions.list_tags(Resource=item["FunctionArn"])["Tags"]
            except ClientError as error:
                if not is_absent(error):
                    raise
                continue
            yield item["FunctionName"], tags


def list_log_groups(clients: Clients) -> Iterator[tuple[str, int, dict[str, str]]]:
    """Every log group of a Lambda function: name, stored bytes, tags."""
    for page in clients.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=LAMBDA_LOGS):
        for item in page["logGroups"]:
            arn = item["arn"].removesuffix(":*")  # as ListTagsForResource wants it
            try:
                tags = clients.logs.list_tags_for_resource(resourceArn=arn)["tags"]
            except ClientError as error:
                if not is_absent(error):
                    raise
                continue
            yield item["logGroupName"], item.get("storedBytes", 0), tags


def list_roles(clients: Clients) -> Iterator[tuple[str, dict[str, str]]]:
    """Every role's name and tags, but for those of AWS's services."""
    for page in clients.iam.get_paginator("list_roles").paginate():
        for item in page["Roles"]:
            if item["Path"].startswith("/aws-"):
                continue
            try:
                tags = clients.iam.list_role_tags(RoleName=item["RoleName"])["Tags"]
            except ClientError as error:
                if not is_absent(error):
                    raise
                continue
            yield item["RoleName"], as_mapping(tags)


def list_apis(clients: Clients) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Every REST API: id, name, tags."""
    for page in clients.apis.get_paginator("get_rest_apis").paginate():
        for item in page["items"]:
            yield item["id"], item["name"], item.get("tags", {})


def ensure_role(clients: Clients, name: str, statements: list[Mapping[str, Any]], tags: Tags) -> tuple[str, bool]:
    """A role that Lambda may assume, which may write logs and do what the statements allow: its ARN, and if it is new.

    What it may do is brought up to date in any case.
    """
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    try:
        arn, new = clients.iam.get_role(RoleName=name)["Role"]["Arn"], False
    except ClientError as error:
        if not is_absent(error):
            raise
        made = clients.iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document([trust]), Tags=tags)
        arn, new = made["Role"]["Arn"], True
    clients.iam.attach_role_policy(RoleName=name, PolicyArn=BASIC)
    clients.iam.put_role_policy(RoleName=name, PolicyName=POLICY, PolicyDocument=_document(statements))
    return arn, new


def plan_role(clients: Clients, name: str) -> Iterator[Deletion]:
    """How a role is deleted: its policies first, as IAM deletes none that has any."""
    try:
        attached = clients.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        inline = clients.iam.list_role_policies(RoleName=name)["PolicyNames"]
    except ClientError as error:
        if not is_absent(error):
            raise
        return
    for policy in attached:
        yield Deletion("iam", "detach_role_policy", {"RoleName": name, "PolicyArn": policy["PolicyArn"]})
    for policy in inline:
        yield Deletion("iam", "delete_role_policy", {"RoleName": name, "PolicyName": policy})
    yield Deletion("iam", "delete_role", {"RoleName": name})


def _document(statements: list[Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
