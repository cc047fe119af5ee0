"""REST APIs with unmodified boto3 to make them and plain HTTP clients to call them."""

from __future__ import annotations

import base64
import http.client
import io
import json
import tarfile

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from local_sagemaker.cli.exec import connection
from tests.integration.rest_apis import REGION, Api, function, refused, send
from tests.support import ROLE, SCIKIT_LEARN, Service, create_function

IRIS = """
import os, json, boto3
BUCKET = os.environ["BUCKET"]
def handler(event, context):
    row = [float(value) for value in event["data"].split(",")]
    stored = boto3.client("s3").get_object(Bucket=BUCKET, Key="classes.json")["Body"].read()
    return json.loads(stored)[int(row[2] > 2.5)]
"""
ECHO = "def handler(event, context): return {'statusCode': 200, 'body': __import__('json').dumps(event)}"


def test_the_whole_way_of_a_request(service: Service) -> None:
    """Client, API, function, another service, and back, as the iris tutorial builds it; then cleaned up."""
    s3, functions = service.client("s3"), service.client("lambda")
    s3.create_bucket(Bucket="iris-classes")
    s3.put_object(Bucket="iris-classes", Key="classes.json", Body=b'["Setosa", "Versicolor"]')
    variables = {"Variables": {"BUCKET": "iris-classes"}}
    arn = create_function(functions, "iris", IRIS, Runtime="python3.8", Environment=variables, Timeout=30)
    api = Api(service, "iris")
    where = api.method(api.resource("irisprediction"), "POST", **function(arn))
    assert send(api.url("/irisprediction"), "{}").status == 403, "not deployed"
    api.deploy()
    answer = send(api.url("/irisprediction"), '{"data": "5.1,3.3,1.7,0.5"}', Content_Type="application/json")
    assert (answer.status, answer.json) == (200, "Setosa")
    assert answer.headers["Content-Type"] == "application/json"
    missing = send(api.url("/irisprediction"), "{}")
    assert (missing.status, missing.json["errorType"]) == (200, "KeyError"), "as on AWS: no pattern, so still 200"
    api.response(where, "500", selectionPattern="'data'.*", responseTemplates={"application/json": '{"m": "bad"}'})
    assert send(api.url("/irisprediction"), "{}").status == 200, "a change needs a deployment"
    api.deploy()
    missing = send(api.url("/irisprediction"), "{}")
    assert (missing.status, missing.json) == (500, {"m": "bad"})
    assert send(api.url("/irisprediction"), "no json").status == 400
    functions.update_function_configuration(FunctionName="iris", Environment={"Variables": {}})
    at_import = send(api.url("/irisprediction"), '{"data": "1,1,1,1"}')
    assert at_import.json["errorMessage"] == "'BUCKET'"
    functions.delete_function(FunctionName="iris")
    gone = send(api.url("/irisprediction"), '{"data": "1,1,1,1"}')
    assert (gone.status, gone.json) == (500, {"message": "Internal server error"})
    service.client("logs").delete_log_group(logGroupName="/aws/lambda/iris")
    api.client.delete_rest_api(restApiId=api.id)
    assert send(api.url("/irisprediction"), "{}").status == 403
    assert refused(api.client.get_rest_api, restApiId=api.id)[0] == "NotFoundException"


def test_a_proxy_function_sees_the_request_and_says_the_answer(service: Service) -> None:
    arn = create_function(service.client("lambda"), "gateway-echo", ECHO, Timeout=30)
    api = Api(service, "proxy")
    item = api.resource("{id}", api.resource("items"))
    api.method(item, "ANY", **function(arn, "AWS_PROXY"))
    api.method(api.resource("{rest+}", api.resource("all")), "GET", **function(arn, "AWS_PROXY"))
    api.deploy(variables={"colour": "red"})
    answer = send(api.url("/items/a%20b?x=1&x=2&y="), '{"k": "ü"}', "PUT", Content_Type="application/json", X_My="v")
    event = answer.json
    assert event["resource"] == event["requestContext"]["resourcePath"] == "/items/{id}"
    assert (event["httpMethod"], event["path"]) == ("PUT", "/items/a%20b")
    assert event["pathParameters"] == {"id": "a b"}
    assert event["queryStringParameters"] == {"x": "2", "y": ""}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": [""]}
    assert (event["headers"]["Content-Type"], event["headers"]["X-My"]) == ("application/json", "v")
    assert (event["body"], event["isBase64Encoded"]) == ('{"k": "ü"}', False)
    assert event["stageVariables"] == {"colour": "red"}
    context = event["requestContext"]
    assert (context["stage"], context["apiId"], context["accountId"]) == ("test", api.id, "123456789012")
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    event = send(api.url("/all/b/c"), method="GET").json
    assert event["pathParameters"] == {"rest": "b/c"}
    assert (event["body"], event["queryStringParameters"]) == (None, None)


@pytest.mark.parametrize(
    ("name", "returned"),
    [
        ("no-status", "{'body': 'x'}"),
        ("dict-body", "{'statusCode': 200, 'body': {'a': 1}}"),
        ("text", "'just text'"),
        ("nothing", "None"),
        ("word", "{'statusCode': 'many', 'body': ''}"),
        ("raises", "1 / 0"),
        ("not-json", "{1, 2}"),
    ],
)
def test_a_malformed_proxy_answer_is_a_bad_gateway(service: Service, name: str, returned: str) -> None:
    arn = create_function(service.client("lambda"), f"bad-{name}", f"def handler(e, c): return {returned}", Timeout=30)
    api = Api(service, f"bad-{name}")
    api.method(api.root, "POST", **function(arn, "AWS_PROXY"))
    api.deploy()
    answer = send(api.url(""), "{}")
    assert (answer.status, answer.json) == (502, {"message": "Internal server error"})


def test_proxy_answers_have_their_status_headers_and_bytes(service: Service) -> None:
    data = base64.b64encode(bytes(range(256))).decode()
    code = (
        "def handler(e, c): return {'statusCode': 201, 'headers': {'Content-Type': 'image/png', 'X-A': 1},\n"
        f"  'multiValueHeaders': {{'X-B': ['1', '2']}}, 'isBase64Encoded': True, 'body': {data!r}}}"
    )
    arn = create_function(service.client("lambda"), "binary", code, Timeout=30)
    api = Api(service, "binary", binaryMediaTypes=["image/*"])
    api.method(api.root, "GET", **function(arn, "AWS_PROXY"))
    api.deploy()
    answer = send(api.url("/"), method="GET", Accept="image/png")
    assert (answer.status, answer.body) == (201, bytes(range(256)))
    assert (answer.headers["Content-Type"], answer.headers["X-A"], answer.headers["X-B"]) == ("image/png", "1", "1,2")


def test_what_a_function_says_of_the_connection_breaks_no_response(service: Service) -> None:
    code = "import json\ndef handler(event, context): return json.loads(event['body'])"
    api = Api(service, "connections")
    arn = create_function(service.client("lambda"), "connections", code, Timeout=30)
    api.method(api.root, "POST", **function(arn, "AWS_PROXY"))
    api.deploy()
    failed = (502, b'{"message": "Internal server error"}')
    for returned, right in (
        ({"headers": {"Content-Length": "50"}}, (200, b"text")),
        ({"headers": {"transfer-encoding": "chunked", "Connection": "close"}}, (200, b"text")),
        ({"statusCode": 304}, (304, b"")),
        ({"statusCode": 204}, (204, b"")),
        ({"statusCode": 100}, failed),
        ({"headers": {"x-a": "a\r\nb: c"}}, failed),
    ):
        answer = send(api.url("/"), json.dumps({"statusCode": 200, "body": "text", **returned}))
        assert (answer.status, answer.body) == right, returned


def test_a_slow_integration_times_out_and_a_slow_function_too(service: Service) -> None:
    code = "import time\ndef handler(event, context): time.sleep(event.get('sleep', 60))\n"
    arn = create_function(service.client("lambda"), "slow", code, Timeout=2)
    api = Api(service, "slow")
    api.method(api.resource("api"), "POST", **function(arn), timeoutInMillis=200)
    api.method(api.resource("function"), "POST", **function(arn))
    api.method(api.resource("proxy"), "POST", **function(arn, "AWS_PROXY"))
    api.deploy()
    answer = send(api.url("/api"), "{}")
    assert (answer.status, answer.json) == (504, {"message": "Endpoint request timed out"})
    answer = send(api.url("/function"), "{}")
    assert "Task timed out after 2.00 seconds" in answer.json["errorMessage"]
    assert send(api.url("/proxy"), "{}").status == 502


def test_who_is_let_in(service: Service) -> None:
    arn = create_function(service.client("lambda"), "signed", "def handler(e, c): return 'in'", Timeout=30)
    api = Api(service, "signed")
    api.method(api.resource("open"), "POST", **function(arn))
    api.method(api.resource("iam"), "POST", authorization="AWS_IAM", **function(arn))
    where = api.method(api.resource("key"), "POST", **function(arn))
    change = [{"op": "replace", "path": "/apiKeyRequired", "value": "true"}]
    api.client.update_method(**where, patchOperations=change)
    api.deploy()
    missing = (403, {"message": "Missing Authentication Token"})
    for path, verb in (("/nowhere", "POST"), ("/open", "GET"), ("/open/more", "POST"), ("/iam", "POST")):
        answer = send(api.url(path), "{}", verb)
        assert (answer.status, answer.json) == missing, path
        assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    for url in (api.url("/key"), api.url("/open", "other-stage"), api.url("/open").replace(api.id, "aaaaaaaaaa")):
        answer = send(url, "{}")
        assert (answer.status, answer.json) == (403, {"message": "Forbidden"}), url
    keys = connection(service.settings, service.description)
    credentials = boto3.Session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"]).get_credentials()
    request = AWSRequest("POST", api.url("/iam"), data=b"{}", headers={"Content-Type": "application/json"})
    SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
    signed = {name.replace("-", "_"): value for name, value in request.headers.items()}
    assert send(api.url("/iam"), b"{}", **signed).json == "in"
    assert send(api.url("/iam"), b'{"other": 1}', **signed).status == 403, "not what was signed"
    host, port = service.url.removeprefix("http://").split(":")
    client = http.client.HTTPConnection(host, int(port), timeout=30)
    client.request("POST", f"/_aws/execute-api/{api.id}/test/open", "{}", {"Host": "rebound.example"})
    assert client.getresponse().status == 403, "a name that a web page can have"
    client.close()


def test_payloads_have_a_limit(service: Service) -> None:
    api = Api(service, "large")
    api.method(api.root, "POST", type="MOCK", requestTemplates={"text/plain": '{"statusCode": 200}'})
    api.deploy()
    assert send(api.url("/"), b"x" * (10 * 1024 * 1024), Content_Type="text/plain").status == 200
    assert send(api.url("/"), b"x" * (10 * 1024 * 1024 + 1), Content_Type="text/plain").status == 413


INFERENCE = """
def model_fn(folder): return None
def input_fn(body, content_type): return [float(value) for value in body.split(",")]
def predict_fn(values, model): return sum(values)
def output_fn(total, accept): return str(total), "text/csv"
"""


def test_a_method_in_front_of_an_endpoint_without_a_function(service: Service) -> None:
    s3, sagemaker = service.client("s3"), service.client("sagemaker")
    s3.create_bucket(Bucket="direct-endpoint")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        entry = tarfile.TarInfo("code/inference.py")
        entry.size = len(INFERENCE)
        tar.addfile(entry, io.BytesIO(INFERENCE.encode()))
    s3.put_object(Bucket="direct-endpoint", Key="model.tar.gz", Body=archive.getvalue())
    program = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    container = {"Image": SCIKIT_LEARN, "ModelDataUrl": "s3://direct-endpoint/model.tar.gz", "Environment": program}
    sagemaker.create_model(ModelName="direct", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "v", "ModelName": "direct", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="direct", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="direct", EndpointConfigName="direct")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="direct", WaiterConfig={"Delay": 1})
    api = Api(service, "direct")
    where = {"restApiId": api.id, "resourceId": api.resource("{endpoint}"), "httpMethod": "POST"}
    api.client.put_method(**where, authorizationType="NONE", requestParameters={"method.request.path.endpoint": True})
    api.client.put_integration(
        **where,
        type="AWS",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{REGION}:runtime.sagemaker:path//endpoints/{{endpoint}}/invocations",
        requestParameters={
            "integration.request.path.endpoint": "method.request.path.endpoint",
            "integration.request.header.Content-Type": "'text/csv'",
        },
        requestTemplates={"application/json": "$input.path('$.data')"},
    )
    api.response(where)
    api.response(where, "400", selectionPattern="4\\d{2}")
    api.deploy()
    answer = send(api.url("/direct"), '{"data": "1,2,3.5"}')
    assert (answer.status, answer.body) == (200, b"6.5")
    missing = send(api.url("/nobody"), '{"data": "1"}')
    assert (missing.status, "nobody" in missing.json["message"]) == (400, True)
    _with_loops_and_overrides(api)
    sagemaker.delete_endpoint(EndpointName="direct")


def _with_loops_and_overrides(api: Api) -> None:
    """As AWS's post on SageMaker behind a REST API: a GET whose query becomes the rows, the answer written anew."""
    request = """#set( $items = $input.params("items") )
#set($context.requestOverride.header.Content-Type = "text/csv")
#set($context.requestOverride.path.endpoint = $input.params("name").toLowerCase())
#foreach( $item in $items.split("_") )
$item#if( $foreach.hasNext ),#end
#end"""
    response = """#set($total = $input.path("$"))
#if($total > 100)#set($context.responseOverride.status = 202)#set($context.responseOverride.header.X-Size = "big")#end
{"total": $total}"""
    where = {"restApiId": api.id, "resourceId": api.resource("{name}", api.resource("totals")), "httpMethod": "GET"}
    api.client.put_method(**where, authorizationType="NONE", requestParameters={"method.request.path.name": True})
    api.client.put_integration(
        **where,
        type="AWS",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{REGION}:runtime.sagemaker:path//endpoints/{{endpoint}}/invocations",
        requestTemplates={"application/json": request},
    )
    api.response(where, responseTemplates={"application/json": response})
    api.deploy()
    small = send(api.url("/totals/DIRECT?items=1_2_3.5"), method="GET")
    assert (small.status, small.json, small.headers["X-Size"]) == (200, {"total": 6.5}, None)
    big = send(api.url("/totals/Direct?items=99_2"), method="GET")
    assert (big.status, big.json, big.headers["X-Size"]) == (202, {"total": 101.0}, "big")
