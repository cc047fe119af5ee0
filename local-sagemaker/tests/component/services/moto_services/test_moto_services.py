"""The neighbours, spoken to by unmodified boto3 clients over a real socket."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.http import RawRequest
from local_sagemaker.services.moto_services.journal import RequestJournal
from tests.component.services.moto_services.bridge import ACCOUNT, Bridge, Client

ROLE = "LocalSageMakerRole"
VERSION = {"Version": "2012-10-17"}
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def decisions(answer: dict[str, Any]) -> dict[str, str]:
    return {result["EvalActionName"]: result["EvalDecision"] for result in answer["EvaluationResults"]}


def test_the_caller_has_assumed_a_role_that_exists_and_trusts_sagemaker(client: Client) -> None:
    identity = client("sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/local-sagemaker"
    assert identity["Account"] == ACCOUNT
    role = client("iam").get_role(RoleName=ROLE)["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
    assert identity["UserId"] == f"{role['RoleId']}:local-sagemaker"
    trusted = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
    assert "sagemaker.amazonaws.com" in trusted
    attached = client("iam").list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonSageMakerFullAccess"]


def test_roles_and_policies_survive_a_restart_with_their_ids(bridge: Bridge, client: Client) -> None:
    assert not bridge.moto_services.has_state()
    iam = client("iam")
    document = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    )
    made = iam.create_role(RoleName="mine", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "a", "Value": "ä&b"}])["Role"]
    policy = iam.create_policy(PolicyName="p", PolicyDocument=document)["Policy"]
    iam.attach_role_policy(RoleName="mine", PolicyArn=policy["Arn"])
    iam.attach_role_policy(RoleName="mine", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    iam.put_role_policy(RoleName="mine", PolicyName="inline", PolicyDocument=document)
    iam.create_role(RoleName="gone", AssumeRolePolicyDocument=TRUST)
    iam.delete_role(RoleName="gone")
    with pytest.raises(ClientError):
        iam.create_role(RoleName="mine", AssumeRolePolicyDocument=TRUST)
    bridge.restart()
    assert bridge.moto_services.has_state()
    found = iam.get_role(RoleName="mine")["Role"]
    assert (found["RoleId"], found["Arn"], found["Tags"]) == (made["RoleId"], made["Arn"], made["Tags"])
    assert iam.get_policy(PolicyArn=policy["Arn"])["Policy"]["PolicyId"] == policy["PolicyId"]
    attached = iam.list_attached_role_policies(RoleName="mine")["AttachedPolicies"]
    assert {one["PolicyName"] for one in attached} == {"p", "AmazonS3ReadOnlyAccess"}
    assert iam.list_role_policies(RoleName="mine")["PolicyNames"] == ["inline"]
    with pytest.raises(iam.exceptions.NoSuchEntityException, match=r"The role with name gone cannot be found\."):
        iam.get_role(RoleName="gone")


def test_ids_are_not_predictable_from_what_was_replayed(bridge: Bridge, client: Client) -> None:
    iam = client("iam")
    first = iam.create_role(RoleName="a", AssumeRolePolicyDocument=TRUST)["Role"]["RoleId"]
    bridge.restart()
    second = iam.create_role(RoleName="b", AssumeRolePolicyDocument=TRUST)["Role"]["RoleId"]
    assert first != second


def test_the_permissions_of_the_callers_role_suffice(client: Client) -> None:
    answer = client("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/{ROLE}",
        ActionNames=["sagemaker:CreateTrainingJob", "s3:PutObject", "iam:PassRole"],
    )
    assert set(decisions(answer).values()) == {"allowed"}


def test_a_weak_role_lacks_what_its_policies_do_not_allow(client: Client) -> None:
    iam = client("iam")
    iam.create_role(RoleName="weak", AssumeRolePolicyDocument=TRUST)
    arn = f"arn:aws:iam::{ACCOUNT}:role/weak"
    actions = ["s3:GetObject", "s3:PutObject", "sagemaker:CreateModel"]
    answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=actions)
    assert set(decisions(answer).values()) == {"implicitDeny"}
    iam.attach_role_policy(RoleName="weak", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    deny = {"Statement": {"Effect": "Deny", "Action": "s3:Put*", "Resource": "*"}}
    iam.put_role_policy(
        RoleName="weak", PolicyName="no-writes", PolicyDocument=json.dumps({"Version": "2012-10-17", **deny})
    )
    answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=actions)
    assert decisions(answer) == {
        "s3:GetObject": "allowed",
        "s3:PutObject": "explicitDeny",
        "sagemaker:CreateModel": "implicitDeny",
    }
    paged = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=arn, ActionNames=actions, PaginationConfig={"PageSize": 1}
    )
    pages = [result["EvalActionName"] for page in paged for result in page["EvaluationResults"]]
    assert pages == actions


def test_a_permissions_boundary_limits(client: Client) -> None:
    iam = client("iam")
    limit = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
    boundary = iam.create_policy(PolicyName="limit", PolicyDocument=json.dumps(limit))["Policy"]["Arn"]
    iam.create_role(RoleName="bounded", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=boundary)
    iam.attach_role_policy(RoleName="bounded", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    answer = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/bounded", ActionNames=["s3:GetObject", "s3:PutObject"]
    )
    assert decisions(answer) == {"s3:GetObject": "allowed", "s3:PutObject": "implicitDeny"}
    within = [one["PermissionsBoundaryDecisionDetail"] for one in answer["EvaluationResults"]]
    assert within == [{"AllowedByPermissionsBoundary": True}, {"AllowedByPermissionsBoundary": False}]


def test_users_have_their_groups_policies(client: Client) -> None:
    iam = client("iam")
    iam.create_user(UserName="ann")
    iam.create_group(GroupName="readers")
    iam.add_user_to_group(GroupName="readers", UserName="ann")
    iam.attach_group_policy(GroupName="readers", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    answer = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/ann", ActionNames=["s3:GetObject", "s3:DeleteObject"]
    )
    assert decisions(answer) == {"s3:GetObject": "allowed", "s3:DeleteObject": "implicitDeny"}


def test_simulating_nobody_is_no_such_entity(client: Client) -> None:
    iam = client("iam")
    with pytest.raises(iam.exceptions.NoSuchEntityException, match="The role with name nobody cannot be found"):
        iam.simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/nobody", ActionNames=["s3:GetObject"]
        )
    with pytest.raises(iam.exceptions.InvalidInputException, match="does not clearly define entity type"):
        iam.simulate_principal_policy(
            PolicySourceArn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/x", ActionNames=["s3:GetObject"]
        )


def test_custom_policies_are_simulated_with_context(client: Client) -> None:
    document = {
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": "*",
                "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            }
        ]
    }
    asked = {"PolicyInputList": [json.dumps(document)], "ActionNames": ["iam:PassRole"]}
    without = client("iam").simulate_custom_policy(**asked)["EvaluationResults"][0]
    assert (without["EvalDecision"], without["MissingContextValues"]) == ("implicitDeny", ["iam:PassedToService"])
    entry = {
        "ContextKeyName": "iam:PassedToService",
        "ContextKeyValues": ["sagemaker.amazonaws.com"],
        "ContextKeyType": "string",
    }
    answer = client("iam").simulate_custom_policy(**asked, ContextEntries=[entry])
    assert decisions(answer) == {"iam:PassRole": "allowed"}


def test_assumed_roles_get_keys_that_are_remembered(bridge: Bridge, client: Client) -> None:
    answer = client("sts").assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{ROLE}", RoleSessionName="me")
    keys = answer["Credentials"]
    issued = (keys["SecretAccessKey"], keys["SessionToken"], keys["Expiration"].timestamp())
    assert bridge.keys.issued == {keys["AccessKeyId"]: issued}
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/me"
    bridge.restart()
    assert client("sts", keys["AccessKeyId"]).get_caller_identity()["Arn"] == answer["AssumedRoleUser"]["Arn"]


def test_roles_that_do_not_trust_the_caller_cannot_be_assumed(client: Client) -> None:
    client("iam").create_role(RoleName="closed", AssumeRolePolicyDocument=TRUST)
    for name in ("closed", "absent"):
        with pytest.raises(ClientError) as error:
            client("sts").assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{name}", RoleSessionName="me")
        assert error.value.response["Error"]["Code"] == "AccessDenied"
        assert f"is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::{ACCOUNT}:role/{name}" in str(
            error.value
        )


def test_users_keys_are_let_in(bridge: Bridge, client: Client) -> None:
    client("iam").create_user(UserName="bob")
    key = client("iam").create_access_key(UserName="bob")["AccessKey"]
    assert bridge.keys.issued[key["AccessKeyId"]] == (key["SecretAccessKey"], None, None)
    identity = client("sts", key["AccessKeyId"]).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/bob"
    bridge.restart()
    listed = client("iam").list_access_keys(UserName="bob")["AccessKeyMetadata"]
    assert [one["AccessKeyId"] for one in listed] == [key["AccessKeyId"]]


def test_an_http_endpoint_confirms_its_subscription_once_and_stays_confirmed(bridge: Bridge, client: Client) -> None:
    topics = client("sns")
    topic = topics.create_topic(Name="confirmed")["TopicArn"]
    request = {"TopicArn": topic, "Protocol": "http", "Endpoint": "http://127.0.0.1:9/"}
    assert topics.subscribe(**request)["SubscriptionArn"] == "pending confirmation"
    arn = topics.subscribe(ReturnSubscriptionArn=True, **request)["SubscriptionArn"]

    def listed() -> list[str]:
        return [row["SubscriptionArn"] for row in topics.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]]

    assert listed() == ["PendingConfirmation"]
    topics.publish(TopicArn=topic, Message="nobody receives it")
    sent = [body for region in bridge.records.regions() for body in bridge.records.of(region).list("topic-delivery")]
    assert {body["body"]["Type"] for body in sent} == {"SubscriptionConfirmation"}
    bridge.restart()
    with pytest.raises(ClientError, match="Token"):
        topics.confirm_subscription(TopicArn=topic, Token="another")
    token = sent[0]["body"]["Token"]
    assert topics.confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"] == arn
    bridge.restart()
    assert listed() == [arn]
    again = [body for region in bridge.records.regions() for body in bridge.records.of(region).list("topic-delivery")]
    assert again == sent, "a restart sends nothing again"


def test_queues_topics_alarms_schedules_and_secrets_survive(bridge: Bridge, client: Client) -> None:
    queue = client("sqs").create_queue(QueueName="callbacks")["QueueUrl"]
    topic = client("sns").create_topic(Name="drift")["TopicArn"]
    client("ecr").create_repository(repositoryName="images")
    secret = client("secretsmanager").create_secret(Name="token", SecretString="x")["ARN"]
    client("cloudwatch").put_metric_alarm(
        AlarmName="drift",
        MetricName="m",
        Namespace="n",
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=1,
        Period=60,
        Statistic="Average",
    )
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    bridge.restart()
    assert client("sqs").get_queue_url(QueueName="callbacks")["QueueUrl"] == queue
    assert [one["TopicArn"] for one in client("sns").list_topics()["Topics"]] == [topic]
    assert client("ecr").describe_repositories()["repositories"][0]["repositoryName"] == "images"
    assert client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"] == "x"
    assert client("cloudwatch").describe_alarms()["MetricAlarms"][0]["AlarmName"] == "drift"
    assert client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyId"] == key


def test_what_another_version_took_and_this_one_refuses_survives_a_restart(bridge: Bridge, client: Client) -> None:
    client("sqs").create_queue(QueueName="today")  # moto is changed from here on
    journal = RequestJournal(bridge.records)
    for name, attributes in {"unknown": {"Foo": "1"}, "range": {"VisibilityTimeout": "43201"}}.items():
        target = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.CreateQueue"}
        body = json.dumps({"QueueName": name, "Attributes": attributes}).encode()
        journal.add("sqs", RawRequest("POST", "/", "", target, body), 1)
    topic = {"Name": "unknown", "Attributes.entry.1.key": "Foo", "Attributes.entry.1.value": "1"}
    journal.add("sns", _form("CreateTopic", topic), 2)
    alarm = {"MetricName": "m", "Namespace": "n", "EvaluationPeriods": 1, "Threshold": 1, "Statistic": "Sum",
             "ComparisonOperator": "GreaterThanThreshold"}  # fmt: skip
    journal.add("monitoring", _form("PutMetricAlarm", {**alarm, "AlarmName": "period", "Period": 61}), 3)
    points = {"Period": 60, "DatapointsToAlarm": 2}
    journal.add("monitoring", _form("PutMetricAlarm", {**alarm, "AlarmName": "points", **points}), 4)
    bridge.restart()
    queues = client("sqs").list_queues()["QueueUrls"]
    assert {url.rpartition("/")[2] for url in queues} == {"today", "unknown", "range"}
    assert [one["TopicArn"].rpartition(":")[2] for one in client("sns").list_topics()["Topics"]] == ["unknown"]
    alarms = client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {one["AlarmName"] for one in alarms} == {"period", "points"}
    with pytest.raises(ClientError, match="Unknown Attribute Foo"):
        client("sqs").create_queue(QueueName="new", Attributes={"Foo": "1"})
    with pytest.raises(ClientError, match="Unknown attribute Foo"):
        client("sns").create_topic(Name="new", Attributes={"Foo": "1"})
    with pytest.raises(ClientError, match="Period must be"):
        client("cloudwatch").put_metric_alarm(**alarm, AlarmName="new", Period=61)


def _form(action: str, parameters: dict[str, Any]) -> RawRequest:
    """A request in the query protocol, which answers in XML."""
    body = urlencode({"Action": action, **parameters}).encode()
    return RawRequest("POST", "/", "", {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, body)


def test_bounds_of_a_receipt_are_in_the_words_of_aws_in_xml_too(bridge: Bridge, client: Client) -> None:
    url = client("sqs").create_queue(QueueName="bounds")["QueueUrl"]
    texts = {("MaxNumberOfMessages", 11): "between 1 and 10", ("WaitTimeSeconds", 21): "&gt;= 0 and &lt;= 20"}
    for (name, value), text in texts.items():
        request = _form("ReceiveMessage", {"Version": "2012-11-05", "QueueUrl": url, name: value})
        response = bridge.moto_services.respond("sqs", request)
        assert response.status == 400
        words = f">Value {value} for parameter {name} is invalid. Reason: Must be {text}, if provided.<"
        assert words in response.body.decode()


def test_who_waits_for_a_message_keeps_nobody_waiting(bridge: Bridge, client: Client) -> None:
    sqs, iam = client("sqs"), client("iam")
    queue = sqs.create_queue(QueueName="callbacks")["QueueUrl"]
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=20)
        iam.create_role(RoleName="meanwhile", AssumeRolePolicyDocument=TRUST)
        client("sqs").send_message(QueueUrl=queue, MessageBody="done")
        assert waiting.result(15)["Messages"][0]["Body"] == "done"


def test_messages_outlive_a_restart_until_they_are_deleted(bridge: Bridge, client: Client) -> None:
    sqs, sns = client("sqs"), client("sns")
    queue = sqs.create_queue(QueueName="kept")["QueueUrl"]
    attributes = {"a": {"DataType": "Binary", "BinaryValue": b"\xff"}, "b": {"DataType": "String", "StringValue": "ä"}}
    sent = sqs.send_message(QueueUrl=queue, MessageBody="first", MessageAttributes=attributes)
    sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "x", "MessageBody": "second"}])
    topic = sns.create_topic(Name="t")["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="third")
    for name in ("emptied", "removed"):
        other = sqs.create_queue(QueueName=name)["QueueUrl"]
        sqs.send_message(QueueUrl=other, MessageBody=name)
        sqs.purge_queue(QueueUrl=other) if name == "emptied" else sqs.delete_queue(QueueUrl=other)
    bridge.restart()
    given = {"QueueUrl": queue, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
    messages = sqs.receive_message(**given)["Messages"]
    bodies = [message["Body"] for message in messages]
    assert bodies[:2] == ["first", "second"] and json.loads(bodies[2])["Message"] == "third"
    assert (messages[0]["MessageId"], messages[0]["MD5OfBody"]) == (sent["MessageId"], sent["MD5OfMessageBody"])
    assert messages[0]["MessageAttributes"] == attributes
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=messages[0]["ReceiptHandle"])
    bridge.restart()
    assert len(sqs.receive_message(**given)["Messages"]) == 2, "what was received but not deleted comes again"
    emptied = sqs.get_queue_url(QueueName="emptied")["QueueUrl"]
    assert "Messages" not in sqs.receive_message(QueueUrl=emptied)
    assert len(bridge.records.list("queue-message")) == 2


def test_no_message_is_lost_that_is_sent_while_others_are_deleted(client: Client) -> None:
    sqs = client("sqs")
    queue = sqs.create_queue(QueueName="busy")["QueueUrl"]

    def send(start: int) -> None:
        for number in range(start, start + 40):
            client("sqs").send_message(QueueUrl=queue, MessageBody=str(number))

    with ThreadPoolExecutor() as pool:
        sending = [pool.submit(send, start) for start in (0, 100)]
        seen: set[str] = set()
        while len(seen) < 80:
            given = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
            for message in given.get("Messages", []):
                seen.add(message["Body"])
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
            ended = all(one.done() for one in sending) and left["Attributes"]["ApproximateNumberOfMessages"] == "0"
            assert not ended or len(seen) == 80, "messages were lost"
        for one in sending:
            one.result()


def test_reset_leaves_only_the_callers_role(bridge: Bridge, client: Client) -> None:
    iam = client("iam")
    iam.create_role(RoleName="mine", AssumeRolePolicyDocument=TRUST)
    bridge.records.clear()
    bridge.moto_services.reset()
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == [ROLE]
    bridge.restart()
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == [ROLE]


@pytest.mark.parametrize(
    ("service", "operation"), [("ec2", "describe_instances"), ("dynamodb", "list_tables"), ("emr", "list_clusters")]
)
def test_other_services_answer_501_with_the_operations_name(client: Client, service: str, operation: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(client(service), operation)()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert error.value.response["Error"]["Code"] == "NotImplemented"
    assert "".join(part.title() for part in operation.split("_")) in str(error.value)


def test_answers_cannot_be_read_by_a_web_page(bridge: Bridge) -> None:
    body = b"Action=ListRoles&Version=2010-05-08"
    kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Origin": "http://evil.example"}
    response = bridge.moto_services.respond("iam", RawRequest("POST", "/", "", kind, body))
    assert response.status == 200
    assert not [name for name in response.headers if name.lower().startswith("access-control")]
