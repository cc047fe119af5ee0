"""When the events of stacks are published."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.operations import Response
from local_sagemaker.arns import Arns
from local_sagemaker.records import Records
from local_sagemaker.services.cloudformation.stack_notifications import StackNotifications
from local_sagemaker.services.cloudformation.stack_store import StackStore, key_of

RESOURCE = {"LogicalResourceId": "Topic", "ResourceType": "AWS::SNS::Topic"}


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    made = Records(tmp_path / "records.sqlite")
    yield made
    made.close()


def test_each_event_of_a_resource_is_published_when_it_is_written(records: Records) -> None:
    published: list[str] = []

    def call(_name: str, request: dict[str, Any]) -> Response:
        published.append(request["Message"].partition("ResourceStatus='")[2].partition("'")[0])
        return {}

    store = StackStore(records, Arns("123456789012", "us-east-1"))
    store.subscribe(lambda stack_id: store.notifications.publish(call, key_of(stack_id)))
    identity = store.new_id("s")
    store.insert({"StackId": identity, "StackName": "s", "StackStatus": "x", "NotificationARNs": ["topic"]})
    store.put_resource(identity, RESOURCE, "CREATE_IN_PROGRESS")
    assert published == ["CREATE_IN_PROGRESS"]
    store.put_resource(identity, RESOURCE, "CREATE_COMPLETE")
    store.note(identity, RESOURCE, "DELETE_SKIPPED")
    assert published == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "DELETE_SKIPPED"]


def test_an_event_is_published_once_though_two_threads_publish(records: Records) -> None:
    notifications, sent = StackNotifications(records, "123456789012"), list[str]()
    begun, released = threading.Event(), threading.Event()

    def call(name: str, _request: dict[str, Any]) -> Response:
        sent.append(name)
        begun.set()
        released.wait(60)
        return {}

    notifications.add("s/1", ["topic"], {"StackId": "s", "Timestamp": 0.0, "EventId": "e"})
    threads = [threading.Thread(target=notifications.publish, args=(call, key), daemon=True) for key in ("s/1", "")]
    for thread in threads:
        thread.start()
        assert begun.wait(60)
    threads[1].join(0.1)  # it waits for the first, or publishes again
    released.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert sent == ["sns:Publish"]
