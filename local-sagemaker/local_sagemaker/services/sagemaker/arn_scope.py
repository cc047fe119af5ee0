"""ARNs that a request gives in the place of a name: they must be of its own region and account."""

from __future__ import annotations

from collections.abc import Callable

from local_sagemaker.arns import is_arn
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError, ValidationError


def check_scope(name: str, settings: Settings, missing: Callable[[str], ServiceError]) -> None:
    """Raises AWS's text for an ARN of another region, and `missing` of the ARN for one of another account.

    Names pass. The text is that of DescribeModelPackage in aws/amazon-sagemaker-examples issue 1438; there the region
    is the one that the request went to.
    """
    if not is_arn(name):
        return
    region, account = name.split(":", 5)[3:5]
    if region != settings.region:
        raise ValidationError(f"ARN should be scoped to correct region: {settings.region}")
    if account != settings.account:
        raise missing(name)
