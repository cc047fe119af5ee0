"""Endpoints through unmodified boto3: the registry walk-through's calls, predictions, errors, statuses."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from botocore.exceptions import ClientError

from tests.integration.endpoint_models import ROWS, Made, archive, booster, floats, script, text
from tests.support import ROLE, SCIKIT_LEARN, XGBOOST, Service, until

MODEL = booster()
SLOW = (
    "import time\ndef model_fn(folder): time.sleep({})\n"
    "def transform_fn(model, data, kind, accept): return 'ok', 'text/csv'\n"
)


@pytest.fixture
def made(service: Service) -> Made:
    return Made(service)


def refused(call: Any, **request: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        call(**request)
    return dict(error.value.response)


def test_from_the_registry_to_a_prediction(made: Made) -> None:
    """Reference calls of the registry walk-through, as they stand there."""
    sm_client, runtime, moment = made.sagemaker, made.runtime, time.strftime("%Y-%m-%d-%H-%M-%S")
    artifact = made.upload("walk/output/model.tar.gz", archive(xgboost_model=bytes(MODEL.save_raw("deprecated"))))
    image = XGBOOST.replace("3.0-5", "1.0-1-cpu-py3")
    group = sm_client.create_model_package_group(
        ModelPackageGroupName="endpoint-walk", ModelPackageGroupDescription="walk"
    )["ModelPackageGroupArn"]
    package = sm_client.create_model_package(
        ModelPackageGroupName=group,
        ModelPackageDescription="walk",
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": image, "ModelDataUrl": artifact}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    sm_client.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    model_name = "walk-model-" + moment
    sm_client.create_model(ModelName=model_name, ExecutionRoleArn=ROLE, Containers=[{"ModelPackageName": package}])
    endpoint_config_name = "walk-config-" + moment
    sm_client.create_endpoint_config(
        EndpointConfigName=endpoint_config_name,
        ProductionVariants=[
            {
                "InstanceType": "ml.c5.xlarge",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1,
                "ModelName": model_name,
                "VariantName": "AllTraffic",
            }
        ],
    )
    endpoint_name = "walk-endpoint-" + moment
    sm_client.create_endpoint(EndpointName=endpoint_name, EndpointConfigName=endpoint_config_name)
    describe = sm_client.describe_endpoint(EndpointName=endpoint_name)
    while describe["EndpointStatus"] == "Creating":
        describe = sm_client.describe_endpoint(EndpointName=endpoint_name)
    assert describe["EndpointStatus"] == "InService"
    response = runtime.invoke_endpoint(EndpointName=endpoint_name, Body=text(ROWS[:1]), ContentType="text/csv")
    expected = MODEL.predict(xgb.DMatrix(ROWS[:1]))[0]
    assert float(response["Body"].read().decode()) == pytest.approx(expected, rel=1e-6)  # the image's library is older
    assert response["InvokedProductionVariant"] == "AllTraffic"
    variant = describe["ProductionVariants"][0]
    assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (1.0, 1)
    assert variant["DeployedImages"][0]["SpecifiedImage"] == image
    made.delete(endpoint_name)
    assert endpoint_name not in [e["EndpointName"] for e in sm_client.list_endpoints()["Endpoints"]]


def test_predictions_are_those_of_the_model_to_the_last_digit(made: Made) -> None:
    endpoint = made.endpoint(made.config(made.model(MODEL), count=2))
    expected = MODEL.predict(xgb.DMatrix(ROWS))
    found = np.float32(floats(made.invoke(endpoint, ROWS)["Body"].read()))
    np.testing.assert_array_equal(found, expected)
    for number in range(20):
        body = made.invoke(endpoint, ROWS[number : number + 1])["Body"].read()
        assert np.float32(body.decode()) == expected[number]
    answer = made.invoke(endpoint, ROWS[:2], Accept="application/json")
    scores = [one["score"] for one in json.loads(answer["Body"].read())["predictions"]]
    assert answer["ContentType"] == "application/json"
    assert np.float32(scores).tolist() == expected[:2].tolist()
    made.delete(endpoint)


def test_what_is_refused_and_how(made: Made) -> None:
    endpoint = made.endpoint(made.config(made.model(MODEL)))
    invoke = made.runtime.invoke_endpoint
    account = made.service.settings.account
    row = text(ROWS[:1])
    table: list[tuple[dict[str, Any], int, str, str]] = [
        ({"EndpointName": "nobody", "Body": row}, 400, "ValidationError",
         f"Endpoint nobody of account {account} not found."),
        ({"TargetVariant": "Other"}, 400, "ValidationError", "Variant Other not found for Request"),
        ({"TargetContainerHostname": "x"}, 400, "ValidationError", "does not support TargetContainerHostname"),
        ({"EnableExplanations": "`true`"}, 400, "ValidationError", "ClarifyExplainerConfig"),
        ({"InferenceId": "x" * 65}, 400, "ValidationError", "less than or equal to 64"),
        ({"Body": b"1" * (6 * 1024**2 + 1)}, 400, "ValidationError", "less than or equal to 6291456"),
        ({"Body": b"1,2\n3", "ContentType": "text/csv"}, 424, "ModelError", "Received client error (415) from primary"),
        ({"ContentType": "image/png"}, 424, "ModelError", "image/png is not an accepted ContentType"),
        ({"Body": b",".join([b"1"] * 9), "ContentType": "text/csv"}, 424, "ModelError",
         "Unable to evaluate payload provided"),
        ({"ContentType": "text/csv", "Accept": "image/png"}, 424, "ModelError", "Received client error (406)"),
    ]  # fmt: skip
    for members, status, code, message in table:
        response = refused(invoke, **{"EndpointName": endpoint, "Body": row, **members})
        assert response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert response["Error"]["Code"] == code, response
        assert message in response["Error"]["Message"]
    assert response["OriginalStatusCode"] == 406
    assert response["OriginalMessage"].startswith("Accept type image/png is not supported")
    assert response["LogStreamArn"].endswith(f"log-group:/aws/sagemaker/Endpoints/{endpoint}")
    largest = b"\n".join([row] * (6 * 1024**2 // (len(row) + 1)))  # just under the limit
    assert len(floats(invoke(EndpointName=endpoint, Body=largest, ContentType="text/csv")["Body"].read())) > 10_000
    assert invoke(EndpointName=endpoint, Body=b"", ContentType="text/csv")["Body"].read() == b""
    made.delete(endpoint)


def test_a_model_that_hangs_fails_the_invocation_only(made: Made) -> None:
    """The endpoint stays in service, and its worker is replaced."""
    code = SLOW.format(0).replace("'ok'", "time.sleep(3600 if data == 'hang' else 0) or 'ok'")
    model = made.model(script(code), SCIKIT_LEARN, SAGEMAKER_MODEL_SERVER_TIMEOUT="1", SAGEMAKER_PROGRAM="inference.py")
    endpoint = made.endpoint(made.config(model))
    response = refused(made.runtime.invoke_endpoint, EndpointName=endpoint, Body=b"hang", ContentType="text/csv")
    assert response["Error"]["Code"] == "ModelError"
    assert "Received server error (504) from primary" in response["Error"]["Message"]

    def works() -> bool:
        try:
            answer = made.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"1", ContentType="text/csv")
        except made.runtime.exceptions.ModelError:  # on a loaded machine it may be late itself
            return False
        return bool(answer["Body"].read() == b"ok")

    until(works, "the endpoint answers again")
    assert made.settled(endpoint)["EndpointStatus"] == "InService"
    made.delete(endpoint)


def test_an_answer_over_the_limit_is_a_model_error(made: Made) -> None:
    code = SLOW.format(0).replace("'ok'", "'x' * int(data)")
    endpoint = made.endpoint(made.config(made.model(script(code), SCIKIT_LEARN)))
    answer = made.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"6291456", ContentType="text/csv")
    assert len(answer["Body"].read()) == 6291456
    response = refused(made.runtime.invoke_endpoint, EndpointName=endpoint, Body=b"6291457", ContentType="text/csv")
    assert response["Error"]["Code"] == "ModelError"
    assert "could not load the entire response body" in response["Error"]["Message"]
    made.delete(endpoint)


def serverless_exclusions(made: Made) -> list[tuple[dict[str, Any], str]]:
    """Configurations with what serverless endpoints do not have."""
    plain = made.model(MODEL)
    container = made.sagemaker.describe_model(ModelName=plain)["PrimaryContainer"]
    for name, network in (
        ("isolated", {"EnableNetworkIsolation": True}),
        ("in-vpc", {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}}),
    ):
        made.sagemaker.create_model(
            ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={**container, "Mode": "SingleModel"}, **network
        )
    variant = {
        "VariantName": "A",
        "ModelName": plain,
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    capture = {
        "InitialSamplingPercentage": 1,
        "DestinationS3Uri": "s3://b",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    many = {"MemorySizeInMB": 1024, "MaxConcurrency": 1, "ProvisionedConcurrency": 2}
    return [
        ({"ProductionVariants": [{**variant, "ModelName": "isolated"}]}, "network isolation"),
        ({"ProductionVariants": [{**variant, "ModelName": "in-vpc"}]}, "VpcConfig"),
        ({"ProductionVariants": [{**variant, "ServerlessConfig": many}]}, "ProvisionedConcurrency"),
        ({"ProductionVariants": [variant], "DataCaptureConfig": capture}, "Data capture is not supported"),
    ]


def test_names_and_configurations_that_are_refused(made: Made) -> None:
    sagemaker, model = made.sagemaker, made.model(MODEL)
    config = made.config(model)
    arn = f"arn:aws:sagemaker:us-east-1:{made.service.settings.account}:"
    variant = {"VariantName": "A", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    serverless = {
        "VariantName": "A",
        "ModelName": model,
        "ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 1},
    }
    endpoint = made.endpoint(config)
    create, describe = sagemaker.create_endpoint_config, sagemaker.describe_endpoint
    table = [
        (create, {"EndpointConfigName": config.upper(), "ProductionVariants": [variant]},
         f'Cannot create already existing endpoint configuration "{arn}endpoint-config/{config}".'),
        (create, {"EndpointConfigName": "x", "ProductionVariants": [{**variant, "ModelName": "none"}]},
         f'Could not find model "{arn}model/none".'),
        (create, {"EndpointConfigName": "x", "ProductionVariants": [{**variant, "ModelName": "ENTER MODEL NAME"}]},
         "1 validation error detected: Value 'ENTER MODEL NAME' at 'productionVariants.1.member.modelName' failed to"),
        (create, {"EndpointConfigName": "x", "ProductionVariants": [variant, variant]}, "Duplicate variant names"),
        (create, {"EndpointConfigName": "x", "ProductionVariants": [serverless]}, "MemorySizeInMB"),
        *((create, {"EndpointConfigName": "x", **request}, why) for request, why in serverless_exclusions(made)),
        (sagemaker.create_endpoint, {"EndpointName": endpoint, "EndpointConfigName": config},
         f'Cannot create already existing endpoint "{arn}endpoint/{endpoint}".'),
        (sagemaker.create_endpoint, {"EndpointName": "x", "EndpointConfigName": "none"},
         f'Could not find endpoint configuration "{arn}endpoint-config/none".'),
        (describe, {"EndpointName": "none"}, f'Could not find endpoint "{arn}endpoint/none".'),
        (sagemaker.delete_endpoint, {"EndpointName": "none"}, f'Could not find endpoint "{arn}endpoint/none".'),
        (sagemaker.delete_endpoint_config, {"EndpointConfigName": "none"},
         'Could not find endpoint configuration "none".'),
        (sagemaker.update_endpoint, {"EndpointName": endpoint, "EndpointConfigName": config}, "already uses"),
    ]  # fmt: skip
    for call, request, message in table:
        response = refused(call, **request)
        assert response["Error"]["Code"] == "ValidationException", response
        assert response["Error"]["Message"].startswith(message) or message in response["Error"]["Message"]
    sagemaker.add_tags(ResourceArn=f"{arn}endpoint/{endpoint}", Tags=[{"Key": "a", "Value": "b"}])
    assert sagemaker.list_tags(ResourceArn=f"{arn}endpoint/{endpoint}")["Tags"] == [{"Key": "a", "Value": "b"}]
    sagemaker.delete_endpoint_config(EndpointConfigName=config)
    sagemaker.delete_model(ModelName=model)
    assert floats(made.invoke(endpoint)["Body"].read())  # it goes on without both
    made.delete(endpoint)


def test_an_endpoint_that_is_still_creating(made: Made) -> None:
    endpoint = made.endpoint(made.config(made.model(script(SLOW.format(6)), SCIKIT_LEARN)), wait=False)
    found = made.sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"]
    assert [e["EndpointStatus"] for e in found] == ["Creating"]
    assert "not found" in refused(made.runtime.invoke_endpoint, EndpointName=endpoint, Body=b"1")["Error"]["Message"]
    for call in (made.sagemaker.delete_endpoint, lambda EndpointName: made.sagemaker.update_endpoint(
        EndpointName=EndpointName, EndpointConfigName=made.config(made.model(MODEL)))):  # fmt: skip
        message = refused(call, EndpointName=endpoint)["Error"]["Message"]
        assert message.startswith("Cannot update in-progress endpoint ")
    made.settled(endpoint)
    made.delete(endpoint)


@pytest.mark.parametrize(
    ("data", "image", "reason"),
    [
        (archive(), XGBOOST, "The primary container for production variant AllTraffic did not pass the ping"),
        (script("def model_fn(folder): raise RuntimeError('no')"), SCIKIT_LEARN, "did not pass the ping health check"),
        (b"no archive", XGBOOST, "Failed to extract model data archive"),
        (archive(**{",,__outside": b"x"}), XGBOOST, "Failed to extract model data archive"),
    ],
    ids=["no model", "model_fn raises", "no archive", "outside"],  # the archives' bytes hold the time
)  # fmt: skip
def test_an_endpoint_that_can_not_start(made: Made, data: bytes, image: str, reason: str) -> None:
    endpoint = made.endpoint(made.config(made.model(data, image)), wait=False)
    found = made.settled(endpoint, "Failed")
    assert reason in found["FailureReason"]
    good = made.config(made.model(MODEL))
    made.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=good)  # an update repairs it
    assert "FailureReason" not in made.settled(endpoint)
    assert floats(made.invoke(endpoint)["Body"].read())
    made.delete(endpoint)


def test_variants_share_the_traffic_by_their_weights(made: Made) -> None:
    models = [booster(seed) for seed in (1, 2)]
    names = [made.model(model) for model in models]
    endpoint = made.endpoint(made.config(*names, weights=(3.0, 1.0)))

    def count(requests: int) -> dict[str, int]:
        found = [made.invoke(endpoint)["InvokedProductionVariant"] for _ in range(requests)]
        return {name: found.count(name) for name in ("V1", "V2")}

    assert count(40) == {"V1": 30, "V2": 10}
    expected = [float(model.predict(xgb.DMatrix(ROWS[:1]))[0]) for model in models]
    for number in (1, 2):
        answer = made.invoke(endpoint, TargetVariant=f"V{number}")
        assert np.float32(answer["Body"].read().decode()) == np.float32(expected[number - 1])
    made.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=[
            {"VariantName": "V1", "DesiredWeight": 0.0},
            {"VariantName": "V2", "DesiredWeight": 1.0, "DesiredInstanceCount": 3},
        ],
    )
    found = {variant["VariantName"]: variant for variant in made.settled(endpoint)["ProductionVariants"]}
    assert (found["V2"]["CurrentInstanceCount"], found["V1"]["CurrentWeight"]) == (3, 0.0)
    assert count(10) == {"V1": 0, "V2": 10}
    assert made.invoke(endpoint, TargetVariant="V1")["InvokedProductionVariant"] == "V1"
    message = refused(
        made.sagemaker.update_endpoint_weights_and_capacities, EndpointName=endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": "V9", "DesiredWeight": 1.0}],
    )["Error"]["Message"]  # fmt: skip
    assert 'The variant name(s) "V9"' in message
    message = refused(
        made.sagemaker.update_endpoint_weights_and_capacities, EndpointName=endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": "V1", "DesiredWeight": weight} for weight in (1.0, 2.0)],
    )["Error"]["Message"]  # fmt: skip
    assert message == 'The variant name "V1" was non-unique within the request.'
    made.delete(endpoint)


def test_a_serial_inference_pipeline(made: Made) -> None:
    double = SLOW.format(0).replace("'ok'", "str(2 * float(data))")
    uri = made.upload("double.tar.gz", script(double))
    fails = made.upload("fails.tar.gz", script(double.replace("2 * float(data)", "1 / 0")))
    for last, outcome in ((uri, b"12.0"), (fails, None)):
        name = f"pipeline-{uuid.uuid4().hex[:8]}"
        containers = [
            {"Image": SCIKIT_LEARN, "ModelDataUrl": location, "ContainerHostname": f"part-{number}"}
            for number, location in enumerate((uri, last), 1)
        ]
        made.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, Containers=containers)
        endpoint = made.endpoint(made.config(name))
        request = {"EndpointName": endpoint, "Body": b"3", "ContentType": "text/csv"}
        if outcome:
            assert made.runtime.invoke_endpoint(**request)["Body"].read() == outcome
        else:
            message = refused(made.runtime.invoke_endpoint, **request)["Error"]["Message"]
            assert message.startswith("Received server error (500) from part-2 with message")
        made.delete(endpoint)


def test_headers_reach_the_container_and_come_back(made: Made) -> None:
    code = (
        "def model_fn(folder): return 0\n"
        "def transform_fn(model, data, kind, accept): return f'{kind}|{accept}|{data}', 'text/plain'\n"
    )
    endpoint = made.endpoint(made.config(made.model(script(code), SCIKIT_LEARN)))
    answer = made.runtime.invoke_endpoint(
        EndpointName=endpoint, Body=b"a", ContentType="text/csv", Accept="text/plain", CustomAttributes="trace=1"
    )
    assert answer["Body"].read() == b"text/csv|text/plain|a"
    assert "CustomAttributes" not in answer  # only what the container sets
    made.delete(endpoint)


def test_a_serverless_variant_has_a_limit(made: Made) -> None:
    code = SLOW.format(0).replace("return 'ok'", "time.sleep(float(data)); return 'ok'")
    name, model = f"serverless-{uuid.uuid4().hex[:8]}", made.model(script(code), SCIKIT_LEARN)
    made.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[
        {"VariantName": "A", "ModelName": model, "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1}}
    ])  # fmt: skip
    endpoint = made.endpoint(name)
    described = made.sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"][0]
    assert (described["CurrentServerlessConfig"]["MaxConcurrency"], described["CurrentInstanceCount"]) == (1, 0)
    assert "DesiredServerlessConfig" not in described and "DesiredInstanceCount" not in described
    assert described["DeployedImages"][0]["ResolutionTime"]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        request = {"EndpointName": endpoint, "Body": b"1", "ContentType": "text/csv"}
        futures = [pool.submit(made.runtime.invoke_endpoint, **request) for _ in range(4)]
        errors = [error for future in futures if (error := future.exception())]
    assert len(errors) == 3
    assert {error.response["Error"]["Code"] for error in errors} == {"ThrottlingException"}  # type: ignore[attr-defined]
    error = refused(made.runtime.invoke_endpoint, EndpointName=endpoint, Body=b"1" * (4 * 1024**2 + 1))["Error"]
    assert error["Message"].startswith("Request ") and error["Message"].endswith(" has oversize body."), error
    more = {"MaxConcurrency": 1, "ProvisionedConcurrency": 2}
    error = refused(
        made.sagemaker.update_endpoint_weights_and_capacities, EndpointName=endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": "A", "ServerlessUpdateConfig": more}],
    )["Error"]  # fmt: skip
    assert "must be less than or equal to its MaxConcurrency, 1" in error["Message"]
    made.delete(endpoint)


def test_metrics_reach_cloudwatch(made: Made) -> None:
    endpoint = made.endpoint(made.config(made.model(MODEL)))
    for _ in range(5):
        made.invoke(endpoint)
    refused(made.runtime.invoke_endpoint, EndpointName=endpoint, Body=b"x", ContentType="text/csv")
    cloudwatch = made.service.client("cloudwatch")
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}]

    def total(metric: str) -> float:
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker", MetricName=metric, Dimensions=dimensions, Period=3600, Statistics=["Sum"],
            StartTime=time.time() - 7200, EndTime=time.time() + 3600,
        )["Datapoints"]  # fmt: skip
        return float(sum(point["Sum"] for point in points))

    until(lambda: total("Invocations") == 6, "the invocations are counted")
    assert (total("Invocation4XXErrors"), total("Invocation5XXErrors")) == (1, 0)
    assert total("ModelLatency") > 0
    made.delete(endpoint)
