"""Limits of the neighbours: what AWS refuses by size or number is refused here, in its words; what fits is taken."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.app import Application
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError
from tests.support import zipped

DAY = 24 * 3600.0
SYSTEM_TAGS = {f"aws:cloudformation:{name}": "v" for name in ("stack-name", "stack-id", "logical-id")}
"""Which do not count."""
SYSTEM_ROWS = [{"Key": key, "Value": value} for key, value in SYSTEM_TAGS.items()]


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    application = Application(Settings(home=Path(tmp_path_factory.mktemp("quotas"))), "http://127.0.0.1:1")
    yield application.call
    application.close()


def refuse(call: Any, operation: str, code: str, text: str, **request: Any) -> None:
    with pytest.raises(ServiceError) as refused:
        call(operation, request)
    assert (refused.value.code, text in refused.value.message) == (code, True), refused.value.message


def tags(count: int) -> dict[str, str]:
    return {f"k{number}": "v" for number in range(count)}


def test_what_uses_queues_topics_and_roles_loads_no_machines(tmp_path: Path) -> None:
    """moto's Parameter Store loads all of EC2: 115 MB, of which nothing is used before there are parameters."""
    script = (
        "import sys; from pathlib import Path; from local_sagemaker.app import Application; "
        "from local_sagemaker.config import Settings; "
        "one = Application(Settings(home=Path(sys.argv[1])), 'http://127.0.0.1:1'); "
        "[one.call(name, {}) for name in ('sqs:ListQueues', 'sns:ListTopics', 'iam:ListRoles', 'kms:ListKeys')]; "
        "print('moto.sqs.models' in sys.modules, 'moto.ec2' in sys.modules); one.close()"
    )
    command = [sys.executable, "-c", script, tmp_path]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True False\n"


def test_of_queues(call: Any) -> None:
    url = call("sqs:CreateQueue", {"QueueName": "q", "tags": tags(50)})["QueueUrl"]
    many = "Too many tags added for queue q."
    refuse(call, "sqs:TagQueue", "InvalidParameterValue", many, QueueUrl=url, Tags={"more": "v"})
    refuse(call, "sqs:CreateQueue", "InvalidParameterValue", "Too many tags", QueueName="r", tags=tags(51))
    call("sqs:TagQueue", {"QueueUrl": url, "Tags": {**tags(50), **SYSTEM_TAGS}})
    assert len(call("sqs:ListQueueTags", {"QueueUrl": url})["Tags"]) == 53
    refuse(call, "sqs:CreateQueue", "InvalidParameterValue", "Tag key", QueueName="r", tags={"k" * 129: "v"})
    refuse(call, "sqs:TagQueue", "InvalidParameterValue", "Tag value", QueueUrl=url, Tags={"k1": "v" * 257})
    call("sqs:TagQueue", {"QueueUrl": url, "Tags": {"k1": "v" * 256}})
    ten = {f"a{number}": {"DataType": "String", "StringValue": "v"} for number in range(10)}
    call("sqs:SendMessage", {"QueueUrl": url, "MessageBody": "\t\n\r ä \U0001f600", "MessageAttributes": ten})
    refuse(call, "sqs:SendMessage", "InvalidParameterValue", "attributes [11] exceeds the allowed maximum [10].",
           QueueUrl=url, MessageBody="m", MessageAttributes={**ten, "b": ten["a0"]})  # fmt: skip
    refuse(
        call, "sqs:SendMessage", "InvalidMessageContents", "outside the allowed set", QueueUrl=url, MessageBody="\x01"
    )


def test_of_topics(call: Any) -> None:
    arn = call("sns:CreateTopic", {"Name": "t"})["TopicArn"]
    rows = [{"Key": key, "Value": value} for key, value in tags(51).items()]
    refuse(call, "sns:CreateTopic", "TagLimitExceeded", "tag quota", Name="u", Tags=rows)
    tagged = call("sns:CreateTopic", {"Name": "tagged", "Tags": [*rows[:49], *SYSTEM_ROWS]})["TopicArn"]
    call("sns:TagResource", {"ResourceArn": tagged, "Tags": [rows[49], *SYSTEM_ROWS]})
    refuse(call, "sns:TagResource", "TagLimitExceeded", "tag quota", ResourceArn=tagged, Tags=rows[50:])
    assert len(call("sns:ListTagsForResource", {"ResourceArn": tagged})["Tags"]) == 53
    call("sns:SetTopicAttributes", {"TopicArn": arn, "AttributeName": "DisplayName", "AttributeValue": "d" * 100})
    refuse(call, "sns:SetTopicAttributes", "InvalidParameter", "Invalid parameter: DisplayName", TopicArn=arn,
           AttributeName="DisplayName", AttributeValue="d" * 101)  # fmt: skip
    refuse(call, "sns:CreateTopic", "InvalidParameter", "Invalid parameter: Attributes Reason: DisplayName", Name="v",
           Attributes={"DisplayName": "d" * 101})  # fmt: skip
    for subject in ("two\nlines", "a\x07b", "\u2028"):
        refuse(call, "sns:Publish", "InvalidParameter", "Invalid parameter: Subject", TopicArn=arn, Message="m",
               Subject=subject)  # fmt: skip
    for subject in ('One: "line".', "ä", " begins with a blank"):
        call("sns:Publish", {"TopicArn": arn, "Message": "m", "Subject": subject})


def policy(size: int) -> str:
    """A document with that many characters, beside its white space."""
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::"}],
    }
    text = json.dumps(document, indent=4)
    return text.replace(":::", ":::" + "b" * (size - len("".join(text.split()))))


def trust(size: int) -> str:
    condition = {"StringEquals": {"aws:SourceAccount": "PAD"}}
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole",
                 "Condition": condition}  # fmt: skip
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)
    return text.replace("PAD", "1" * (size + 3 - len("".join(text.split()))))


def test_of_roles_and_policies(call: Any) -> None:
    call("iam:CreateRole", {"RoleName": "r", "AssumeRolePolicyDocument": trust(2048)})
    refuse(call, "iam:CreateRole", "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", RoleName="s",
           AssumeRolePolicyDocument=trust(2049))  # fmt: skip
    refuse(call, "iam:UpdateAssumeRolePolicy", "LimitExceeded", "ACLSizePerRole", RoleName="r",
           PolicyDocument=trust(2049))  # fmt: skip
    call("iam:PutRolePolicy", {"RoleName": "r", "PolicyName": "one", "PolicyDocument": policy(5240)})
    call("iam:PutRolePolicy", {"RoleName": "r", "PolicyName": "two", "PolicyDocument": policy(5000)})
    refuse(call, "iam:PutRolePolicy", "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role r",
           RoleName="r", PolicyName="two", PolicyDocument=policy(5001))  # fmt: skip
    refuse(call, "iam:CreatePolicy", "LimitExceeded", "Cannot exceed quota for PolicySize: 6144", PolicyName="p",
           PolicyDocument=policy(6145))  # fmt: skip
    arns = [call("iam:CreatePolicy", {"PolicyName": f"p{n}", "PolicyDocument": policy(6144)})["Policy"]["Arn"]
            for n in range(11)]  # fmt: skip
    for arn in (*arns[:10], arns[0]):
        call("iam:AttachRolePolicy", {"RoleName": "r", "PolicyArn": arn})
    refuse(call, "iam:AttachRolePolicy", "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10", RoleName="r",
           PolicyArn=arns[10])  # fmt: skip


def test_of_parameters(call: Any) -> None:
    def put(name: str, value: str, **more: Any) -> dict[str, Any]:
        return {"Name": name, "Value": value, "Type": "String", **more}

    call("ssm:PutParameter", put("/" + "/".join("abcdefghijklmno"), "x" * 4096))
    call("ssm:PutParameter", put("/large", "x" * 8192, Tier="Advanced"))
    refuse(call, "ssm:PutParameter", "ValidationException", "a maximum parameter value of 4096 characters. To create",
           **put("/a", "x" * 4097))  # fmt: skip
    refuse(call, "ssm:PutParameter", "ValidationException", "of 8192", **put("/a", "x" * 8193, Tier="Advanced"))
    refuse(call, "ssm:PutParameter", "ValidationException", "3 symbols .-_", **put("/a b", "x"))
    refuse(call, "ssm:PutParameter", "HierarchyLevelLimitExceededException", "15 levels",
           **put("/" + "/".join("abcdefghijklmnop"), "x"))  # fmt: skip
    refuse(call, "ssm:PutParameter", "ParameterPatternMismatchException", "against allowedPattern: ^y+$",
           **put("/a", "x", AllowedPattern="^y+$"))  # fmt: skip

    rows = [{"Key": key, "Value": value} for key, value in tags(51).items()]
    parameter = {"ResourceType": "Parameter", "ResourceId": "/large"}
    call("ssm:AddTagsToResource", {**parameter, "Tags": rows[:50]})
    call("ssm:AddTagsToResource", {**parameter, "Tags": rows[:1]})
    call("ssm:AddTagsToResource", {**parameter, "Tags": SYSTEM_ROWS})
    refuse(call, "ssm:AddTagsToResource", "TooManyTagsError", "50 tags", **parameter, Tags=rows[50:])
    refuse(call, "ssm:PutParameter", "TooManyTagsError", "50 tags", **put("/tagged", "x", Tags=rows))


def test_of_metric_data(call: Any) -> None:
    def put(*data: dict[str, Any]) -> dict[str, Any]:
        return {"Namespace": "N", "MetricData": [{"MetricName": "m", **one} for one in data]}

    one = {"Value": 1.0}
    call("cloudwatch:PutMetricData", put(*[one] * 1000))
    call("cloudwatch:PutMetricData", put({**one, "Timestamp": now() - 13.9 * DAY}, {"Values": [1.0] * 150}))
    name, code = "cloudwatch:PutMetricData", "InvalidParameterValue"
    refuse(call, name, code, "MetricData must not have a size greater than 1000.", **put(*[one] * 1001))
    refuse(
        call, name, code, "member.2.Values must not have a size greater than 150.", **put(one, {"Values": [1.0] * 151})
    )
    late, early = {**one, "Timestamp": now() - 14.1 * DAY}, {**one, "Timestamp": now() + 0.1 * DAY}
    refuse(call, name, code, "MetricData.member.2.Timestamp must specify a time no more than two weeks in the past.",
           **put(one, late))  # fmt: skip
    refuse(call, name, code, "no more than two hours in the future.", **put(early))
    twice = [{"Name": "a", "Value": "1"}, {"Name": "a", "Value": "2"}]
    refuse(
        call, name, code, "No metric may specify the same dimension name twice.", **put({**one, "Dimensions": twice})
    )


def test_of_tags_of_functions(call: Any) -> None:
    request = {"Role": "arn:aws:iam::123456789012:role/r", "Runtime": "python3.12", "Handler": "i.h",
               "Code": {"ZipFile": zipped(i="def h(event, context): return 1")}}  # fmt: skip
    text = "Number of tags exceeds resource tag limit."
    refuse(call, "lambda:CreateFunction", "InvalidParameterValueException", text, FunctionName="many", **request,
           Tags=tags(51))  # fmt: skip
    arn = call("lambda:CreateFunction", {"FunctionName": "tags", **request, "Tags": {**tags(50), **SYSTEM_TAGS}})[
        "FunctionArn"
    ]
    call("lambda:TagResource", {"Resource": arn, "Tags": {"k1": "w"}})
    refuse(call, "lambda:TagResource", "InvalidParameterValueException", text, Resource=arn, Tags={"more": "v"})
    assert call("lambda:ListTags", {"Resource": arn})["Tags"] == {**tags(50), **SYSTEM_TAGS, "k1": "w"}


@pytest.mark.parametrize(
    ("member", "value", "bound"),
    [("Timeout", 901, "value less than or equal to 900"), ("MemorySize", 10_241, "value less than or equal to 10240"),
     ("FunctionName", "f" * 65, "length less than or equal to 64")],
)  # fmt: skip
def test_of_functions(call: Any, member: str, value: Any, bound: str) -> None:
    role = "arn:aws:iam::123456789012:role/r"
    request = {"FunctionName": "f", "Role": role, "Runtime": "python3.12", "Handler": "i.h", "Code": {"ZipFile": b"x"}}
    refuse(
        call, "lambda:CreateFunction", "ValidationException", f"Member must have {bound}", **{**request, member: value}
    )


def test_of_the_tags_of_roles_those_of_aws_do_not_count(call: Any) -> None:
    rows = [{"Key": key, "Value": value} for key, value in tags(51).items()]
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = {"RoleName": "tagged", "AssumeRolePolicyDocument": trust}
    refuse(call, "iam:CreateRole", "ValidationError", "", **role, Tags=rows)
    call("iam:CreateRole", {**role, "Tags": [*rows[:50], *SYSTEM_ROWS]})
    assert len(call("iam:ListRoleTags", {"RoleName": "tagged"})["Tags"]) == 53
