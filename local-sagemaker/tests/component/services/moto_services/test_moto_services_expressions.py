"""What moto takes for regular expressions holds up nobody."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.component.services.moto_services.bridge import Bridge

LONG = "a" * 79 + "b"


def _queues(client: Any) -> None:
    sqs = client("sqs")
    sqs.create_queue(QueueName=LONG)
    assert "QueueUrls" in sqs.list_queues(QueueNamePrefix="aaa")
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="(a+)+$")


def _tags(client: Any) -> None:
    ecr = client("ecr")
    ecr.create_repository(repositoryName="models")
    ecr.put_image_tag_mutability(
        repositoryName="models", imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "(a+)+$"}],
    )  # fmt: skip
    for _ in range(2):
        ecr.put_image(repositoryName="models", imageManifest=json.dumps({"schemaVersion": 2}), imageTag=LONG)


@pytest.mark.parametrize("use", [_queues, _tags])
def test_other_threads_run(bridge: Bridge, client: Any, use: Callable[[Any], None]) -> None:
    error: list[BaseException] = []

    def work() -> None:
        try:
            use(client)
        except Exception as problem:
            error.append(problem)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    longest = 0.0
    while thread.is_alive():
        before = time.monotonic()
        time.sleep(0.005)
        longest = max(longest, time.monotonic() - before)
    assert longest < 5  # moto's import takes a while; an expression that ran in this process would take for ever
    assert not [problem for problem in error if isinstance(problem, AssertionError)], error
