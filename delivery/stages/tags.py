"""The tags of the project, for everything that it creates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PREFIX = "sagemaker:"


def read_project_tags(sagemaker: Any, name: str, project_id: str, arn: str = "") -> Mapping[str, str]:
    """The two that name the project, and the project's own where its ARN is known.

    Tags of the `aws:` namespace are left out: only AWS may set them.
    """
    own: dict[str, str] = {}
    if arn:
        pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        own = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    chosen = {key: value for key, value in own.items() if not key.lower().startswith("aws:")}
    return {**chosen, f"{PREFIX}project-name": name, f"{PREFIX}project-id": project_id}
