"""Lambda with unmodified boto3: functions run for real in processes of their own, and so do Lambda steps."""

from __future__ import annotations

import base64
import json
import re
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.images.libraries import catalogue, plan
from tests.support import ROLE, Service, create_function, until, zipped

COUNTING = """
import os, boto3
count = 0
def handler(event, context):
    global count
    count += 1
    print("event", event)
    identity = boto3.client("sts").get_caller_identity()
    return {"count": count, "account": identity["Account"], "setting": os.environ.get("SETTING"),
            "context": [context.function_name, context.function_version, context.memory_limit_in_mb,
                        context.log_group_name, context.invoked_function_arn, context.aws_request_id],
            "left": context.get_remaining_time_in_millis(), "root": os.environ["LAMBDA_TASK_ROOT"],
            "region": os.environ["AWS_REGION"]}
"""


def invoke(client: Any, name: str, event: Any = None, **options: Any) -> tuple[Any, dict[str, Any]]:
    """What a function returns, and the whole answer: JSON, as its header says."""
    answer = client.invoke(FunctionName=name, Payload=json.dumps({} if event is None else event), **options)
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/json"
    return json.loads(answer["Payload"].read()), answer


def refused(action: Any, **request: Any) -> tuple[str, str, int]:
    """Code, text and status of the error that a call gives."""
    with pytest.raises(ClientError) as raised:
        action(**request)
    error = raised.value.response
    return error["Error"]["Code"], error["Error"]["Message"], error["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def functions(service: Service) -> Any:
    return service.client("lambda")


def test_a_warm_function_keeps_its_globals_and_reaches_the_service(service: Service, functions: Any) -> None:
    arn = create_function(functions, "counting", COUNTING, Environment={"Variables": {"SETTING": "on"}}, Timeout=30)
    first, answer = invoke(functions, "counting", {"a": 1}, LogType="Tail")
    request = first["context"].pop()
    assert (first["count"], first["account"], first["setting"]) == (1, "123456789012", "on")
    assert first["context"] == ["counting", "$LATEST", "128", "/aws/lambda/counting", arn]
    assert 0 < first["left"] <= 30000
    assert first["region"] == "us-east-1"
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert re.match(
        f"START RequestId: {request} Version: \\$LATEST\nevent {{'a': 1}}\nEND RequestId: {request}\n", tail
    )
    assert re.search(r"REPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB", tail)
    assert invoke(functions, arn)[0]["count"] == 2
    logs = service.client("logs")
    stream = logs.describe_log_streams(logGroupName="/aws/lambda/counting")["logStreams"][0]["logStreamName"]
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
    events = logs.filter_log_events(logGroupName="/aws/lambda/counting", filterPattern="event")["events"]
    assert [event["message"] for event in events] == ["event {'a': 1}", "event {}"]
    logs.delete_log_group(logGroupName="/aws/lambda/counting")
    assert invoke(functions, "counting", {"b": 2})[0]["count"] == 3
    events = logs.filter_log_events(logGroupName="/aws/lambda/counting", filterPattern="event")["events"]
    assert [event["message"] for event in events] == ["event {'b': 2}"], "a deleted log group comes back"


RUNTIME = """
import importlib.util, sys
def handler(event, context):
    seen = [name for name in ("boto3", "pandas", "numpy", "moto", "starlette", "local_sagemaker", "uvloop",
                                 "sagemaker_xgboost_container")
            if importlib.util.find_spec(name)]
    return {"python": "%d.%d" % sys.version_info[:2], "seen": seen}
"""


@pytest.mark.parametrize("declared", ["python3.12", "python3.10"])
def test_a_function_has_the_python_of_its_runtime_and_the_sdk_alone(functions: Any, declared: str) -> None:
    create_function(functions, f"runtime-{declared[-2:]}", RUNTIME, Runtime=declared, Timeout=30)
    seen = invoke(functions, f"runtime-{declared[-2:]}")[0]
    image = catalogue.find(catalogue.FUNCTIONS, declared.removeprefix("python"))
    assert image
    assert seen == {"python": plan.make(image).interpreter.minor, "seen": ["boto3"]}


def test_updates_take_effect_at_once(functions: Any) -> None:
    create_function(functions, "changing", "def handler(event, context): return 1")
    assert invoke(functions, "changing")[0] == 1
    code = zipped(main="import os\ndef handler(event, context): return os.environ.get('XY', 2)")
    before = functions.get_function_configuration(FunctionName="changing")
    functions.update_function_code(FunctionName="changing", ZipFile=code)
    functions.get_waiter("function_updated_v2").wait(FunctionName="changing")
    assert invoke(functions, "changing")[0] == 2
    functions.update_function_configuration(FunctionName="changing", Environment={"Variables": {"XY": "three"}})
    assert invoke(functions, "changing")[0] == "three"
    after = functions.get_function_configuration(FunctionName="changing")
    assert after["CodeSha256"] != before["CodeSha256"]
    assert after["RevisionId"] != before["RevisionId"]
    stale = refused(
        functions.update_function_configuration, FunctionName="changing", Timeout=5, RevisionId=before["RevisionId"]
    )
    assert stale[0] == "PreconditionFailedException"


@pytest.mark.parametrize(
    ("name", "code", "options", "kind", "message"),
    [
        ("missing-key", "def handler(e, c): return e['data']", {}, "KeyError", "'data'"),
        ("no-variable", "import os\nX = os.environ['ENDPOINT_NAME']", {}, "KeyError", "'ENDPOINT_NAME'"),
        (
            "no-module",
            "import nowhere_to_be_found",
            {},
            "Runtime.ImportModuleError",
            "Unable to import module 'main': No module named 'nowhere_to_be_found'",
        ),
        ("no-handler", "x = 1", {}, "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'main'"),
        ("bad-syntax", "def handler(:", {}, "Runtime.UserCodeSyntaxError", r"Syntax error in module 'main': .*"),
        (
            "bad-name",
            "x = 1",
            {"Handler": "main"},
            "Runtime.MalformedHandlerName",
            "Bad handler 'main': not enough values to unpack",
        ),
        (
            "not-json",
            "def handler(e, c): return {1, 2}",
            {},
            "Runtime.MarshalError",
            "Unable to marshal response: Object of type set is not JSON serializable",
        ),
        (
            "too-slow",
            "import time\ndef handler(e, c): time.sleep(60)",
            {"Timeout": 1},
            "Sandbox.Timedout",
            r"RequestId: \S{36} Error: Task timed out after 1\.00 seconds",
        ),
        (
            "exits",
            "import sys\ndef handler(e, c): sys.exit(3)",
            {},
            "Runtime.ExitError",
            r"RequestId: \S{36} Error: Runtime exited with error: exit status 3",
        ),
        (
            "crashes",
            "import os\ndef handler(e, c): os.kill(os.getpid(), 9)",
            {},
            "Runtime.ExitError",
            r"RequestId: \S{36} Error: Runtime exited with error: signal: killed",
        ),
        (
            "too-much",
            "def handler(e, c): return 'x' * 6291557",
            {"Timeout": 20},
            "Function.ResponseSizeTooLarge",
            r"Response payload size .* exceeded maximum allowed payload size \(6291556 bytes\)\.",
        ),
    ],
)
def test_what_goes_wrong_in_a_function_is_an_answer(
    functions: Any, name: str, code: str, options: dict[str, Any], kind: str, message: str
) -> None:
    create_function(functions, name, code, **options)
    for _ in range(2):  # the same again: a broken process serves nobody else
        error, answer = invoke(functions, name)
        assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
        assert error["errorType"] == kind
        assert re.fullmatch(message, error["errorMessage"]), error
        if kind == "KeyError":
            assert any("/main.py" in line for line in error["stackTrace"]), error


def test_concurrent_invocations_have_processes_of_their_own(functions: Any) -> None:
    code = (
        "import time, uuid\nNAME = uuid.uuid4().hex\ndef handler(event, context):\n    time.sleep(0.5)\n    return NAME"
    )
    create_function(functions, "parallel", code, Timeout=60)
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(invoke(functions, "parallel")[0])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 4


def test_modules_of_the_function_win_over_those_of_the_service(functions: Any) -> None:
    files = {
        "main": "import botocore, pandas\ndef handler(event, context): return [botocore.OWN, pandas.OWN]",
        "botocore": "OWN = 'mine'",
        "pandas": "OWN = 'mine, too'",
    }
    functions.create_function(
        FunctionName="own-modules",
        Runtime="python3.9",
        Role=ROLE,
        Handler="main.handler",
        Timeout=30,
        Code={"ZipFile": zipped(**files)},
    )
    assert invoke(functions, "own-modules")[0] == ["mine", "mine, too"]


def test_code_from_s3(service: Service, functions: Any) -> None:
    s3 = service.client("s3")
    s3.create_bucket(Bucket="function-code")
    s3.put_object(Bucket="function-code", Key="a.zip", Body=zipped(main="def handler(e, c): return 's3'"))
    given = {"Runtime": "python3.12", "Role": ROLE, "Handler": "main.handler"}
    source = {"S3Bucket": "function-code", "S3Key": "a.zip"}
    functions.create_function(FunctionName="from-s3", Code=source, **given)
    assert invoke(functions, "from-s3")[0] == "s3"
    code, message, status = refused(
        functions.create_function, FunctionName="x", Code={**source, "S3Key": "no.zip"}, **given
    )
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert "S3 Error Code: NoSuchKey" in message


def test_refusals_have_the_texts_of_aws(functions: Any) -> None:
    create_function(functions, "there", "def handler(e, c): return e")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:not-there"
    assert refused(functions.invoke, FunctionName="not-there") == (
        "ResourceNotFoundException",
        f"Function not found: {arn}",
        404,
    )
    assert refused(functions.get_function, FunctionName=arn)[1] == f"Function not found: {arn}"
    given = {"Runtime": "python3.12", "Role": ROLE, "Handler": "main.handler", "Code": {"ZipFile": zipped(main="")}}
    assert refused(functions.create_function, FunctionName="there", **given) == (
        "ResourceConflictException",
        "Function already exist: there",
        409,
    )
    assert refused(functions.create_function, FunctionName="n", **{**given, "Runtime": "nodejs20.x"})[0] == (
        "InvalidParameterValueException"
    )
    assert (
        "Could not unzip"
        in refused(functions.create_function, FunctionName="n", **{**given, "Code": {"ZipFile": b"no"}})[1]
    )
    reserved = refused(
        functions.create_function, FunctionName="n", Environment={"Variables": {"AWS_REGION": "eu-west-1"}}, **given
    )
    assert "Reserved keys used in this request: AWS_REGION" in reserved[1]
    assert refused(functions.invoke, FunctionName="there", Payload=b"{no")[0] == "InvalidRequestContentException"
    large = json.dumps("x" * (6 * 1024 * 1024)).encode()
    assert refused(functions.invoke, FunctionName="there", Payload=large)[::2] == ("RequestTooLargeException", 413)
    assert len(invoke(functions, "there", "x" * (6 * 1024 * 1024 - 2))[0]) == 6 * 1024 * 1024 - 2
    event = json.dumps("x" * (1024 * 1024)).encode()
    asynchronous = refused(functions.invoke, FunctionName="there", InvocationType="Event", Payload=event)
    assert asynchronous[0] == "RequestTooLargeException"
    assert functions.invoke(FunctionName="there", InvocationType="DryRun")["StatusCode"] == 204


def test_arns_of_functions_and_versions(functions: Any) -> None:
    settings = {"Runtime": "python3.12", "Handler": "main.handler", "Code": {"ZipFile": zipped(main="")}}
    made = functions.create_function(FunctionName="named", Role=ROLE, Publish=True, **settings)
    assert (made["FunctionArn"].rpartition(":")[2], made["Version"]) == ("named", "1")
    rows = functions.get_paginator("list_functions").paginate(FunctionVersion="ALL").search("Functions[]")
    arns = [row["FunctionArn"].rpartition("function:")[2] for row in rows if row["FunctionName"] == "named"]
    assert arns == ["named:$LATEST", "named:1"]
    other = ROLE.replace("123456789012", "210987654321")
    denied = refused(functions.create_function, FunctionName="x", Role=other, **settings)
    assert denied[:2] == ("AccessDeniedException", "Cross-account pass role is not allowed.")


def test_versions_and_aliases_stay_what_they_were(functions: Any) -> None:
    create_function(functions, "versioned", "def handler(e, c): return [1, c.function_version]")
    one = functions.publish_version(FunctionName="versioned")
    assert one["Version"] == functions.publish_version(FunctionName="versioned")["Version"] == "1"
    functions.update_function_code(FunctionName="versioned", ZipFile=zipped(main="def handler(e, c): return 2"))
    functions.create_alias(FunctionName="versioned", Name="live", FunctionVersion="1")
    assert invoke(functions, "versioned")[0] == 2
    assert invoke(functions, "versioned", Qualifier="live")[0] == [1, "1"]
    assert invoke(functions, one["FunctionArn"])[0] == [1, "1"]
    for change in (functions.update_alias, functions.publish_version):
        named = {"Name": "live", "FunctionVersion": "1"} if change == functions.update_alias else {}
        code, _, _ = refused(change, FunctionName="versioned", RevisionId="another", **named)
        assert code == "PreconditionFailedException"
    functions.update_alias(FunctionName="versioned", Name="live", FunctionVersion="$LATEST")
    assert invoke(functions, "versioned:live")[0] == 2
    listed = functions.list_versions_by_function(FunctionName="versioned")["Versions"]
    assert [version["Version"] for version in listed] == ["$LATEST", "1"]
    functions.delete_function(FunctionName="versioned")
    assert refused(functions.invoke, FunctionName="versioned", Qualifier="1")[0] == "ResourceNotFoundException"


def test_how_events_are_tried_is_said_by_version(functions: Any) -> None:
    """Shapes and texts as recorded of AWS."""
    create_function(functions, "tried", "def handler(event, context): return 1")
    name = {"FunctionName": "tried"}
    with pytest.raises(ClientError, match=r"function:tried:\$LATEST doesn't have an EventInvokeConfig"):
        functions.get_function_event_invoke_config(**name)
    with pytest.raises(ClientError, match="You must specify at least one of error handling or destination"):
        functions.put_function_event_invoke_config(**name)
    put = functions.put_function_event_invoke_config(**name, MaximumRetryAttempts=0)
    assert put["FunctionArn"].endswith(":function:tried:$LATEST")
    assert (put["MaximumRetryAttempts"], "MaximumEventAgeInSeconds" in put) == (0, False)
    functions.update_function_event_invoke_config(**name, MaximumEventAgeInSeconds=60)
    version = functions.publish_version(**name)["Version"]
    functions.put_function_event_invoke_config(**name, Qualifier=version, MaximumEventAgeInSeconds=90)
    rows = functions.list_function_event_invoke_configs(**name)["FunctionEventInvokeConfigs"]
    found = [(row.get("MaximumRetryAttempts"), row["MaximumEventAgeInSeconds"]) for row in rows]
    assert found == [(0, 60), (None, 90)]
    functions.delete_function_event_invoke_config(**name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        functions.delete_function_event_invoke_config(**name)


def test_permissions_and_tags_are_kept(functions: Any) -> None:
    arn = create_function(functions, "permitted", "def handler(e, c): return 1", Tags={"a": "b"})
    statement = functions.add_permission(
        FunctionName="permitted",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn="arn:aws:execute-api:us-east-1:123456789012:abc/*",
    )["Statement"]
    policy = json.loads(functions.get_policy(FunctionName="permitted")["Policy"])
    assert policy["Statement"] == [json.loads(statement)]
    assert policy["Statement"][0]["Principal"] == {"Service": "apigateway.amazonaws.com"}
    statement = functions.add_permission(
        FunctionName="permitted", StatementId="org", Action="lambda:InvokeFunctionUrl", Principal="*",
        PrincipalOrgID="o-a1b2c3d4e5", FunctionUrlAuthType="NONE", InvokedViaFunctionUrl=True,
    )["Statement"]  # fmt: skip
    assert json.loads(statement)["Condition"] == {
        "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "lambda:FunctionUrlAuthType": "NONE"},
        "Bool": {"lambda:InvokedViaFunctionUrl": "true"},
    }
    functions.remove_permission(FunctionName="permitted", StatementId="org")
    functions.remove_permission(FunctionName="permitted", StatementId="api")
    assert refused(functions.get_policy, FunctionName="permitted")[0] == "ResourceNotFoundException"
    functions.tag_resource(Resource=arn, Tags={"c": "d"})
    functions.untag_resource(Resource=arn, TagKeys=["a"])
    assert functions.list_tags(Resource=arn)["Tags"] == {"c": "d"}


def test_what_was_acknowledged_survives_a_kill(own_service: Service) -> None:
    functions, s3 = own_service.client("lambda"), own_service.client("s3")
    for bucket in ("events", "signals"):
        s3.create_bucket(Bucket=bucket)
    code = (
        "import boto3, time\n"
        "s3 = boto3.client('s3')\n"
        "def handler(event, context):\n"
        "    while event['wait'] and s3.list_objects_v2(Bucket='signals')['KeyCount'] == 0: time.sleep(0.05)\n"
        "    s3.put_object(Bucket='events', Key=event['key'])\n"
    )
    create_function(functions, "later", code, Timeout=120)
    event = json.dumps({"key": "first", "wait": False})
    assert functions.invoke(FunctionName="later", InvocationType="Event", Payload=event)["StatusCode"] == 202
    until(lambda: s3.list_objects_v2(Bucket="events")["KeyCount"] == 1, "the first event was run", 240)
    for number in range(12):  # more than run at once
        event = json.dumps({"key": f"waiting-{number}", "wait": True})
        functions.invoke(FunctionName="later", InvocationType="Event", Payload=event)
    own_service.kill()
    own_service.up()
    functions, s3 = own_service.client("lambda"), own_service.client("s3")
    s3.put_object(Bucket="signals", Key="go")
    until(lambda: s3.list_objects_v2(Bucket="events")["KeyCount"] == 13, "all events were run", 240)
    assert functions.get_function(FunctionName="later")["Configuration"]["State"] == "Active"
    assert invoke(functions, "later", {"key": "again", "wait": False})[0] is None


SDK = """
import json, sys
from sagemaker.core.lambda_helper import Lambda
made = Lambda(function_name="by-sdk", execution_role_arn=sys.argv[2], script=sys.argv[1], handler="main.handler")
first = made.upsert()
second = made.upsert()
assert first["FunctionArn"] == second["FunctionArn"], (first, second)
answer = made.invoke()
print(json.dumps([first["Runtime"], json.loads(answer["Payload"].read())]))
made.delete()
"""


def test_the_sdks_lambda_class_works_unmodified(service: Service, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("def handler(event, context): return 'from the SDK'")
    done = service.run(sys.executable, "-c", SDK, str(tmp_path / "main.py"), ROLE, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == ["python3.8", "from the SDK"]
