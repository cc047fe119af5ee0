"""What a user is told when the service refuses a definition for a reason that the SDK brings about."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterInteger

from pipelines.upsert import remedy, upsert
from tests.support import ROLE, Service

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def definition(rounds: ParameterInteger | Join) -> dict[str, object]:
    arguments = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {"num_round": rounds.expr},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "RoleArn": ROLE,
    }
    parameters = [{"Name": "Rounds", "Type": "Integer", "DefaultValue": 10}]
    steps = [{"Name": "Train", "Type": "Training", "Arguments": arguments}]
    return {"Version": "2020-12-01", "Parameters": parameters, "Steps": steps}


def test_a_number_among_hyperparameters_is_refused_and_the_remedy_works(local_sagemaker: Service) -> None:
    sagemaker = local_sagemaker.client("sagemaker")
    rounds = ParameterInteger(name="Rounds", default_value=10)
    with pytest.raises(ClientError) as refused:
        upsert(sagemaker, "Remedy", definition(rounds), ROLE, None, [])
    assert "Cannot assign property reference [Parameters.Rounds]" in str(refused.value)
    assert "The parameter Rounds is no string" in (remedy(refused.value) or "")
    upsert(sagemaker, "Remedy", definition(rounds.to_string()), ROLE, None, [])
    stored = json.loads(sagemaker.describe_pipeline(PipelineName="Remedy")["PipelineDefinition"])
    assert stored == definition(rounds.to_string())


def test_other_errors_have_no_remedy() -> None:
    assert remedy(ValueError("Unable to parse pipeline definition.")) is None
