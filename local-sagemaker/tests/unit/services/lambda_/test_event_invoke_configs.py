"""Of changes to configurations of event invocations at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.services.lambda_.event_invoke_configs import EventInvokeConfigs
from local_sagemaker.services.lambda_.names import FunctionReference
from local_sagemaker.services.lambda_.store import FunctionStore


@pytest.fixture
def store(tmp_path: Path) -> FunctionStore:
    store = FunctionStore(settings=Settings(home=tmp_path), records=Records(tmp_path / "records"))
    store.insert("f", {"FunctionName": "f"})
    return store


def meet(
    monkeypatch: pytest.MonkeyPatch, store: FunctionStore, read: str, other: Callable[[], Any]
) -> threading.Thread:
    """Has another thread do something right after the first read, if it can do it then."""
    plain, thread = getattr(store, read), threading.Thread(target=other)

    def read_and_wait(reference: FunctionReference) -> Any:
        result = plain(reference)
        if thread.ident is None:
            thread.start()
            thread.join(0.2)
        return result

    monkeypatch.setattr(store, read, read_and_wait)
    return thread


def test_of_two_updates_none_is_lost(store: FunctionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    configs, name = EventInvokeConfigs(store=store), {"FunctionName": "f"}
    configs.put({**name, "MaximumRetryAttempts": 1})
    other = meet(monkeypatch, store, "event_config", lambda: configs.update({**name, "MaximumEventAgeInSeconds": 90}))
    configs.update({**name, "MaximumRetryAttempts": 0})
    other.join()
    found = configs.get(name)
    assert (found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]) == (0, 90)


def test_none_outlives_its_function(store: FunctionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    other = meet(monkeypatch, store, "find", lambda: store.delete(FunctionReference("f")))
    EventInvokeConfigs(store=store).put({"FunctionName": "f", "MaximumRetryAttempts": 0})
    other.join()
    assert store.event_configs("f") == []
