"""``local-model`` (A3): training, packaging, and the whole tour against the service, item by item."""

from __future__ import annotations

import io
import json
import os
import pickle
import shlex
import shutil
import subprocess
import sys
import tarfile
import time
import urllib.request
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import joblib
import numpy
import pytest
import xgboost
from sklearn.datasets import load_iris

from delivery.errors import DeliveryError
from delivery.local_model import packaging, training
from tests.project.delivering import run
from tests.support import COMMANDS, ROLE, Service

GOLDEN = [5.1, 3.3, 1.7, 0.5]
CLASSES = ["Setosa", "Versicolor", "Virginica"]
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost"


def local_model(service: Service, *words: str, fails: int = 0, **options: Any) -> str:
    """What the command prints, or if it fails, the line on the standard error."""
    done = run(service, "local-model", *words, fails=fails, **options)
    return done.stderr if fails else done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> training.TrainingResult:
    return training.train(tmp_path_factory.mktemp("iris"))


def test_item_1_the_model_and_the_first_rows_of_the_test_split_are_saved(trained: training.TrainingResult) -> None:
    assert (trained.model.name, trained.rows.name) == ("DEMO-local-xgboost-model", "test_point.csv")
    rows = numpy.loadtxt(trained.rows, delimiter=",")
    assert rows.shape == (5, 4) and list(rows[4]) == GOLDEN
    assert trained.rows.read_text().startswith("5.4")
    assert trained.rows.read_text().split(",")[0] == f"{rows[0, 0]:.18e}"
    classifier = joblib.load(trained.model)
    assert classifier.get_params()["max_depth"] == 5 and classifier.get_params()["n_estimators"] == 10
    assert classifier.predict(rows)[4] == 0
    assert trained.accuracy > 0.8


def test_item_1_training_needs_no_cloud(tmp_path: Path) -> None:
    command = [str(COMMANDS / "local-model"), "train", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "test_point.csv").exists()


def classifier() -> Any:
    iris: Any = load_iris()
    return xgboost.XGBClassifier(max_depth=3, n_estimators=4, objective="multi:softmax").fit(iris.data, iris.target)


def save(kind: str, file: Path, model: Any) -> None:
    """The model as users save it."""
    booster = model.get_booster()
    if kind == "joblib":
        joblib.dump(model, file)
    elif kind == "joblib-compressed":
        joblib.dump(model, file, compress=3)
    elif kind == "pickle":
        file.write_bytes(pickle.dumps(model))
    elif kind == "pickle-booster":
        file.write_bytes(pickle.dumps(booster))
    elif kind == "wrapper.json":
        # What the wrapper's save_model leaves, which itself fails with current releases of scikit-learn.
        booster.set_attr(scikit_learn=json.dumps({"_estimator_type": "classifier"}))
        booster.save_model(file)
    else:
        booster.save_model(file)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("joblib", "pickle"),
        ("joblib-compressed", "pickle"),
        ("pickle", "pickle"),
        ("pickle-booster", "pickle"),
        ("booster.json", "JSON"),
        ("wrapper.json", "JSON"),
        ("booster.ubj", "UBJSON"),
        ("booster", "UBJSON"),
        ("old.deprecated", "binary"),
    ],
)
def test_item_2_4_every_format_becomes_what_the_container_loads(tmp_path: Path, kind: str, found: str) -> None:
    model, file, archive = classifier(), tmp_path / kind, tmp_path / "out" / "model.tar.gz"
    save(kind, file, model)
    packaged = packaging.package(file, archive)
    assert packaged.format == found and packaged.archive == archive
    with tarfile.open(archive) as tar:
        assert tar.getnames() == ["xgboost-model"]
        member: Any = tar.extractfile("xgboost-model")
        booster = xgboost.Booster(model_file=bytearray(member.read()))
    iris: Any = load_iris()
    probabilities = booster.predict(xgboost.DMatrix(iris.data))
    assert probabilities.shape == (150, 3)
    assert list(probabilities.argmax(axis=1)) == list(model.predict(iris.data))


def test_item_2_the_same_model_is_the_same_archive(tmp_path: Path, trained: training.TrainingResult) -> None:
    archives = [tmp_path / "one.tar.gz", tmp_path / "two.tar.gz"]
    for archive in archives:
        packaging.package(trained.model, archive, trained.rows)
    assert archives[0].read_bytes() == archives[1].read_bytes()


def test_a_regressor_keeps_its_objective(tmp_path: Path) -> None:
    model = xgboost.XGBRegressor(n_estimators=2).fit([[0.0], [1.0]], [0.0, 1.0])
    joblib.dump(model, tmp_path / "model")
    assert packaging.package(tmp_path / "model", tmp_path / "model.tar.gz").changes == ()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"no model at all", "is no XGBoost model"),
        (b'{"learner": 1}', "is no XGBoost model"),
        (pickle.dumps({"a": 1}), "holds a dict, and not an XGBoost model"),
        (b"\x80\x04damaged", "cannot be unpickled here"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, body: bytes, text: str) -> None:
    (tmp_path / "model").write_bytes(body)
    with pytest.raises(DeliveryError, match=text):
        packaging.package(tmp_path / "model", tmp_path / "model.tar.gz")


@pytest.fixture(scope="module")
def tour(service: Service, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Stage by stage, each as a command of its own; what each said."""
    folder = tmp_path_factory.mktemp("stages")
    said = {"folder": folder}
    for stage in ("train", "package", "upload", "deploy", "api", "call"):
        said[stage] = local_model(service, stage, "--folder", str(folder))
    return said


def test_item_3_to_7_the_stages_lead_to_an_endpoint(service: Service, tour: dict[str, Any]) -> None:
    assert "(pickle), predictions checked" in tour["package"] and "became multi:softprob" in tour["package"]
    uri = tour["upload"].strip()
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    archive = service.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert archive == (tour["folder"] / "model.tar.gz").read_bytes()
    assert "endpoint local-model-iris: InService" in tour["deploy"]
    sagemaker = service.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName="local-model-iris")["EndpointConfigName"]
    variant = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
    assert (variant["VariantName"], variant["InitialInstanceCount"]) == ("AllTraffic", 1)
    container = sagemaker.describe_model(ModelName=variant["ModelName"])["Containers"][0]
    assert (container["Image"], container["ModelDataUrl"]) == (f"{IMAGE}:3.0-5", uri)


def test_item_8_the_endpoint_answers_all_rows_with_probabilities(service: Service, tour: dict[str, Any]) -> None:
    body = (tour["folder"] / "test_point.csv").read_text()
    runtime = service.client("runtime.sagemaker")  # the old alias
    answer = runtime.invoke_endpoint(EndpointName="local-model-iris", ContentType="text/csv", Body=body)
    rows = [[float(cell) for cell in line.split(",")] for line in answer["Body"].read().decode().split()]
    with tarfile.open(tour["folder"] / "model.tar.gz") as tar:
        member: Any = tar.extractfile("xgboost-model")
        booster = xgboost.Booster(model_file=bytearray(member.read()))
    expected = booster.predict(xgboost.DMatrix(numpy.loadtxt(io.StringIO(body), delimiter=",")))
    assert rows == expected.tolist()


def test_item_9_the_functions_role_may_only_ask_the_endpoint(service: Service, tour: dict[str, Any]) -> None:
    iam = service.client("iam")
    policy = iam.get_role_policy(RoleName="local-model-iris-role", PolicyName="delivery")["PolicyDocument"]
    document = policy if isinstance(policy, dict) else json.loads(policy)
    [statement] = document["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sagemaker:InvokeEndpoint")
    assert statement["Resource"].endswith(":endpoint/local-model-iris")


def test_item_10_the_function_has_the_endpoints_name(service: Service, tour: dict[str, Any]) -> None:
    functions = service.client("lambda")
    configuration = functions.get_function(FunctionName="local-model-iris")["Configuration"]
    assert configuration["Environment"]["Variables"] == {"ENDPOINT_NAME": "local-model-iris"}
    payload = json.dumps({"data": ",".join(map(str, GOLDEN))})
    answer = functions.invoke(FunctionName="local-model-iris", Payload=payload)
    assert json.loads(answer["Payload"].read()) == "Setosa"


def test_item_11_the_function_needs_its_variable(tmp_path: Path) -> None:
    code = "import delivery.local_model.predict"
    environment = {name: value for name, value in os.environ.items() if name != "ENDPOINT_NAME"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "KeyError: 'ENDPOINT_NAME'" in done.stderr


def test_item_12_the_api_has_the_resource_the_method_and_the_stage(service: Service, tour: dict[str, Any]) -> None:
    apis = service.client("apigateway")
    [api] = [item for item in apis.get_rest_apis()["items"] if item["name"] == "local-model-iris"]
    resources = {item["path"]: item for item in apis.get_resources(restApiId=api["id"])["items"]}
    where = {"restApiId": api["id"], "resourceId": resources["/irisprediction"]["id"], "httpMethod": "POST"}
    integration = apis.get_integration(**where)
    assert (integration["type"], integration["httpMethod"]) == ("AWS", "POST")
    assert [item["stageName"] for item in apis.get_stages(restApiId=api["id"])["item"]] == ["test"]
    expected = f"https://{api['id']}.execute-api.us-east-1.amazonaws.com/test/irisprediction"
    assert tour["api"].startswith(f"POST {expected}\nWith curl:\n  curl -H 'Host: {urlsplit(expected).netloc}' ")


def post(service: Service, tour: dict[str, Any], body: bytes) -> tuple[int, Any]:
    """Asks the API on loopback with no AWS library at all; status and body."""
    identity = tour["api"].split("//")[1].split(".")[0]
    url = f"{service.url}/_aws/execute-api/{identity}/test/irisprediction"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_item_13_14_the_golden_row_is_a_setosa(service: Service, tour: dict[str, Any]) -> None:
    assert tour["call"] == "Setosa\n"
    cells = (tour["folder"] / "test_point.csv").read_text().splitlines()[4]
    assert post(service, tour, json.dumps({"data": cells}).encode()) == (200, "Setosa")
    assert local_model(service, "call", "6.3,2.8,5.1,1.5") in ("Versicolor\n", "Virginica\n")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "is expected"),
        ({"data": 5}, "is expected"),
        ({"data": "1,2"}, "4 numbers are expected, and not 2"),
        ({"data": "a,b,c,d"}, "could not convert"),
        ({"data": "1,2,3,nan"}, "not finite"),
    ],
)
def test_item_11_a_bad_request_is_the_clients(service: Service, tour: dict[str, Any], body: Any, text: str) -> None:
    status, answer = post(service, tour, json.dumps(body).encode())
    assert status == 400 and answer["message"].startswith("Bad request: ") and text in answer["message"]


def test_the_api_is_reached_by_the_curl_command_that_is_printed(tour: dict[str, Any]) -> None:
    """Outside of `exec`, where nobody knows the API's AWS name."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    words = shlex.split(tour["api"].splitlines()[2])
    done = subprocess.run([curl, "-sS", *words[1:]], capture_output=True, text=True, check=False)
    assert done.stdout == '"Setosa"', done.stderr


def test_a_bad_row_is_one_line_on_the_command_line(service: Service, tour: dict[str, Any]) -> None:
    said = local_model(service, "call", "1,2", fails=1)
    assert said == "local-model: the API returned status 400: Bad request: 4 numbers are expected, and not 2\n"


def test_every_stage_can_be_run_again(service: Service, tour: dict[str, Any]) -> None:
    folder = str(tour["folder"])
    assert local_model(service, "upload", "--folder", folder) == tour["upload"]
    assert "endpoint local-model-iris unchanged" in local_model(service, "deploy", "--folder", folder)
    assert local_model(service, "api", "--folder", folder) == tour["api"]
    assert local_model(service, "call", "--folder", folder) == "Setosa\n"


def test_a_stage_without_the_one_before_says_so(service: Service, tmp_path: Path) -> None:
    words = ("--name", "nothing", "--folder", str(tmp_path))
    assert "DEMO-local-xgboost-model: No such file" in local_model(service, "package", *words, fails=1)
    assert "model.tar.gz: No such file" in local_model(service, "upload", *words, fails=1)
    assert "nothing was uploaded for nothing yet" in local_model(service, "deploy", *words, fails=1)
    assert "there is no endpoint local-model-nothing" in local_model(service, "api", *words, fails=1)
    assert "there is no REST API local-model-nothing" in local_model(service, "call", *words, fails=1)


ORDER = ["endpoint", "endpoint configuration", "model", "Lambda function", "log group", "IAM role", "REST API",
         "S3 objects"]  # fmt: skip


def test_item_15_one_command_is_the_tour_and_nothing_billable_is_left(service: Service, tmp_path: Path) -> None:
    words = ("--name", "tour", "--folder", str(tmp_path))
    said = local_model(service, "tour", *words, "--clean-up")
    assert "\nSetosa\n" in said
    deleted = [line.removeprefix("deleted: ") for line in said.splitlines() if line.startswith("deleted: ")]
    assert [next(kind for kind in sorted(ORDER, key=len)[::-1] if line.startswith(kind)) for line in deleted] == ORDER
    assert local_model(service, "clean-up", *words) == (
        "There is nothing to clean up, and nothing that would be billed.\n"
    )
    sagemaker = service.client("sagemaker")
    assert sagemaker.list_endpoints(NameContains="local-model-tour")["Endpoints"] == []
    assert sagemaker.list_models(NameContains="local-model-tour")["Models"] == []
    functions = service.client("lambda").list_functions()["Functions"]
    assert "local-model-tour" not in [item["FunctionName"] for item in functions]
    groups = service.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/local-model-tour")
    assert groups["logGroups"] == []


SOURCE_FUNCTION = """
import os
import boto3
import json

ENDPOINT_NAME = os.environ['ENDPOINT_NAME']
runtime = boto3.client('runtime.sagemaker')

def lambda_handler(event, context):
    payload = event['data']
    response = runtime.invoke_endpoint(EndpointName=ENDPOINT_NAME, ContentType='text/csv', Body=payload)
    result = json.loads(response['Body'].read().decode())
    pred = [float(x) for x in result]
    return ['Setosa', 'Versicolor', 'Virginica'][pred.index(max(pred))]
"""


@pytest.mark.parametrize("tag", ["1.0-1"])
def test_the_sources_calls_work_as_they_stand(service: Service, trained: training.TrainingResult, tag: str) -> None:
    """Items 4 to 8 and 10: the notebook's and the console's calls, with an image tag of its time."""
    name = f"DEMO-local-xgboost-{tag.replace('.', '-')}"
    s3, sm_client = service.client("s3"), service.client("sagemaker")
    bucket = f"source-{tag.replace('.', '-')}"
    s3.create_bucket(Bucket=bucket)
    key = f"sagemaker/DEMO-xgboost-byo/{name}/model.tar.gz"
    booster = joblib.load(trained.model).get_booster()
    booster.set_param({"objective": "multi:softprob"})  # which the XGBoost of that time made of multi:softmax
    s3.put_object(Bucket=bucket, Key=key, Body=packaging.archive_of(bytes(booster.save_raw("deprecated"))))
    model_url = f"https://s3-us-east-1.amazonaws.com/{bucket}/{key}"
    primary_container = {"Image": f"{IMAGE}:{tag}-cpu-py3", "ModelDataUrl": model_url}
    sm_client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=primary_container)
    endpoint_config_name = f"DEMO-XGBoostEndpointConfig-{tag.replace('.', '-')}"
    sm_client.create_endpoint_config(
        EndpointConfigName=endpoint_config_name,
        ProductionVariants=[
            {
                "InstanceType": "ml.m4.xlarge",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1,
                "ModelName": name,
                "VariantName": "AllTraffic",
            }
        ],
    )
    sm_client.create_endpoint(EndpointName=name, EndpointConfigName=endpoint_config_name)
    status = "Creating"
    while status == "Creating":
        time.sleep(0.05)  # 60 in the notebook
        status = sm_client.describe_endpoint(EndpointName=name)["EndpointStatus"]
    assert status == "InService"
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("lambda_function.py", SOURCE_FUNCTION)
    functions = service.client("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.8",
        Role=ROLE,
        Handler="lambda_function.lambda_handler",
        Code={"ZipFile": zipped.getvalue()},
        Environment={"Variables": {"ENDPOINT_NAME": name}},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    answer = functions.invoke(FunctionName=name, Payload=json.dumps({"data": ",".join(map(str, GOLDEN))}))
    assert json.loads(answer["Payload"].read()) == "Setosa"
    missing = functions.invoke(FunctionName=name, Payload=b"{}")
    assert missing["FunctionError"] == "Unhandled"
    assert json.loads(missing["Payload"].read())["errorType"] == "KeyError"
    functions.delete_function(FunctionName=name)
    sm_client.delete_endpoint(EndpointName=name)


def test_help_shows_examples(service: Service) -> None:
    assert "local-model tour --clean-up" in local_model(service, "--help")
    assert "did you mean package?" in local_model(service, "pakage", fails=2)
