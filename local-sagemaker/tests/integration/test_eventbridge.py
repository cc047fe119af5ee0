"""EventBridge through boto3: rules match clients' events and SageMaker's own, targets receive them (DEL-35)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.event_targets import Queue, refused, rule, send
from tests.support import ROLE, Service, create_function, create_pipeline, script_step, until

SAGEMAKER = {"source": ["aws.sagemaker"]}


@pytest.fixture(scope="module")
def events(service: Service) -> Any:
    return service.client("events")


def test_a_clients_event_reaches_the_targets_whose_rules_match(service: Service, events: Any) -> None:
    queue = Queue(service, "clients")
    rule(events, "ones", {"source": ["tests"], "detail": {"n": [1]}}, Arn=queue.arn)
    assert send(events, n=2)["FailedEntryCount"] == 0
    sent = send(events, n=1)["Entries"][0]["EventId"]
    event = queue.next()
    assert (event["id"], event["source"], event["detail-type"], event["detail"]) == (sent, "tests", "Test", {"n": 1})
    assert (event["account"], event["region"], event["version"]) == ("123456789012", "us-east-1", "0")
    events.disable_rule(Name="ones")
    send(events, n=1)
    events.enable_rule(Name="ones")
    second = send(events, n=1)["Entries"][0]["EventId"]
    assert queue.next()["id"] == second


def test_inputs_of_targets(service: Service, events: Any) -> None:
    queue = Queue(service, "inputs")
    transformer = {
        "InputPathsMap": {"n": "$.detail.n"},
        "InputTemplate": '{"text": "n is <n>", "rule": <aws.events.rule-name>}',
    }
    rule(events, "transformed", {"detail": {"inputs": [True]}}, Arn=queue.arn, InputTransformer=transformer)
    send(events, n=7, inputs=True)
    assert queue.next() == {"text": "n is 7", "rule": "transformed"}


def test_events_of_sagemaker(service: Service, events: Any) -> None:
    queue, sagemaker = Queue(service, "sagemaker"), service.client("sagemaker")
    pattern = {**SAGEMAKER, "detail": {"ModelPackageGroupName": ["watched"]}}
    rule(events, "packages", pattern, Arn=queue.arn)
    sagemaker.create_model_package_group(ModelPackageGroupName="watched")
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
    specification = {
        "Containers": [{"Image": image, "ModelDataUrl": "s3://bucket/model.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="watched",
        InferenceSpecification=specification,
        ModelApprovalStatus="PendingManualApproval",
    )["ModelPackageArn"]
    made = queue.next()
    assert made["detail-type"] == "SageMaker Model Package State Change"
    assert made["resources"] == [arn]
    assert made["detail"]["ModelApprovalStatus"] == "PendingManualApproval"
    assert isinstance(made["detail"]["CreationTime"], int)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    approved = queue.next()["detail"]
    assert (approved["ModelApprovalStatus"], approved["UpdatedModelPackageFields"]) == (
        "Approved",
        ["ModelApprovalStatus"],
    )
    noted = {"CustomerMetadataProperties": {"a": "b"}, "SourceUri": "s3://bucket/source"}
    sagemaker.update_model_package(ModelPackageArn=arn, **noted)
    changed = queue.next()["detail"]
    assert (changed["ModelApprovalStatus"], changed["UpdatedModelPackageFields"]) == (
        "Approved",
        ["CustomerMetadataProperties", "sourceUri"],
    )
    assert not [member for member in changed if member.startswith("_")]
    model = {"ModelName": "told-of", "ExecutionRoleArn": ROLE, "Tags": [{"Key": "team", "Value": "a"}]}
    rule(events, "models", {**SAGEMAKER, "detail": {"ModelName": ["told-of"]}}, Arn=queue.arn)
    arn = sagemaker.create_model(**model, PrimaryContainer={"Image": image})["ModelArn"]
    made = queue.next()
    assert (made["detail-type"], made["resources"], made["detail"]["Tags"]) == (
        "SageMaker Model State Change", [arn], {"team": "a"},
    )  # fmt: skip
    sagemaker.delete_model(ModelName="told-of")
    assert queue.next()["detail-type"] == "SageMaker Model State Change"


def test_a_rule_starts_a_pipeline_and_hears_of_its_end(service: Service, events: Any) -> None:
    queue, sagemaker = Queue(service, "executions"), service.client("sagemaker")
    create_pipeline(sagemaker, "started-by-rule", script_step("Hello", "print('hello')"))
    arn = sagemaker.describe_pipeline(PipelineName="started-by-rule")["PipelineArn"]
    rule(events, "starts", {"detail": {"start": [True]}}, Arn=arn, RoleArn=ROLE)
    pattern = {**SAGEMAKER, "detail": {"pipelineArn": [arn], "currentPipelineExecutionStatus": ["Succeeded"]}}
    rule(events, "ends", pattern, Arn=queue.arn)
    steps_queue = Queue(service, "steps")
    rule(events, "steps", {**SAGEMAKER, "detail": {"pipelineArn": [arn], "stepName": ["Hello"]}}, Arn=steps_queue.arn)
    jobs = Queue(service, "jobs")
    rule(events, "jobs", {**SAGEMAKER, "detail-type": ["SageMaker Processing Job State Change"]}, Arn=jobs.arn)
    send(events, start=True)
    event = queue.next()
    detail = event["detail"]
    assert detail["previousPipelineExecutionStatus"] == "Executing"
    assert detail["executionEndTime"] >= detail["executionStartTime"]
    steps: list[Any] = []
    until(lambda: steps.extend(steps_queue.messages()) or len(steps) >= 3, "three changes of the step")
    (kind,) = {one["detail-type"] for one in steps}
    assert kind == "SageMaker Model Building Pipeline Execution Step Status Change"
    assert steps[-1]["resources"] == [arn, detail["pipelineExecutionArn"]]
    told = [(one["detail"].get("previousStepStatus"), one["detail"]["currentStepStatus"]) for one in steps]
    assert told == [(None, "Starting"), ("Starting", "Executing"), ("Executing", "Succeeded")]
    ended = steps[-1]["detail"]
    assert (ended["stepName"], ended["stepType"], ended["pipelineArn"]) == ("Hello", "Processing", arn)
    assert ":processing-job/pipelines-" in ended["metadata"]["processingJob"]["arn"]
    assert ended["stepEndTime"] >= ended["stepStartTime"] and "failureReason" not in ended
    job, told_of = ended["metadata"]["processingJob"]["arn"], list[Any]()
    until(
        lambda: told_of.extend(one for one in jobs.messages() if one["resources"] == [job]) or len(told_of) > 1, "both"
    )
    assert [one["detail"]["ProcessingJobStatus"] for one in told_of] == ["InProgress", "Completed"]
    assert told_of[-1]["detail"]["ProcessingEndTime"] > 1e12  # milliseconds


def test_functions_logs_and_topics_receive_events(service: Service, events: Any) -> None:
    logs = service.client("logs")
    code = "def handler(event, context):\n    print('received', event['detail']['n'])\n"
    function = create_function(service.client("lambda"), "event-reader", code)
    logs.create_log_group(logGroupName="/events/all")
    group = "arn:aws:logs:us-east-1:123456789012:log-group:/events/all:*"
    events.put_rule(Name="several", EventPattern=json.dumps({"detail": {"several": [True]}}))
    targets = [{"Id": "function", "Arn": function}, {"Id": "logs", "Arn": group}]
    events.put_targets(Rule="several", Targets=targets)
    send(events, several=True, n=5)

    def lines(name: str) -> list[str]:
        try:
            return [row["message"] for row in logs.filter_log_events(logGroupName=name)["events"]]
        except ClientError:
            return []

    until(lambda: any("received 5" in line for line in lines("/aws/lambda/event-reader")), "the function's log")
    until(lambda: any('"several": true' in line for line in lines("/events/all")), "the log group")


def test_another_bus_and_archive_of_what_was_sent(service: Service, events: Any) -> None:
    queue = Queue(service, "bus")
    bus = events.create_event_bus(Name="own", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])[
        "EventBusArn"
    ]
    events.tag_resource(ResourceARN=bus, Tags=[{"Key": "a", "Value": "3"}])
    events.untag_resource(ResourceARN=bus, TagKeys=["b"])
    assert events.list_tags_for_resource(ResourceARN=bus)["Tags"] == [{"Key": "a", "Value": "3"}]
    assert set(events.describe_event_bus(Name="own")) == {"Name", "Arn", "CreationTime", "ResponseMetadata"}
    rule(events, "to-own", {"detail": {"bus": [True]}}, Arn=bus, RoleArn=ROLE)
    events.put_rule(Name="on-own", EventBusName="own", EventPattern=json.dumps({"detail": {"bus": [True]}}))
    events.put_targets(Rule="on-own", EventBusName="own", Targets=[{"Id": "q", "Arn": queue.arn}])
    send(events, bus=True)
    assert queue.next()["detail"] == {"bus": True}
    assert refused(events.delete_event_bus, Name="own") == "Cannot delete event bus, rules still exist."


def test_what_is_refused(service: Service, events: Any) -> None:
    put = events.put_rule
    assert refused(put, Name="x", EventPattern='{"a": "b"}') == (
        'Event pattern is not valid. Reason: "a" must be an object or an array'
    )
    assert refused(put, Name="x", ScheduleExpression="rate(1 minutes)") == "Parameter ScheduleExpression is not valid."
    assert refused(put, Name="x") == "Parameter(s) EventPattern or ScheduleExpression must be specified."
    assert refused(events.describe_rule, Name="none") == "Rule none does not exist on EventBus default."
    put(Name="full", EventPattern=json.dumps(SAGEMAKER))
    arn = "arn:aws:ecs:us-east-1:123456789012:cluster/x"
    assert "is not executed by the local service" in refused(
        events.put_targets, Rule="full", Targets=[{"Id": "a", "Arn": arn}]
    )
    for dead in ("arn:aws:sqs", "arn:aws:sqs:us-east-1:123456789012:x.fifo", "arn:aws:sns:us-east-1:123456789012:x"):
        target = {"Id": "a", "Arn": Queue(service, "both").arn, "DeadLetterConfig": {"Arn": dead}}
        assert "Dead letters go to standard SQS queues only." in refused(
            events.put_targets, Rule="full", Targets=[target]
        )
    fifo = {"Id": "f", "Arn": "arn:aws:sqs:us-east-1:123456789012:x.fifo"}
    assert refused(events.put_targets, Rule="none", Targets=[fifo]) == (
        "Parameter(s) SqsParameters must be specified for target: f."
    )
    assert refused(events.create_event_bus, Name="a/b") == "Event bus name must not contain '/'."
    both = {"Id": "a", "Arn": Queue(service, "both").arn, "Input": "{}", "InputPath": "$"}
    assert refused(events.put_targets, Rule="full", Targets=[both]) == (
        "Only one of Input, InputPath, or InputTransformer must be provided for target a."
    )
    entry = {"Source": "aws.sagemaker", "DetailType": "x", "Detail": "{}"}
    answer = events.put_events(Entries=[entry, {"Source": "a", "DetailType": "x", "Detail": "["}])
    codes = [row["ErrorCode"] for row in answer["Entries"]]
    assert codes == ["NotAuthorizedForSourceException", "MalformedDetail"]
    names = ("id", "account", "source", "time", "region", "detail-type")
    event = {**dict.fromkeys(names, "x"), "a": 1}
    assert events.test_event_pattern(EventPattern='{"a":[1]}', Event=json.dumps(event))["Result"] is True
    for name in names:
        rest = json.dumps({key: value for key, value in event.items() if key != name})
        assert refused(events.test_event_pattern, EventPattern='{"a":[1]}', Event=rest) == (
            "Parameter Event is not valid."
        )
    for text in ("[]", "{"):
        assert refused(events.test_event_pattern, EventPattern='{"a":[1]}', Event=text) == (
            "Parameter Event is not valid."
        )


def test_lists_come_in_pages(events: Any) -> None:
    queue = "arn:aws:sqs:us-east-1:123456789012:pages"
    for name in ("paged-1", "paged-2", "paged-3"):
        events.create_event_bus(Name=name)
        events.put_rule(Name=name, EventBusName="paged-1", EventPattern='{"source": ["x"]}')
        events.put_targets(Rule=name, EventBusName="paged-1", Targets=[{"Id": "a", "Arn": queue}])
    events.put_targets(Rule="paged-1", EventBusName="paged-1", Targets=[{"Id": x, "Arn": queue} for x in "bc"])
    bus = {"EventBusName": "paged-1"}
    calls: list[tuple[Any, dict[str, str], str]] = [
        (events.list_event_buses, {"NamePrefix": "paged-"}, "EventBuses"),
        (events.list_rules, bus, "Rules"),
        (events.list_targets_by_rule, {**bus, "Rule": "paged-1"}, "Targets"),
        (events.list_rule_names_by_target, {**bus, "TargetArn": queue}, "RuleNames"),
    ]
    for call, request, member in calls:
        first = call(**request, Limit=2)
        second = call(**request, Limit=2, NextToken=first["NextToken"])
        assert (len(first[member]), len(second[member]), "NextToken" in second) == (2, 1, False)
        assert first[member] + second[member] == call(**request)[member]
    assert events.describe_rule(Name="paged-1", **bus)["CreatedBy"] == "123456789012"


def test_deliveries_survive_a_crash_and_what_has_no_target_goes_to_the_dead_letters(own_service: Service) -> None:
    """A queue that refuses messages is tried again after the crash; one that does not exist is not tried again."""
    events, sqs = own_service.client("events"), own_service.client("sqs")
    url = sqs.create_queue(QueueName="later.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn, dead = "arn:aws:sqs:us-east-1:123456789012:later.fifo", Queue(own_service, "dead")
    rule(events, "later", {"source": ["tests"]}, Arn=arn, SqsParameters={"MessageGroupId": "g"})
    none = arn.replace("later.fifo", "none")
    rule(events, "none", {"source": ["tests"]}, Arn=none, DeadLetterConfig={"Arn": dead.arn})
    sent = send(events, n=1)["Entries"][0]["EventId"]
    own_service.kill()
    own_service.up()
    sqs = own_service.client("sqs")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"ContentBasedDeduplication": "true"})
    message = until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "the queue takes it", 90)[0]
    assert json.loads(message["Body"])["id"] == sent
    letter = until(
        lambda: sqs.receive_message(QueueUrl=dead.url, MessageAttributeNames=["All"]).get("Messages"), "a dead letter"
    )[0]
    assert json.loads(letter["Body"])["id"] == sent
    reason = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert reason["TARGET_ARN"] == none
    assert reason["RULE_ARN"].endswith(":rule/none")
    assert "NonExistent" in reason["ERROR_CODE"] or "DoesNotExist" in reason["ERROR_CODE"], reason


def test_a_scheduled_rule_is_due(own_service: Service) -> None:
    events = own_service.client("events")
    queue = Queue(own_service, "minutes")
    events.put_rule(Name="minutes", ScheduleExpression="rate(1 minute)")
    events.put_targets(Rule="minutes", Targets=[{"Id": "q", "Arn": queue.arn}])
    own_service.run("local-sagemaker", "--home", str(own_service.home), "clock", "1m")
    event = until(queue.messages, "the first minute is over", 90)[0]
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.events", "Scheduled Event", {})


def test_objects_of_a_bucket_with_eventbridge_on_are_events(service: Service, events: Any) -> None:
    s3, bucket = service.client("s3"), "bucket-with-events"
    s3.create_bucket(Bucket=bucket)
    queue = Queue(service, "objects")
    rule(events, "objects", {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}, Arn=queue.arn)
    s3.put_object(Bucket=bucket, Key="before", Body=b"1")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    shown = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert shown["EventBridgeConfiguration"] == {}
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    made = s3.put_object(Bucket=bucket, Key="a key+", Body=b"12")
    event = queue.next()
    assert (event["detail-type"], event["resources"]) == ("Object Created", [f"arn:aws:s3:::{bucket}"])
    detail = event["detail"]
    assert (detail["reason"], detail["requester"]) == ("PutObject", "123456789012")
    first = detail["object"].pop("sequencer")
    assert detail["object"] == {
        "key": "a key+", "size": 2, "etag": made["ETag"].strip('"'), "version-id": made["VersionId"],
    }  # fmt: skip
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a key+"})
    copied = queue.next()["detail"]
    assert (copied["reason"], copied["object"]["key"]) == ("CopyObject", "copy")
    assert copied["object"]["sequencer"] > first
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"1")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=parts)
    assert queue.next()["detail"]["reason"] == "CompleteMultipartUpload"
    s3.delete_object(Bucket=bucket, Key="copy")
    marked = queue.next()
    assert (marked["detail-type"], marked["detail"]["deletion-type"]) == ("Object Deleted", "Delete Marker Created")
    s3.delete_object(Bucket=bucket, Key="a key+", VersionId=made["VersionId"])
    deleted = queue.next()["detail"]
    assert (deleted["deletion-type"], deleted["object"]["version-id"]) == ("Permanently Deleted", made["VersionId"])
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    s3.put_object(Bucket=bucket, Key="after", Body=b"1")
    wrong = {"QueueConfigurations": [{"QueueArn": queue.arn, "Events": ["s3:ObjectCreated:*"]}]}
    call = s3.put_bucket_notification_configuration
    assert "not QueueConfigurations" in refused(call, Bucket=bucket, NotificationConfiguration=wrong)
