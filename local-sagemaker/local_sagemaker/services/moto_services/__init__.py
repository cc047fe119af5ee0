"""Services where nothing needs to run (IAM, STS, ECR, SQS, SNS ...): served by moto inside this process."""

from local_sagemaker.services.moto_services.moto_services import MotoServices

__all__ = ["MotoServices"]
