"""The code of the Lambda function: gathers model archives under one prefix and serves them from one endpoint.

Shipped alone: it needs boto3, which AWS Lambda's Python runtimes have, and nothing of this project. It does not wait
for the endpoint, which takes minutes, as the function would be billed for waiting.
"""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

import boto3
from botocore.exceptions import ClientError

VARIANT = "xgbvariant"
ARTIFACTS = ("model_artifacts_one", "model_artifacts_two")
REQUIRED = (*ARTIFACTS, "models_prefix", "image_uri", "role_arn")
TAGS = [{"Key": "delivery:made-by", "Value": "multi-model"}]


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda gives two
    """What the step's outputs are read from: statusCode, body and endpoint_name."""
    missing = [name for name in REQUIRED if not event.get(name)]
    if missing:
        raise ValueError(f"the event lacks {', '.join(missing)}")
    prefix = gather([event[name] for name in ARTIFACTS], event["models_prefix"])
    stamp = f"{time.strftime('%Y-%m-%d-%H-%M-%S', time.gmtime())}-{secrets.token_hex(3)}"  # two may come in a second
    endpoint = event.get("endpoint_name") or f"mme-source{stamp}"
    created = serve(
        endpoint,
        stamp,
        {"Image": event["image_uri"], "Mode": "MultiModel", "ModelDataUrl": prefix},
        event["role_arn"],
        event.get("instance_type") or "ml.c5.large",
    )
    text = "Created Endpoint!" if created else "Updated Endpoint!"
    return {"statusCode": 200, "body": json.dumps(text), "endpoint_name": endpoint}


def gather(artifacts: list[str], prefix: str) -> str:
    """Copies the archives under the prefix, as model-0.tar.gz, model-1.tar.gz ...; returns what CreateModel takes."""
    s3: Any = boto3.client("s3")
    prefix = f"{prefix.rstrip('/')}/"
    bucket, _, folder = prefix[len("s3://") :].partition("/")
    for number, artifact in enumerate(artifacts):
        source_bucket, _, key = artifact[len("s3://") :].partition("/")
        source = {"Bucket": source_bucket, "Key": key}
        # copy() and not copy_object(), which refuses archives of more than 5 GB
        s3.copy(source, bucket, f"{folder}model-{number}.tar.gz")
    return prefix


def serve(endpoint: str, stamp: str, container: dict[str, Any], role: str, instance_type: str) -> bool:
    """Creates or updates the endpoint. True if it was created."""
    sagemaker: Any = boto3.client("sagemaker")
    name = f"{endpoint[:36].rstrip('-')}-{stamp}" if not endpoint.endswith(stamp) else endpoint
    tags = [*TAGS, {"Key": "delivery:name", "Value": endpoint}]
    variant = {
        "VariantName": VARIANT,
        "ModelName": name,
        "InstanceType": instance_type,
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1,
    }
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, Containers=[container], Tags=tags)
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], Tags=tags)
    names = {"EndpointName": endpoint, "EndpointConfigName": name}
    try:
        sagemaker.describe_endpoint(EndpointName=endpoint)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":  # which means that none exists
            raise
        sagemaker.create_endpoint(**names, Tags=tags)
        return True
    sagemaker.update_endpoint(**names)
    return False
