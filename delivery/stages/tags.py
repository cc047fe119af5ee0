"""The tags of the project, for everything that it creates."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

PREFIX = "sagemaker:"


def read_project_tags(sagemaker: Any, name: str, project_id: str, arn: str = "") -> Mapping[str, str]:
    """The two that name the project, and the project's own where its ARN is known.

    Tags of the `aws:` namespace are left out: only AWS may set them. So are, with a remark, those of a project that
    can't be read: one that was made as a stack is none that SageMaker knows.
    """
    own: dict[str, str] = {}
    if arn:
        try:
            pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
            own = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
        except (BotoCoreError, ClientError) as error:
            print(f"Tags of the project {arn} are left out: {error}", file=sys.stderr)
    chosen = {key: value for key, value in own.items() if not key.lower().startswith("aws:")}
    return {**chosen, f"{PREFIX}project-name": name, f"{PREFIX}project-id": project_id}
