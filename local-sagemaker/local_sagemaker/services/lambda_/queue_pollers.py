"""Reads queues for functions: batches, invocations, deletions; a thread for each mapping that is enabled."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.background import log_failure
from local_sagemaker.errors import ServiceError
from local_sagemaker.records import Records
from local_sagemaker.records.store import Body
from local_sagemaker.services.lambda_.queue_events import (
    QueueMessage,
    event_of,
    failed_ids,
    passes,
    read_filters,
    records_of,
)

KIND = "event-source-mapping"
ENABLED, DISABLED = "Enabled", "Disabled"
IDLE = 0.5
"""Seconds between looks at a queue that had nothing."""
AFTER_ERROR = 5.0
PARALLEL = 5
"""Batches of a mapping that are at work at once, unless its ScalingConfig says otherwise: AWS begins with five."""
_RECEIVED = 10
_LARGEST = 6 * 1024 * 1024 - _RECEIVED * 256 * 1024
"""Bytes of a batch beyond which nothing more is read into it: an event has at most 6 MB."""
log = logging.getLogger(__name__)


class QueuePollers:
    """The pollers of one region."""

    def __init__(self, *, records: Records, call: Call) -> None:
        self._records, self._call = records, call
        self._running: dict[str, QueuePoller] = {}
        self._lock = threading.Lock()

    def start(self, identity: str) -> None:
        """Begins to read for a mapping, as it is now; does not where it is not enabled."""
        with self._lock:
            if (old := self._running.pop(identity, None)) is not None:
                old.stop()
            body = self._records.get(KIND, identity)
            if body is not None and body["State"] == ENABLED:
                self._running[identity] = QueuePoller(body, self._call)

    def stop(self, identity: str) -> None:
        """Reads no more for a mapping; batches at work end."""
        with self._lock:
            if (poller := self._running.pop(identity, None)) is not None:
                poller.stop()

    def stop_all(self) -> None:
        """Reads no more."""
        with self._lock:
            for poller in self._running.values():
                poller.stop()
            self._running.clear()


class QueuePoller:
    """Reads one queue for one function."""

    def __init__(self, mapping: Body, call: Call) -> None:
        self._mapping, self._call = mapping, call
        self._queue = mapping["EventSourceArn"]
        self._filters = read_filters(mapping.get("FilterCriteria"))
        self._slots = threading.Semaphore(mapping.get("ScalingConfig", {}).get("MaximumConcurrency", PARALLEL))
        self._ended = threading.Event()
        self._url = ""
        threading.Thread(target=self._run, name=f"queue {self._queue.rpartition(':')[2]}", daemon=True).start()

    def stop(self) -> None:
        """Reads no more."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._slots.acquire()
            messages: list[QueueMessage] = []
            with log_failure(log, "queue %s", self._queue) as end:
                messages = self._collect()
            if messages:
                threading.Thread(target=self._work, args=(messages,), name="queue batch", daemon=True).start()
            else:
                self._slots.release()
                self._ended.wait(AFTER_ERROR if end.failed else IDLE)

    def _collect(self) -> list[QueueMessage]:
        """A batch: what there is, up to the batch's size; with a window, what comes in it."""
        messages: list[QueueMessage] = []
        until = None
        while not self._ended.is_set():
            more = self._receive(min(_RECEIVED, self._mapping["BatchSize"] - len(messages)))
            messages += more
            if more and until is None:
                until = time.monotonic() + self._mapping["MaximumBatchingWindowInSeconds"]
            size = sum(len(message["Body"]) for message in messages)
            if until is None or len(messages) >= self._mapping["BatchSize"] or size > _LARGEST:
                break
            if (left := until - time.monotonic()) <= 0:
                break
            if not more:
                self._ended.wait(min(IDLE, left))
        return messages

    def _receive(self, most: int) -> Sequence[QueueMessage]:
        try:
            request = {"QueueUrl": self._find_url(), "MaxNumberOfMessages": most,
                       "AttributeNames": ["All"], "MessageAttributeNames": ["All"], "WaitTimeSeconds": 0}  # fmt: skip
            return list(self._call("sqs:ReceiveMessage", request).get("Messages", ()))
        except ServiceError as error:
            log.warning("queue %s: %s", self._queue, error.message)
            self._ended.wait(AFTER_ERROR)
            return []

    def _find_url(self) -> str:
        if not self._url:
            self._url = url_of(self._call, self._queue)
        return self._url

    def _work(self, messages: list[QueueMessage]) -> None:
        try:
            with log_failure(log, "messages of %s", self._queue):
                self._deliver(messages)
        finally:
            self._slots.release()

    def _deliver(self, messages: list[QueueMessage]) -> None:
        """Invokes the function; deletes what is done and what no filter lets pass. The rest becomes visible again when
        the queue's time is over."""
        records = records_of(messages, self._queue)
        passed = [record for record in records if passes(record, self._filters)]
        failed = self._invoke(passed) if passed else set()
        done = [record for record in records if record["messageId"] not in failed]
        for start in range(0, len(done), _RECEIVED):
            entries = [
                {"Id": str(number), "ReceiptHandle": record["receiptHandle"]}
                for number, record in enumerate(done[start : start + _RECEIVED])
            ]
            self._call("sqs:DeleteMessageBatch", {"QueueUrl": self._find_url(), "Entries": entries})

    def _invoke(self, records: Sequence[dict[str, Any]]) -> set[str]:
        """The ids of the messages that the function has not done."""
        sent = [record["messageId"] for record in records]
        try:
            response = self._call(
                "lambda:Invoke", {"FunctionName": self._mapping["FunctionArn"], "Payload": event_of(records)}
            )
        except ServiceError as error:
            log.warning("messages of %s: %s", self._queue, error.message)
            return set(sent)
        if "FunctionError" in response:
            return set(sent)
        reports = "ReportBatchItemFailures" in self._mapping["FunctionResponseTypes"]
        return failed_ids(response["Payload"], sent) if reports else set()


def url_of(call: Call, queue: str) -> str:
    """The URL of a queue by its ARN."""
    account, name = queue.split(":")[4:6]
    return str(call("sqs:GetQueueUrl", {"QueueName": name, "QueueOwnerAWSAccountId": account})["QueueUrl"])
