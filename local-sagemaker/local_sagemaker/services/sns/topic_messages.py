"""moto's topics, changed: messages to functions and HTTP endpoints are written down to be sent, and subscriptions of
HTTP endpoints wait for their confirmation (SNS developer guide, "Subscribing HTTP/S endpoints").
"""

from __future__ import annotations

import contextlib
import copy
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from local_sagemaker.clock import iso, now
from local_sagemaker.records import Records
from local_sagemaker.services.call_replay import is_replay
from local_sagemaker.services.sns import delivery_policies, filter_policies, topic_requests
from local_sagemaker.services.sns.delivery_policies import effective

KIND = "topic-delivery"
HTTP = ("http", "https")
_PENDING = "PendingConfirmation"
_LISTS = ("list_subscriptions", "list_subscriptions_by_topic")


class TopicMessages:
    """The changes. `records` are those of any region, `url` is the service's own."""

    def __init__(self, records: Records, url: str) -> None:
        self._records, self._url = records, url
        self._listeners: list[Callable[[str], None]] = []

    def subscribe(self, listener: Callable[[str], None]) -> None:
        """`listener` is called with the region in which something is to be sent."""
        self._listeners.append(listener)

    def install(self) -> None:
        """Changes moto's classes; done again for another state folder."""
        from moto.sns.models import SNSBackend, Subscription
        from moto.sns.responses import SNSResponse

        subscription: Any = Subscription
        response: Any = SNSResponse
        backend: Any = SNSBackend
        topic_requests.install()
        if not hasattr(subscription, "publish_plainly"):
            subscription.publish_plainly = subscription.publish
            response.subscribe_plainly = response.subscribe
            for name in _LISTS:
                setattr(backend, name, _with_pending(getattr(backend, name)))

        def publish(own: Any, *message: Any, **more: Any) -> None:
            self._publish(own, *message, **more)

        def subscribe(own: Any) -> Any:
            return self._subscribe(own)

        filter_policies.install()
        delivery_policies.install()
        subscription.publish, response.subscribe, response.confirm_subscription = publish, subscribe, _confirm

    def _publish(self, subscription: Any, message: str, identity: str, **more: Any) -> None:
        """To queues as moto's; to functions and HTTP endpoints by a delivery."""
        from moto.sqs.exceptions import QueueDoesNotExist

        if subscription.protocol not in (*HTTP, "lambda"):
            with contextlib.suppress(QueueDoesNotExist):  # no error of the publisher
                subscription.publish_plainly(message, identity, **more)
            return
        attributes, subject = more.get("message_attributes"), more.get("subject")
        matcher = subscription._filter_policy_matcher
        if subscription.attributes[_PENDING] or (matcher and not matcher.matches(attributes, message)):
            return
        if more.get("message_structure") == "json":
            message = subscription._parse_message_structure(message, subscription.protocol)
        body = subscription.get_post_data(message, identity, subject, message_attributes=attributes or None)
        leave = urlencode({"Action": "Unsubscribe", "SubscriptionArn": subscription.arn})
        self._deliver(subscription, {**body, "UnsubscribeURL": f"{self._url}/?{leave}"})

    def _deliver(self, subscription: Any, body: dict[str, Any]) -> None:
        region = subscription.topic.arn.split(":")[3]
        kept = {
            "protocol": subscription.protocol, "endpoint": subscription.endpoint, "subscription": subscription.arn,
            "raw": bool(subscription.attributes.get("RawMessageDelivery")), "body": body, "tries": 0, "due": now(),
            "policy": effective(subscription.attributes.get("DeliveryPolicy", ""), subscription.topic.delivery_policy),
            "dead_letters": json.loads(subscription.attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn"),
        }  # fmt: skip
        self._records.of(region).put(KIND, str(uuid.uuid4()), kept)
        for listener in self._listeners:
            listener(region)

    def _subscribe(self, response: Any) -> Any:
        """As moto's; an HTTP endpoint is sent what confirms its subscription."""
        from moto.core.responses import ActionResult
        from moto.moto_api._internal import mock_random

        with _set_back(response.backend, response._get_param):
            result = response.subscribe_plainly()
        subscription = response.backend.subscriptions[result.result["SubscriptionArn"]]
        if subscription.protocol not in HTTP:
            return result
        if not hasattr(subscription, "token"):
            subscription.token = mock_random.get_random_hex(128)
            subscription.attributes |= {_PENDING: True, "ConfirmationWasAuthenticated": False}
        if not subscription.attributes[_PENDING]:
            return result
        if not is_replay():
            self._deliver(subscription, self._invitation(subscription))
        shown = str(response._get_param("ReturnSubscriptionArn")).lower() == "true"
        return result if shown else ActionResult({"SubscriptionArn": "pending confirmation"})

    def _invitation(self, subscription: Any) -> dict[str, Any]:
        topic, token = subscription.topic.arn, subscription.token
        text = (
            f"You have chosen to subscribe to the topic {topic}.\n"
            "To confirm the subscription, visit the SubscribeURL included in this message."
        )
        query = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic, "Token": token})
        signed = subscription.get_post_data(text, str(uuid.uuid4()), None)
        rest = {name: signed[name] for name in ("MessageId", "SignatureVersion", "Signature", "SigningCertURL")}
        return {
            "Type": "SubscriptionConfirmation", "Token": token, "TopicArn": topic, "Message": text,
            "SubscribeURL": f"{self._url}/?{query}", "Timestamp": iso(now()), **rest,
        }  # fmt: skip


def _confirm(response: Any) -> Any:
    """ConfirmSubscription: the subscription that has the token receives messages from now on."""
    from moto.core.responses import ActionResult
    from moto.sns.exceptions import SNSInvalidParameter, SNSNotFoundError

    topic, token = response._get_param("TopicArn"), response._get_param("Token")
    if topic not in response.backend.topics:
        raise SNSNotFoundError("Topic does not exist")
    for subscription in response.backend.subscriptions.values():
        if subscription.topic.arn == topic and getattr(subscription, "token", None) == token:
            subscription.attributes[_PENDING] = False
            return ActionResult({"SubscriptionArn": subscription.arn})
    raise SNSInvalidParameter("Invalid parameter: Token")


def _with_pending(plain: Callable[..., Any]) -> Callable[..., Any]:
    """A list of subscriptions, in which those that wait for their confirmation have no ARN."""

    def page(*arguments: Any, **more: Any) -> Any:
        rows, token = plain(*arguments, **more)
        return [_list_form(row) for row in rows], token

    return page


def _list_form(subscription: Any) -> Any:
    if not subscription.attributes.get(_PENDING):
        return subscription
    waiting = copy.copy(subscription)
    waiting.arn = _PENDING
    return waiting


@contextlib.contextmanager
def _set_back(backend: Any, parameter: Callable[[str], Any]) -> Iterator[None]:
    """Undoes a subscription when an attribute of it is refused: moto makes it first and sets the attributes then."""
    before = set(backend.subscriptions)
    present = backend._find_subscription(*(parameter(name) for name in ("TopicArn", "Endpoint", "Protocol")))
    state = {**vars(present), "attributes": dict(present.attributes)} if present else {}
    try:
        yield
    except BaseException:
        for arn in set(backend.subscriptions) - before:
            del backend.subscriptions[arn]
        if present:
            vars(present).update(state)
        raise
