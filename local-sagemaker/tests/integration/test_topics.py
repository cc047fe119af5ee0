"""Topics deliver: to queues, to functions, and to HTTP endpoints once they have confirmed; failures are tried again."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support import Service, create_function, until

FUNCTION = """
import boto3, json, os

def handler(event, _context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
"""


class Endpoint:
    """An HTTP server that keeps what it receives, and responds with `status`."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], str]] = []
        self.status = 200
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                endpoint.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(endpoint.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/inbox"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def next(self, number: int) -> tuple[dict[str, str], str]:
        until(lambda: len(self.received) >= number, f"{number} requests", seconds=120)
        return self.received[number - 1]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def queue(service: Service) -> tuple[str, str]:
    """URL and ARN."""
    sqs = service.client("sqs")
    url = sqs.create_queue(QueueName="topics")["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def message(service: Service, url: str) -> dict[str, Any]:
    sqs = service.client("sqs")
    found = until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "a message", seconds=120)[0]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"])
    return dict(json.loads(found["Body"]))


def test_an_endpoint_receives_messages_once_it_has_confirmed(
    service: Service, endpoint: Endpoint, queue: tuple[str, str]
) -> None:
    topics = service.client("sns")
    topic = topics.create_topic(Name="endpoints")["TopicArn"]
    assert topics.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url)["SubscriptionArn"] == (
        "pending confirmation"
    )
    headers, text = endpoint.next(1)
    assert headers["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    topics.publish(TopicArn=topic, Message="too early")
    with urllib.request.urlopen(json.loads(text)["SubscribeURL"], timeout=60) as answer:
        assert "ConfirmSubscriptionResult" in answer.read().decode()
    arn = topics.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]["SubscriptionArn"]
    assert arn.startswith(topic)
    number = {"DataType": "Number", "StringValue": "1"}
    topics.publish(TopicArn=topic, Message="hello", Subject="greeting", MessageAttributes={"n": number})
    headers, text = endpoint.next(2)
    assert (headers["x-amz-sns-message-type"], headers["x-amz-sns-subscription-arn"]) == ("Notification", arn)
    sent = json.loads(text)
    assert (sent["Message"], sent["Subject"], sent["TopicArn"]) == ("hello", "greeting", topic)
    assert sent["MessageAttributes"]["n"] == {"Type": "Number", "Value": "1"}
    raw = {"SubscriptionArn": arn, "AttributeName": "RawMessageDelivery", "AttributeValue": "true"}
    dead = {"SubscriptionArn": arn, "AttributeName": "RedrivePolicy"}
    topics.set_subscription_attributes(**raw)
    topics.set_subscription_attributes(**dead, AttributeValue=json.dumps({"deadLetterTargetArn": queue[1]}))
    endpoint.status = 403
    topics.publish(TopicArn=topic, Message="as it is")
    headers, text = endpoint.next(3)
    assert (text, headers["x-amz-sns-rawdelivery"]) == ("as it is", "true")
    assert message(service, queue[0])["Message"] == "as it is", "a client error is final: the dead letters have it"
    policy = {"healthyRetryPolicy": {"numRetries": 2, "numNoDelayRetries": 2, "minDelayTarget": 5, "maxDelayTarget": 5},
              "requestPolicy": {"headerContentType": "application/json"}}  # fmt: skip
    topics.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="DeliveryPolicy", AttributeValue=json.dumps(policy)
    )
    topics.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue='{"$or": [{"n": [1]}, {"m": ["x"]}]}'
    )
    endpoint.status = 500
    topics.publish(TopicArn=topic, Message="filtered out")
    topics.publish(TopicArn=topic, Message="twice more at once", MessageAttributes={"n": number})
    headers, text = endpoint.next(6)
    assert (text, headers["content-type"]) == ("twice more at once", "application/json")
    assert message(service, queue[0])["Message"] == "twice more at once"
    with urllib.request.urlopen(sent["UnsubscribeURL"], timeout=60):
        assert topics.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("Action=Unsubscribe&SubscriptionArn=x", "Action=CreateTopic&Name=unsigned"),
        ("Action=ConfirmSubscription&Action=CreateTopic&Name=unsigned", ""),
        ("Action=CreateTopic&Name=unsigned", ""),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_signature_only_a_messages_links_are_followed(
    service: Service, method: str, query: str, body: str
) -> None:
    """A page of another origin could send the rest as a form."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    request = urllib.request.Request(f"{service.url}/?{query}", body.encode() or None, kind, method=method)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    assert refused.value.code == 403
    arns = [topic["TopicArn"] for topic in service.client("sns").list_topics()["Topics"]]
    assert not [arn for arn in arns if arn.endswith(":unsigned")]


def test_a_function_receives_messages(service: Service, queue: tuple[str, str]) -> None:
    topics = service.client("sns")
    topic = topics.create_topic(Name="functions")["TopicArn"]
    arn = create_function(
        service.client("lambda"), "receive-topic", FUNCTION, Environment={"Variables": {"QUEUE": queue[0]}}
    )
    subscription = topics.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)["SubscriptionArn"]
    topics.publish(TopicArn=topic, Message="hello", Subject="greeting")
    record = message(service, queue[0])["Records"][0]
    assert (record["EventSource"], record["EventSubscriptionArn"]) == ("aws:sns", subscription)
    assert (record["Sns"]["Message"], record["Sns"]["Subject"]) == ("hello", "greeting")
