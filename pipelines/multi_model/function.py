"""The Lambda function that the pipeline makes, and its role."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from botocore.exceptions import ClientError
from sagemaker.core.lambda_helper import Lambda

POLICIES = (
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess",
)
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
TAGS = {"delivery:made-by": "multi-model", "delivery:name": "lambda"}
ATTEMPTS = 6


class Function(Lambda):
    """A function with tags, whose role may be new: Lambda cannot assume one in the first seconds of its life."""

    def create(self) -> Any:
        for attempt in range(ATTEMPTS):
            try:
                created = super().create()
                client = self.session.boto_session.client("lambda")
                client.tag_resource(Resource=created["FunctionArn"], Tags=TAGS)
                return created
            except ValueError as error:
                if "cannot be assumed" not in str(error) or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(2**attempt)
        return None


def create_lambda_role(iam: Any, name: str, passed_role: str, bucket: str) -> str:
    """The ARN of a role of this name; an existing one is used as it is, and reported.

    A new one may also pass ``passed_role`` and use ``bucket``: AmazonSageMakerFullAccess alone passes only roles
    whose name begins with AmazonSageMaker, and reaches only buckets that have "sagemaker" in theirs.
    """
    try:
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
    else:
        print(f"Using the role {name}, which is already there", file=sys.stderr)
        return str(arn)
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(TRUST), Tags=tags)
    for policy in POLICIES:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    allowed = (
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": passed_role},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{bucket}/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"},
    )
    iam.put_role_policy(RoleName=name, PolicyName="multi-model", PolicyDocument=_document(*allowed))
    return str(made["Role"]["Arn"])


def _document(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
