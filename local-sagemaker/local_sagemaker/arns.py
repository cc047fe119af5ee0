"""ARNs: made and read in one place (formats: SageMaker API reference, each resource)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}")


@dataclass(frozen=True)
class Arns:
    """Makes ARNs for one account and region."""

    account: str
    region: str

    @property
    def partition(self) -> str:
        """``aws``, or what stands in its place in ARNs of China and GovCloud."""
        return partition(self.region)

    def of(self, service: str, resource: str) -> str:
        """``arn:aws:<service>:REGION:ACCOUNT:<resource>``."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def sagemaker(self, resource: str, name: str) -> str:
        """``arn:aws:sagemaker:REGION:ACCOUNT:<resource>/<name>``, e.g. resource ``training-job``."""
        return self.of("sagemaker", f"{resource}/{name}")


def is_region(text: str) -> bool:
    """Whether the text has the form of a region's name."""
    return _REGION.fullmatch(text) is not None


_PARTITIONS = {
    "cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b", "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f", "eusc-": "aws-eusc",
}  # fmt: skip


def partition(region: str) -> str:
    """The partition that a region is in (AWS General Reference, "ARN format")."""
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), "aws")


def is_arn(text: str) -> bool:
    """Whether the text is an ARN rather than a name."""
    return text.startswith("arn:")


def last(text: str) -> str:
    """The name in a name or an ARN: what follows the last slash (job names hold no slash)."""
    return text.rsplit("/", 1)[-1]


def resource(arn: str) -> str:
    """The part after the account: ``training-job/x`` of ``arn:aws:sagemaker:R:A:training-job/x``."""
    return arn.split(":", 5)[-1]
