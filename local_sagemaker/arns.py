"""ARNs: made and read in one place (formats: specs of each resource in the SageMaker API reference)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Arns:
    """Makes ARNs for one account and region."""

    account: str
    region: str

    def sagemaker(self, resource: str, name: str) -> str:
        """``arn:aws:sagemaker:REGION:ACCOUNT:<resource>/<name>``, e.g. resource ``training-job``."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{resource}/{name}"


def is_arn(text: str) -> bool:
    """Whether the text is an ARN rather than a name."""
    return text.startswith("arn:")


def last(text: str) -> str:
    """The name in a name or an ARN: what follows the last slash (job names hold no slash)."""
    return text.rsplit("/", 1)[-1]


def resource(arn: str) -> str:
    """The part after the account: ``training-job/x`` of ``arn:aws:sagemaker:R:A:training-job/x``."""
    return arn.split(":", 5)[-1]
