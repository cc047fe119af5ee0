"""A user's program with SDK v2: a registered version is deployed by ModelPackage.deploy, and asked by a Predictor.

Usage: deploying.py ROLE_ARN MODEL_PACKAGE_ARN. Prints the prediction of one row.
"""

import sys

import sagemaker
from sagemaker import ModelPackage
from sagemaker.deserializers import CSVDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer

role, model_package_arn = sys.argv[1:]
sagemaker_session = sagemaker.Session()
model = ModelPackage(role=role, model_package_arn=model_package_arn, sagemaker_session=sagemaker_session)
name = "concepts-sdk-v2-endpoint"
model.deploy(initial_instance_count=1, instance_type="ml.m5.xlarge", endpoint_name=name)
predictor = Predictor(
    name, sagemaker_session=sagemaker_session, serializer=CSVSerializer(), deserializer=CSVDeserializer()
)
answer = predictor.predict([0.25, 0.5])
predictor.delete_endpoint()
sys.stdout.write(f"\n{answer[0][0]}\n")
