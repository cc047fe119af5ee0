"""Types of AWS's category Application Integration: event rules, schedules, topics, queues."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.services.cloudformation.handlers.handler import (
    ApiResource,
    DeploymentContext,
    Handler,
    Identity,
    Properties,
    UnnamedHandler,
    fit_to_operation,
    ignore_absent,
    policy_text,
    retag,
)


class Rule:
    """AWS::Events::Rule: a pattern or a schedule, with its targets."""

    name_property = "Name"

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """A rule's name has 64 characters at most."""
        return properties if "Name" in properties else {**properties, "Name": context.name(64)}

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Puts the rule, then its targets."""
        return self.update(context, Identity(""), {}, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its name; Ref gives the name, for a bus of its own ``bus|name``."""
        bus = properties.get("EventBusName")
        request = {"Name": properties["Name"], **({"EventBusName": bus} if bus else {})}
        arn = context.call("events:DescribeRule", request)["Arn"]
        physical = properties["Name"] if bus in (None, "default") else f"{bus}|{properties['Name']}"
        return Identity(physical, physical, {"Arn": arn})

    def update(
        self, context: DeploymentContext, _identity: Identity, before: Properties, after: Properties
    ) -> Identity:
        """Puts it again; targets that it no longer has are removed."""
        pattern = after.get("EventPattern")
        request = fit_to_operation(
            "events", "PutRule", {name: value for name, value in after.items() if name != "Targets"}
        )
        if isinstance(pattern, dict):
            request["EventPattern"] = json.dumps(pattern)
        context.call("events:PutRule", request)
        bus = {"EventBusName": after["EventBusName"]} if after.get("EventBusName") else {}
        wanted = {str(target["Id"]) for target in after.get("Targets", [])}
        removed = [str(target["Id"]) for target in before.get("Targets", []) if str(target["Id"]) not in wanted]
        if removed:
            context.call("events:RemoveTargets", {"Rule": after["Name"], "Ids": removed, **bus})
        if wanted:
            targets = fit_to_operation(
                "events", "PutTargets", {"Rule": after["Name"], "Targets": after["Targets"], **bus}
            )
            failed = context.call("events:PutTargets", targets).get("FailedEntries", [])
            if failed:
                raise ServiceError(failed[0]["ErrorMessage"], code=failed[0]["ErrorCode"], status=400)
        return self.find(context, after)

    def delete(self, context: DeploymentContext, _identity: Identity, properties: Properties) -> None:
        """Removes its targets, then the rule."""
        bus = {"EventBusName": properties["EventBusName"]} if properties.get("EventBusName") else {}
        targets = [str(target["Id"]) for target in properties.get("Targets", [])]
        with ignore_absent():
            if targets:
                context.call("events:RemoveTargets", {"Rule": properties["Name"], "Ids": targets, **bus})
            context.call("events:DeleteRule", {"Name": properties["Name"], **bus})


def _schedule(context: DeploymentContext, properties: Properties) -> Identity:
    group = {"GroupName": properties["GroupName"]} if properties.get("GroupName") else {}
    body = context.call("scheduler:GetSchedule", {"Name": properties["Name"], **group})
    return Identity(properties["Name"], properties["Name"], {"Arn": body["Arn"]})


def _named(context: DeploymentContext, properties: Properties, name: str, kind: str, longest: int) -> Properties:
    """With a name, which ends as SNS and SQS want it where the property `kind` says that the resource is a FIFO one."""
    if name in properties:
        return properties
    end = ".fifo" if _text(properties.get(kind, "")) == "true" else ""
    return {**properties, name: context.name(longest - len(end)) + end}


class StackTopic:
    """AWS::SNS::Topic with its inline subscriptions."""

    name_property = "TopicName"

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """A topic's name has 256 characters at most."""
        return _named(context, properties, "TopicName", "FifoTopic", 256)

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes the topic and its subscriptions; the same topic again is no error in SNS."""
        names = ("DisplayName", "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication")
        attributes = {name: _text(properties[name]) for name in names if name in properties}
        request: Properties = {"Name": properties["TopicName"], "Attributes": attributes}
        if properties.get("Tags"):
            request["Tags"] = properties["Tags"]
        arn = context.call("sns:CreateTopic", request)["TopicArn"]
        context.keep(self._identity(arn, properties["TopicName"]))
        for subscription in properties.get("Subscription", []):
            context.call("sns:Subscribe", {"TopicArn": arn, **subscription})
        return self._identity(arn, properties["TopicName"])

    @staticmethod
    def _identity(arn: str, name: str) -> Identity:
        return Identity(arn, arn, {"TopicArn": arn, "TopicName": name})

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its ARN, which follows from its name."""
        arn = f"arn:aws:sns:{context.region}:{context.account}:{properties['TopicName']}"
        context.call("sns:GetTopicAttributes", {"TopicArn": arn})
        return self._identity(arn, properties["TopicName"])

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Changes its attributes and subscriptions."""
        for name in ("DisplayName", "KmsMasterKeyId", "ContentBasedDeduplication"):
            if after.get(name) != before.get(name):
                value = _text(after.get(name, ""))
                request = {"TopicArn": identity.physical, "AttributeName": name, "AttributeValue": value}
                context.call("sns:SetTopicAttributes", request)
        retag(context, ("sns:TagResource", "sns:UntagResource"), {"ResourceArn": identity.physical}, before, after)
        self._unsubscribe(context, identity, before, after)
        for subscription in after.get("Subscription", []):
            if subscription not in before.get("Subscription", []):
                context.call("sns:Subscribe", {"TopicArn": identity.physical, **subscription})
        return identity

    @staticmethod
    def _unsubscribe(context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> None:
        """Ends the inline subscriptions that the template no longer has."""
        removed = [one for one in before.get("Subscription", []) if one not in after.get("Subscription", [])]
        if not removed:
            return
        rows = context.call("sns:ListSubscriptionsByTopic", {"TopicArn": identity.physical}).get("Subscriptions", [])
        for row in rows:
            if {"Protocol": row["Protocol"], "Endpoint": row["Endpoint"]} in removed:
                context.call("sns:Unsubscribe", {"SubscriptionArn": row["SubscriptionArn"]})

    def delete(self, context: DeploymentContext, identity: Identity, _properties: Properties) -> None:
        """Deletes it with its subscriptions."""
        if identity.physical:
            context.call("sns:DeleteTopic", {"TopicArn": identity.physical})


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class AttachedPolicy(UnnamedHandler):
    """The access policy of topics or queues: it is an attribute of theirs."""

    def __init__(self, member: str, operation: str, request: Callable[[str, str], dict[str, Any]]) -> None:
        """`member` names what it is attached to; `request` is that of the operation, for one of them and the text."""
        self._member, self._operation, self._request = member, operation, request

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Puts it on each of them."""
        text = policy_text(properties["PolicyDocument"])
        for target in properties[self._member]:
            context.call(self._operation, self._request(target, text))
        return Identity(context.name(128))

    def find(self, context: DeploymentContext, _properties: Properties) -> Identity:
        """It has nothing of its own to be found by."""
        return Identity(context.name(128))

    def update(
        self, context: DeploymentContext, identity: Identity, _before: Properties, after: Properties
    ) -> Identity:
        """Puts the new one."""
        self.create(context, after)
        return identity

    def delete(self, _context: DeploymentContext, _identity: Identity, _properties: Properties) -> None:
        """Goes with what it is attached to."""


class Subscription(UnnamedHandler):
    """AWS::SNS::Subscription."""

    _attributes = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "DeliveryPolicy")

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Subscribes; again is no error in SNS."""
        members = ("TopicArn", "Protocol", "Endpoint")
        request: Properties = {name: properties[name] for name in members if name in properties}
        attributes = {name: _attribute(properties[name]) for name in self._attributes if name in properties}
        arn = context.call("sns:Subscribe", {**request, "Attributes": attributes, "ReturnSubscriptionArn": True})
        return Identity(arn["SubscriptionArn"], arn["SubscriptionArn"], {"Arn": arn["SubscriptionArn"]})

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """The same subscription is made once."""
        return self.create(context, properties)

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Changes its attributes."""
        for name in self._attributes:
            if after.get(name) != before.get(name):
                value = _attribute(after.get(name, ""))
                request = {"SubscriptionArn": identity.physical, "AttributeName": name, "AttributeValue": value}
                context.call("sns:SetSubscriptionAttributes", request)
        return identity

    def delete(self, context: DeploymentContext, identity: Identity, _properties: Properties) -> None:
        """Unsubscribes."""
        if identity.physical.startswith("arn:"):
            context.call("sns:Unsubscribe", {"SubscriptionArn": identity.physical})


def _attribute(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else _text(value)


class Queue:
    """AWS::SQS::Queue. Ref gives its URL."""

    name_property = "QueueName"
    _not_attributes = ("QueueName", "Tags", "RedrivePolicy", "RedriveAllowPolicy")

    def with_name(self, context: DeploymentContext, properties: Properties) -> Properties:
        """A queue's name has 80 characters at most."""
        return _named(context, properties, "QueueName", "FifoQueue", 80)

    def _attributes(self, properties: Properties) -> dict[str, str]:
        plain = {name: _text(value) for name, value in properties.items() if name not in self._not_attributes}
        policies = ("RedrivePolicy", "RedriveAllowPolicy")
        return plain | {name: _attribute(properties[name]) for name in policies if name in properties}

    def create(self, context: DeploymentContext, properties: Properties) -> Identity:
        """Makes it."""
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        request = {"QueueName": properties["QueueName"], "Attributes": self._attributes(properties), "tags": tags}
        context.call("sqs:CreateQueue", request)
        return self.find(context, properties)

    def find(self, context: DeploymentContext, properties: Properties) -> Identity:
        """By its name."""
        name = properties["QueueName"]
        url = context.call("sqs:GetQueueUrl", {"QueueName": name})["QueueUrl"]
        arn = f"arn:aws:sqs:{context.region}:{context.account}:{name}"
        return Identity(url, url, {"Arn": arn, "QueueName": name, "QueueUrl": url})

    def update(self, context: DeploymentContext, identity: Identity, before: Properties, after: Properties) -> Identity:
        """Changes its attributes and tags; its kind can't be changed."""
        attributes = {name: value for name, value in self._attributes(after).items() if name != "FifoQueue"}
        request = {"QueueUrl": identity.physical, "Attributes": attributes}
        context.call("sqs:SetQueueAttributes", request)
        queue = {"QueueUrl": identity.physical}
        retag(context, ("sqs:TagQueue", "sqs:UntagQueue"), queue, before, after, form="")
        return identity

    def delete(self, context: DeploymentContext, identity: Identity, _properties: Properties) -> None:
        """Deletes it."""
        with ignore_absent():
            if identity.physical:
                context.call("sqs:DeleteQueue", {"QueueUrl": identity.physical})


HANDLERS: dict[str, Handler] = {
    "AWS::Events::Rule": Rule(),
    "AWS::Scheduler::Schedule": ApiResource(
        "scheduler", create="CreateSchedule", update="UpdateSchedule", delete="DeleteSchedule", longest=64,
        name_property="Name", deletion=("GroupName",), find=_schedule,
    ),
    "AWS::SNS::Topic": StackTopic(),
    "AWS::SNS::TopicPolicy": AttachedPolicy(
        "Topics", "sns:SetTopicAttributes",
        lambda topic, text: {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": text},
    ),
    "AWS::SNS::Subscription": Subscription(),
    "AWS::SQS::Queue": Queue(),
    "AWS::SQS::QueuePolicy": AttachedPolicy(
        "Queues", "sqs:SetQueueAttributes",
        lambda queue, text: {"QueueUrl": queue, "Attributes": {"Policy": text}},
    ),
}  # fmt: skip
