"""What topics send to functions and HTTP endpoints: at once, again after a failure, then to the dead letters.

A delivery is a record until it has been made, so that a restart loses none. Without a delivery policy there are three
more tries, 20 seconds apart; what a client error refuses is not tried again (developer guide, "Message delivery
retries").
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.background import is_passing, log_failure
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError
from local_sagemaker.records import Records
from local_sagemaker.records.store import Body
from local_sagemaker.services.sns.delivery_policies import CONTENT_TYPE, DEFAULTS, delay
from local_sagemaker.services.sns.topic_messages import KIND, TopicMessages

log = logging.getLogger(__name__)
PAUSE = 20.0
"""Seconds before dead letters that could not be sent are sent again."""
PATIENCE = 15.0
"""Seconds in which an endpoint must respond."""
IDLE = 5.0
AT_ONCE = 8
"""Deliveries of a region that are made at the same time."""


class Undelivered(Exception):
    """A delivery failed; `final` when another try is of no use."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class TopicDeliveries(Resource):
    """One region's deliveries."""

    def __init__(self, *, settings: Settings, records: Records, call: Call, topics: TopicMessages) -> None:
        self._settings, self._records, self._call = settings, records, call
        self._signal, self._ended = threading.Event(), threading.Event()
        self._running: set[str] = set()
        topics.subscribe(self._notice)

    def resume(self) -> None:
        """Begins to send, first what a stop left."""
        threading.Thread(target=self._run, name=f"topics-{self._settings.region}", daemon=True).start()

    def close(self) -> None:
        """Ends the thread; what is written down is sent at the next start."""
        self._ended.set()
        self._signal.set()

    def _notice(self, region: str) -> None:
        if region == self._settings.region:
            self._signal.set()

    def _run(self) -> None:
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="topics")
        while not self._ended.is_set():
            self._signal.clear()
            pause = IDLE
            with log_failure(log, "topics of %s", self._settings.region):
                for key, body in self._records.items(KIND):
                    if key not in self._running and body["due"] <= now():
                        self._running.add(key)
                        pool.submit(self._deliver, key)
                due = [body["due"] for key, body in self._records.items(KIND) if key not in self._running]
                pause = max(0.1, min([IDLE, *(time - now() for time in due)]))
            self._signal.wait(pause)
        pool.shutdown(wait=False, cancel_futures=True)

    def _deliver(self, key: str) -> None:
        """Makes a delivery that is still due: since it was listed it may have been made, or put off."""
        with log_failure(log, "message %s", key) as end:
            body = self._records.get(KIND, key)
            if body is not None and body["due"] <= now():
                failure = self._attempt(body)
                if failure is None:
                    self._records.delete(KIND, key)
                else:
                    self._put_off(key, body, failure)
        if end.failed:
            self._ended.wait(PAUSE)  # what could not even be written down: sent again, but not at once
        self._running.discard(key)

    def _attempt(self, body: Body) -> Undelivered | None:
        """Sends a message. Returns why it was not delivered; a fault of the service counts as a try, too."""
        failure: Undelivered | None = Undelivered("an error of the local service")
        with log_failure(log, "message to %s", body["endpoint"]):
            try:
                self._send(body)
                failure = None
            except Undelivered as error:
                failure = error
        return failure

    def _send(self, body: Body) -> None:
        if body["protocol"] == "lambda":
            request = {"FunctionName": body["endpoint"], "InvocationType": "Event", "Payload": _lambda_event(body)}
            try:
                self._call("lambda:Invoke", request)
            except ServiceError as error:
                raise Undelivered(error.message, final=error.status < 500) from error
            return
        post(body)

    def _put_off(self, key: str, body: Body, error: Undelivered) -> None:
        tries = body["tries"] + 1
        log.warning("message to %s: %s", body["endpoint"], error)
        pause = None
        with log_failure(log, "the delivery policy of %s", body["endpoint"]):  # without a pause it is given up
            pause = None if error.final else delay(body.get("policy") or DEFAULTS, tries)
        if pause is None and self._give_up(body):
            self._records.delete(KIND, key)
            return
        later = {"tries": tries, "due": now() + (PAUSE if pause is None else pause)}
        self._records.update(KIND, key, lambda current: {**current, **later})  # none after a reset

    def _give_up(self, body: Body) -> bool:
        """Sends a message to the dead letters, if there are any. Whether it need not be kept; a queue that does not
        exist takes none, as on AWS."""
        if not body["dead_letters"]:
            return True
        try:
            url = self._call("sqs:GetQueueUrl", {"QueueName": body["dead_letters"].split(":")[-1]})["QueueUrl"]
            self._call("sqs:SendMessage", {"QueueUrl": url, "MessageBody": json.dumps(body["body"])})
        except ServiceError as error:
            log.warning("dead letter of a message to %s: %s", body["endpoint"], error.message)
            return error.status < 500
        except Exception as error:
            log.exception("dead letter of a message to %s", body["endpoint"])
            return not is_passing(error)
        return True


def post(body: Body) -> None:
    """Sends a message to an HTTP endpoint. Raises `Undelivered`."""
    message = body["body"]
    headers = {
        "Content-Type": body.get("policy", {}).get("contentType", CONTENT_TYPE),
        "User-Agent": "Amazon Simple Notification Service Agent",
        "x-amz-sns-message-type": message["Type"], "x-amz-sns-message-id": message["MessageId"],
        "x-amz-sns-topic-arn": message["TopicArn"],
    }  # fmt: skip
    data = json.dumps(message, indent=2)
    if message["Type"] == "Notification":
        headers["x-amz-sns-subscription-arn"] = body["subscription"]
        if body["raw"]:
            headers["x-amz-sns-rawdelivery"] = "true"
            data = message["Message"]
    try:
        request = urllib.request.Request(body["endpoint"], data.encode(), headers, method="POST")
        with urllib.request.urlopen(request, timeout=PATIENCE):
            return
    except urllib.error.HTTPError as error:
        raise Undelivered(f"status {error.code}", final=400 <= error.code < 500 and error.code != 429) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Undelivered(str(error)) from error


def _lambda_event(body: Body) -> bytes:
    """The event of a function (Lambda developer guide, "Process Amazon SNS notifications")."""
    message: dict[str, Any] = {**body["body"], "Subject": body["body"].get("Subject")}
    renamed = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
    sent = {renamed.get(name, name): value for name, value in message.items()}
    record = {
        "EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": body["subscription"],
        "Sns": {"MessageAttributes": {}, **sent},
    }  # fmt: skip
    return json.dumps({"Records": [record]}).encode()
