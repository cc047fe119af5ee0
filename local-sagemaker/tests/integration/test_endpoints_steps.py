"""The step types EndpointConfig and Endpoint, and endpoints through the SDK's own classes."""

from __future__ import annotations

import json
import uuid

import numpy as np
import xgboost as xgb

from tests.integration.endpoint_models import ROWS, Made, booster, script, text
from tests.support import SCIKIT_LEARN, Service, create_pipeline, finished, start, steps_of

MODELS = [booster(seed) for seed in range(2)]


def pipeline_steps(endpoint: str) -> list[dict[str, object]]:
    variant = {"VariantName": "AllTraffic", "ModelName": {"Get": "Parameters.Model"}, "InstanceType": "ml.m5.large",
               "InitialInstanceCount": 1}  # fmt: skip
    return [
        {"Name": "Config", "Type": "EndpointConfig",
         "Arguments": {"EndpointConfigName": f"{endpoint}-config", "ProductionVariants": [variant]},
         "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}},
        {"Name": "Deploy", "Type": "Endpoint", "Arguments": {
            "EndpointName": endpoint, "EndpointConfigName": {"Get": "Steps.Config.EndpointConfigName"}}},
        {"Name": "Tell", "Type": "Fail", "Arguments": {"ErrorMessage": {"Std:Join": {"On": " ", "Values": [
            {"Get": "Steps.Deploy.EndpointStatus"}, {"Get": "Steps.Config.ProductionVariants[0].VariantName"}]}}}},
    ]  # fmt: skip


def test_steps_create_then_update_an_endpoint(service: Service) -> None:
    made, name = Made(service), f"steps-{uuid.uuid4().hex[:8]}"
    parameter = {"Name": "Model", "Type": "String"}
    create_pipeline(made.sagemaker, name, *pipeline_steps(name), parameters=(parameter,))
    configs = []
    for model in MODELS:
        execution = start(made.sagemaker, name, Model=made.model(model))
        finished(made.sagemaker, execution)
        steps = steps_of(made.sagemaker, execution)
        assert steps["Tell"]["FailureReason"] == "InService AllTraffic"
        assert steps["Deploy"]["Metadata"]["Endpoint"]["Arn"].endswith(f"endpoint/{name}")
        for made_by in ("Config", "Deploy"):
            arn = next(iter(steps[made_by]["Metadata"].values()))["Arn"]
            tags = {tag["Key"]: tag["Value"] for tag in made.sagemaker.list_tags(ResourceArn=arn)["Tags"]}
            assert tags["sagemaker:pipeline-step-name"] == made_by
        configs.append(steps["Config"]["Metadata"]["EndpointConfig"]["Arn"].rsplit("/", 1)[1])
        assert configs[-1].startswith(f"{name}-config-{execution.rsplit('/', 1)[1]}-")
        value = np.float32(made.invoke(name)["Body"].read().decode())
        assert value == model.predict(xgb.DMatrix(ROWS[:1]))[0]
    assert made.sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"].lower() == configs[1]
    bad = made.model(script("def model_fn(folder): raise RuntimeError('no')"), SCIKIT_LEARN)
    execution = start(made.sagemaker, name, Model=bad)
    finished(made.sagemaker, execution)
    failed = steps_of(made.sagemaker, execution)["Deploy"]
    assert failed["StepStatus"] == "Failed"
    assert "was rolled back" in failed["FailureReason"]
    assert "did not pass the ping health check" in failed["FailureReason"]
    made.delete(name)


def test_the_sdk_invokes_an_endpoint(service: Service) -> None:
    made = Made(service)
    endpoint = made.endpoint(made.config(made.model(MODELS[0])))
    code = f"""
import json
from sagemaker.core.resources import Endpoint
endpoint = Endpoint.get(endpoint_name={endpoint!r})
answer = endpoint.invoke(body={text(ROWS[:2])!r}, content_type="text/csv", accept="application/json")
body = answer.body
print(json.dumps([endpoint.endpoint_status, json.loads(body.read() if hasattr(body, "read") else body)]))
"""
    done = service.run("python", "-c", code)
    status, answer = json.loads(done.stdout.splitlines()[-1])
    assert status == "InService"
    scores = [one["score"] for one in answer["predictions"]]
    assert np.float32(scores).tolist() == MODELS[0].predict(xgb.DMatrix(ROWS[:2])).tolist()
    made.delete(endpoint)
