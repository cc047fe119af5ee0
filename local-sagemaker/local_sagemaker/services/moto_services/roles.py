"""What IAM holds before anything was done: the role of the callers, and AWS's managed policies as they are named."""

from __future__ import annotations

import json
from typing import Any

from local_sagemaker.config import Settings
from local_sagemaker.services.caller_identity import ROLE_ID, role_name

_AWS_MANAGED = "arn:aws:iam::aws:policy/"
_TRUSTED = [
    f"{service}.amazonaws.com"
    for service in (
        "sagemaker",
        "lambda",
        "events",
        "scheduler",
        "codebuild",
        "codepipeline",
        "apigateway",
        "bedrock",
        "cloudformation",
    )
]


def add_seed(iam: Any, settings: Settings) -> None:
    """Makes the role that every caller has assumed: AWS services and callers may assume it, and it may do all."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": _TRUSTED}, "Action": "sts:AssumeRole"},
            {"Effect": "Allow", "Principal": {"AWS": settings.account}, "Action": "sts:AssumeRole"},
        ],
    }
    name = role_name(settings)
    role = iam.create_role(
        role_name=name,
        assume_role_policy_document=json.dumps(trust),
        path="/",
        permissions_boundary=None,
        description="The role that callers of the local service have assumed",
        tags=[],
        max_session_duration="3600",
    )
    iam.roles[ROLE_ID] = iam.roles.pop(role.id)
    role.id = ROLE_ID
    ensure_policy(iam, f"{_AWS_MANAGED}AmazonSageMakerFullAccess", settings)
    iam.attach_role_policy(f"{_AWS_MANAGED}AmazonSageMakerFullAccess", name)
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(name, "Everything", json.dumps(everything))


def ensure_named(iam: Any, parameters: dict[str, str], settings: Settings) -> None:
    """Adds the AWS managed policies that a request names, or all when it lists policies."""
    if parameters.get("Action") == "ListPolicies" and parameters.get("Scope") != "Local":
        ensure_policy(iam, None, settings)
    for value in parameters.values():
        if value.startswith(_AWS_MANAGED):
            ensure_policy(iam, value, settings)


def ensure_policy(iam: Any, arn: str | None, settings: Settings) -> None:
    """Adds one of AWS's managed policies (or all). They are many, so that only those in use are kept as objects."""
    if arn in iam.managed_policies:
        return
    from moto.iam.aws_managed_policies import aws_managed_policies_data
    from moto.iam.models import AWSManagedPolicy

    name = arn.rsplit("/", 1)[-1] if arn else None
    documents = json.loads(aws_managed_policies_data)
    for known, data in documents.items():
        if name in (None, known):
            policy = AWSManagedPolicy.from_data(known, settings.account, settings.region, data)
            if policy.arn not in iam.managed_policies:
                iam.managed_policies[policy.arn] = policy
                iam.aws_managed_policies.append(policy)
