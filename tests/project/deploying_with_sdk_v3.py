"""A user's program for test_delivery_concepts.py: SDK v3 builds a model, deploys it, and invokes the endpoint.

Usage: deploying_with_sdk_v3.py ROLE_ARN IMAGE MODEL_DATA_URI. Prints the prediction of one row.
"""

import sys

from sagemaker.core.helper.session_helper import Session
from sagemaker.serve.model_builder import ModelBuilder

role, image, uri = sys.argv[1:]
builder = ModelBuilder(
    image_uri=image,
    s3_model_data_url=uri,
    role_arn=role,
    instance_type="ml.m5.large",
    sagemaker_session=Session(),
    dependencies={"auto": False},
)
builder.build(model_name="concepts-sdk-v3")
endpoint = builder.deploy(endpoint_name="concepts-sdk-v3", initial_instance_count=1, instance_type="ml.m5.large")
answer = endpoint.invoke(body=b"0.25,0.5", content_type="text/csv", accept="text/csv")
body = answer.body.read() if hasattr(answer.body, "read") else answer.body
endpoint.delete()
text = body.decode() if isinstance(body, bytes) else body
sys.stdout.write(f"\n{text.strip()}\n")
