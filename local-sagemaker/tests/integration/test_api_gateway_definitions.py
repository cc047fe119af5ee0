"""Definitions of REST APIs: mapping templates, mocks, stages and deployments, and what is refused."""

from __future__ import annotations

import sys

import pytest
from botocore.exceptions import ClientError

from tests.integration.rest_apis import REGION, Api, function, refused, send
from tests.support import Service, create_function


def test_mapping_templates_and_mocks(service: Service) -> None:
    arn = create_function(service.client("lambda"), "mapped", "def handler(event, context): return event", Timeout=30)
    api = Api(service, "mapped")
    template = """## what the function gets
#set($who = $input.params('who'))
{"data": $input.json('$.row'), "who": "$who", "first": $input.path('$.row')[0],
 "quoted": "$util.escapeJavaScript($who).replaceAll("\\\\'", "'")", "price": "\\$5", "c": "${stageVariables.colour}",
 "agent": "$input.params().header.get('X-Agent')", "stage": "$context.stage"}"""
    resource = api.resource("map")
    where = {"restApiId": api.id, "resourceId": resource, "httpMethod": "POST"}
    api.client.put_method(**where, authorizationType="NONE")
    api.client.put_integration(
        **where, **function(arn), requestTemplates={"application/json": template}, passthroughBehavior="NEVER"
    )
    api.client.put_method_response(
        **where, statusCode="200", responseParameters={"method.response.header.X-Who": False}
    )
    api.client.put_integration_response(
        **where,
        statusCode="200",
        responseTemplates={"application/json": '{"all": $input.json("$"), "path": "$context.resourcePath"}'},
        responseParameters={
            "method.response.header.X-Who": "integration.response.body.who",
            "method.response.header.X-Static": "'s'",
        },
    )
    options = api.method(resource, "OPTIONS", type="MOCK", requestTemplates={"application/json": '{"statusCode": 204}'})
    origin = {"method.response.header.Access-Control-Allow-Origin": "'*'"}
    api.response(options, "204", selectionPattern="204", responseParameters=origin)
    api.deploy(variables={"colour": "blue"})
    answer = send(
        api.url("/map?who=O'Neil"), '{"row": [1, 2]}', Content_Type="application/json; charset=utf-8", X_Agent="007"
    )
    mapped = {"data": [1, 2], "who": "O'Neil", "first": 1, "agent": "007", "stage": "test", "price": "$5", "c": "blue"}
    mapped["quoted"] = "O'Neil"
    assert answer.json == {"all": mapped, "path": "/map"}
    assert (answer.headers["X-Who"], answer.headers["X-Static"]) == ("O'Neil", "s")
    other = send(api.url("/map"), "<x/>", Content_Type="text/xml")
    assert (other.status, other.json) == (415, {"message": "Unsupported Media Type"})
    preflight = send(api.url("/map"), method="OPTIONS")
    assert (preflight.status, preflight.headers["Access-Control-Allow-Origin"]) == (204, "*")
    code, text = refused(
        api.client.put_integration,
        **where,
        **function(arn),
        requestTemplates={"application/json": "#foreach($x in $input.path('$'))$x"},
    )
    assert (code, "#foreach has no #end" in text) == ("BadRequestException", True)


def test_what_can_not_be_made_is_refused_in_the_words_of_aws(service: Service) -> None:
    api = Api(service, "refusals")
    client = api.client
    where = {"restApiId": api.id, "resourceId": api.root, "httpMethod": "GET"}
    message = "The REST API doesn't contain any methods"
    assert refused(client.create_deployment, restApiId=api.id) == ("BadRequestException", message)
    client.put_method(**where, authorizationType="NONE")
    assert refused(client.put_method, **where, authorizationType="NONE") == (
        "ConflictException",
        "Method already exists for this resource",
    )
    assert refused(client.create_deployment, restApiId=api.id)[1] == "No integration defined for method"
    assert "HTTP integrations" in refused(client.put_integration, **where, type="HTTP", uri="https://a.example")[1]
    other = {"type": "AWS", "integrationHttpMethod": "POST", "uri": "arn:aws:apigateway:us-east-1:sqs:path/1/q"}
    assert refused(client.put_integration, **where, **other)[0] == "BadRequestException"
    client.put_integration(**where, type="MOCK")
    assert refused(client.put_integration_response, **where, statusCode="200") == (
        "NotFoundException",
        "Invalid Response status code specified",
    )
    api.resource("twice")
    assert refused(client.create_resource, restApiId=api.id, parentId=api.root, pathPart="twice") == (
        "ConflictException",
        "Another resource with the same parent already has this name: twice",
    )
    deployment = api.deploy("s1")
    assert refused(client.create_stage, restApiId=api.id, stageName="s1", deploymentId=deployment) == (
        "ConflictException",
        "Stage already exists",
    )
    assert refused(client.delete_deployment, restApiId=api.id, deploymentId=deployment)[0] == "BadRequestException"
    client.delete_stage(restApiId=api.id, stageName="s1")
    client.delete_deployment(restApiId=api.id, deploymentId=deployment)
    message = f"Invalid API identifier specified 123456789012:{'x' * 10}"
    assert refused(client.get_rest_api, restApiId="x" * 10) == ("NotFoundException", message)


def test_stages_move_between_deployments_and_drafts_can_be_tried(service: Service) -> None:
    arn = create_function(service.client("lambda"), "staged", "def handler(e, c): return e", Timeout=30)
    api = Api(service, "staged")
    where = api.method(api.resource("x"), "POST", **function(arn))
    first = api.deploy("live")
    api.client.delete_method(**where)
    api.client.put_method(**where, authorizationType="NONE")
    api.client.put_integration(**where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    api.response(where, responseTemplates={"application/json": '"mocked"'})
    assert api.client.test_invoke_method(**where, body="{}")["body"] == '"mocked"'
    assert send(api.url("/x", "live"), "[1]").json == [1]
    second = api.deploy("live")
    assert send(api.url("/x", "live"), "[1]").json == "mocked"
    move = [{"op": "replace", "path": "/deploymentId", "value": first}]
    api.client.update_stage(restApiId=api.id, stageName="live", patchOperations=move)
    assert send(api.url("/x", "live"), "[1]").json == [1]
    listed = api.client.get_deployments(restApiId=api.id)["items"]
    assert [item["id"] for item in listed] == [first, second]
    stages = api.client.get_stages(restApiId=api.id)["item"]
    assert [(stage["stageName"], stage["deploymentId"]) for stage in stages] == [("live", first)]
    named = api.client.update_rest_api(
        restApiId=api.id, patchOperations=[{"op": "replace", "path": "/description", "value": "new"}]
    )
    assert named["description"] == "new"
    sizes = [{"op": "replace", "path": "/minimumCompressionSize", "value": "1024"}]
    sized = api.client.update_rest_api(restApiId=api.id, patchOperations=sizes)
    assert sized["minimumCompressionSize"] == 1024
    for value in ("-1", "10485761"):
        with pytest.raises(ClientError, match="must be between 0 and 10485760"):
            api.client.update_rest_api(restApiId=api.id, patchOperations=[{**sizes[0], "value": value}])
    off = [{"op": "replace", "path": "/minimumCompressionSize", "value": ""}]
    assert "minimumCompressionSize" not in api.client.update_rest_api(restApiId=api.id, patchOperations=off)
    for call, path, more in (
        (api.client.update_rest_api, "/apiKeySource", {}),
        (api.client.update_stage, "/accessLogSettings/format", {"stageName": "live"}),
    ):
        text = f"LocalUnsupported: the local service does not change '{path}'."
        change = [{"op": "replace", "path": path, "value": "x"}]
        assert refused(call, restApiId=api.id, patchOperations=change, **more) == ("BadRequestException", text)


def test_a_private_api_has_both_types_of_addresses(service: Service) -> None:
    client = service.client("apigateway")
    made = client.create_rest_api(name="inside", endpointConfiguration={"types": ["PRIVATE"]})
    assert made["endpointConfiguration"] == {"types": ["PRIVATE"], "ipAddressType": "dualstack"}
    four = {"types": ["PRIVATE"], "ipAddressType": "ipv4"}
    text = "Only dualstack ipAddressType is supported for Private APIs."
    assert refused(client.create_rest_api, name="x", endpointConfiguration=four) == ("BadRequestException", text)


BY_NAME = """
import sys, requests
print(requests.post(sys.argv[1], json={"a": 1}, timeout=60).json())
"""


def test_apis_survive_a_kill_and_have_their_aws_names(own_service: Service) -> None:
    arn = create_function(own_service.client("lambda"), "lasting", "def handler(e, c): return e", Timeout=30)
    api = Api(own_service, "lasting")
    api.method(api.resource("x"), "POST", **function(arn))
    api.deploy()
    own_service.kill()
    own_service.up()
    assert send(api.url("/x"), "[1]").json == [1]
    host = f"{api.id}.execute-api.{REGION}.amazonaws.com"
    done = own_service.run(sys.executable, "-c", BY_NAME, f"https://{host}/test/x", check=False)
    assert done.stdout.strip() == "{'a': 1}", done.stderr


def test_an_api_whose_endpoint_is_disabled_answers_nobody(service: Service) -> None:
    api = Api(service, "disabled", disableExecuteApiEndpoint=True)
    api.method(api.root, "GET", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    api.deploy()
    assert send(api.url("/"), method="GET").status == 403
    change = {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "false"}
    api.client.update_rest_api(restApiId=api.id, patchOperations=[change])
    assert send(api.url("/"), method="GET").status == 200
