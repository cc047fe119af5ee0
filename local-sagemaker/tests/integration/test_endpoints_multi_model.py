"""Multi-model endpoints: models are loaded when first asked for, and unloaded when memory runs out."""

from __future__ import annotations

import json
import uuid

import numpy as np
import pytest
import xgboost as xgb
from botocore.exceptions import ClientError

from tests.integration.endpoint_models import BUCKET, ROWS, Made, archive, booster, floats, script, text
from tests.support import ROLE, SCIKIT_LEARN, XGBOOST, Service


@pytest.fixture
def made(service: Service) -> Made:
    return Made(service)


def multi_model(made: Made, prefix: str, image: str = XGBOOST, **environment: str) -> str:
    name = f"mme-{uuid.uuid4().hex[:10]}"
    made.upload(f"{prefix}.keep", b"")
    container = {"Image": image, "Mode": "MultiModel", "ModelDataUrl": f"s3://{BUCKET}/{prefix}",
                 "Environment": environment}  # fmt: skip
    made.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, Containers=[container])
    return made.endpoint(made.config(name))


def test_each_model_answers_as_itself(made: Made) -> None:
    models = [booster(seed) for seed in range(3)]
    for number, model in enumerate(models):
        made.upload(f"mme-a/sub/model-{number}.tar.gz", archive(xgboost_model=bytes(model.save_raw())))
    endpoint = multi_model(made, "mme-a/")
    for _ in range(2):
        for number, model in enumerate(models):
            answer = made.invoke(endpoint, ROWS[:2], TargetModel=f"sub/model-{number}.tar.gz", Accept="text/csv")
            body = answer["Body"].read()
            assert not body.endswith(b"\n")  # the multi-model container joins with commas
            expected = model.predict(xgb.DMatrix(ROWS[:2]))
            np.testing.assert_array_equal(np.float32(floats(body)), expected)
    body = made.invoke(endpoint, ROWS[:2], TargetModel="sub/model-1.tar.gz")["Body"].read()
    assert np.float32(json.loads(body)).tolist() == models[1].predict(xgb.DMatrix(ROWS[:2])).tolist()
    late = booster(5)  # a model that is added later needs no update
    made.upload("mme-a/late.tar.gz", archive(xgboost_model=bytes(late.save_raw())))
    body = made.invoke(endpoint, TargetModel="late.tar.gz")["Body"].read()
    assert np.float32(json.loads(body)).tolist() == late.predict(xgb.DMatrix(ROWS[:1])).tolist()
    made.delete(endpoint)


def test_what_is_refused(made: Made) -> None:
    made.upload("mme-b/good.tar.gz", archive(xgboost_model=bytes(booster().save_raw())))
    made.upload("mme-b/empty.tar.gz", archive())
    made.upload("mme-b/bad.tar.gz", b"no archive")
    endpoint = multi_model(made, "mme-b/")
    table = [
        ({}, "ValidationError", "is missing a target model header."),
        ({"TargetModel": "none.tar.gz"}, "ValidationError",
         f"Failed to download model data(bucket: {BUCKET}, key: mme-b/none.tar.gz)."),
        ({"TargetModel": "bad.tar.gz"}, "ValidationError", "Failed to extract model data archive"),
        ({"TargetModel": "../mme-a/x.tar.gz"}, "ValidationError", "Failed to download model data"),
        ({"TargetModel": "empty.tar.gz"}, "ModelError", "No model file in"),
        ({"TargetModel": "good.tar.gz", "Accept": "image/png"}, "ModelError", "Received client error (415)"),
    ]  # fmt: skip
    for members, code, message in table:
        with pytest.raises(ClientError) as error:
            made.invoke(endpoint, **members)
        assert error.value.response["Error"]["Code"] == code, members
        assert message in error.value.response["Error"]["Message"]
    assert floats(made.invoke(endpoint, TargetModel="good.tar.gz", Accept="text/csv")["Body"].read())
    made.delete(endpoint)


def test_the_least_recently_used_make_room(made: Made) -> None:
    models = [booster(seed, rounds=400) for seed in range(6)]
    for number, model in enumerate(models):
        made.upload(f"mme-c/{number}.tar.gz", archive(xgboost_model=bytes(model.save_raw())))
    endpoint = multi_model(made, "mme-c/", LOCAL_SAGEMAKER_MODEL_MEMORY_MB="1")  # room for one only
    expected = [float(model.predict(xgb.DMatrix(ROWS[:1]))[0]) for model in models]
    for number in (0, 1, 2, 3, 4, 5, 0, 3, 3, 1):
        body = made.invoke(endpoint, TargetModel=f"{number}.tar.gz", Accept="text/csv")["Body"].read()
        assert np.float32(floats(body)[0]) == np.float32(expected[number])
    made.delete(endpoint)


def test_scripts_of_one_container_do_not_meet(made: Made) -> None:
    for factor in (2, 3):
        code = f"def model_fn(folder): return {factor}\ndef predict_fn(data, model): return data * model\n"
        made.upload(f"mme-d/times-{factor}.tar.gz", script(code))
    endpoint = multi_model(made, "mme-d/", SCIKIT_LEARN)
    for factor in (2, 3, 2):
        answer = made.runtime.invoke_endpoint(
            EndpointName=endpoint, Body=b"[1, 2]", ContentType="application/json", TargetModel=f"times-{factor}.tar.gz"
        )
        assert json.loads(answer["Body"].read()) == [[factor, 2 * factor]]
    made.delete(endpoint)


def test_a_single_model_takes_no_target(made: Made) -> None:
    endpoint = made.endpoint(made.config(made.model(booster())))
    with pytest.raises(ClientError, match="is not a multi-model endpoint and does not support target model header"):
        made.runtime.invoke_endpoint(EndpointName=endpoint, Body=text(ROWS[:1]), TargetModel="a.tar.gz")
    made.delete(endpoint)
