"""Changes of a resource's status are events: numbered, published once committed, kept over a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_sagemaker.events import Event
from local_sagemaker.records import Records
from local_sagemaker.records.event_log import EventLog
from local_sagemaker.records.store import GLOBAL, AlreadyExists, Body

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/a"


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    made = Records(tmp_path / "records.sqlite")
    yield made
    made.close()


def job(status: str = "InProgress", **more: str) -> Body:
    return {"TrainingJobName": "a", "TrainingJobArn": ARN, "TrainingJobStatus": status, "_spec": 1, **more}


def listen(records: Records) -> list[Event]:
    seen: list[Event] = []
    records.events.subscribe(seen.append)
    return seen


def test_each_way_of_writing_a_new_status_is_an_event(records: Records) -> None:
    seen = listen(records)
    records.insert("training-job", "a", job())
    records.update("training-job", "a", lambda body: body.update(TrainingJobStatus="Stopping"))
    records.put("training-job", "a", job("Stopped"))
    records.delete("training-job", "a")
    assert [(event.previous, event.status) for event in seen] == [
        (None, "InProgress"), ("InProgress", "Stopping"), ("Stopping", "Stopped"), ("Stopped", "Deleted"),
    ]  # fmt: skip
    last = seen[-1]
    assert (last.arn, last.kind, last.name, last.key, last.region) == (ARN, "training-job", "a", "a", "us-east-1")
    assert last.body == {"TrainingJobName": "a", "TrainingJobArn": ARN, "TrainingJobStatus": "Stopped"}
    assert [event.number for event in seen] == [1, 2, 3, 4]
    assert seen == records.event_log.after(0)


def test_what_changes_no_status_is_none(records: Records) -> None:
    records.insert("training-job", "a", job())
    seen = listen(records)
    records.update("training-job", "a", lambda body: body.update(FailureReason="soon"))
    records.put("training-job", "a", job())
    records.put("request-token", "t", {"status": "x"})
    records.delete("training-job", "b")
    records.update("training-job", "b", lambda body: body.update(TrainingJobStatus="Failed"))
    with pytest.raises(AlreadyExists):
        records.insert("training-job", "a", job("Failed"))
    assert seen == []


def test_stages_and_approvals_are_events(records: Records) -> None:
    seen = listen(records)
    records.put("training-job", "a", job(SecondaryStatus="Starting"))
    records.put("training-job", "a", job(SecondaryStatus="Training"))
    package = {"ModelPackageArn": "p", "ModelPackageStatus": "Completed"}
    records.put("model-package", "g/1", {**package, "ModelApprovalStatus": "PendingManualApproval"})
    records.put("model-package", "g/1", {**package, "ModelApprovalStatus": "Approved"})
    assert [event.status for event in seen] == ["InProgress", "InProgress", "PendingManualApproval", "Approved"]


def test_kinds_without_a_status_are_created_and_deleted(records: Records) -> None:
    seen = listen(records)
    records.insert("endpoint-config", "c", {"EndpointConfigName": "c", "EndpointConfigArn": "arn"})
    records.delete("endpoint-config", "c")
    assert [event.status for event in seen] == ["Created", "Deleted"]


def test_events_come_after_the_commit_and_not_at_all_after_a_rollback(records: Records) -> None:
    seen = listen(records)
    with records.transaction():
        records.insert("training-job", "a", job())
        records.put("training-job", "a", job("Completed"))
        assert seen == []
    assert [event.status for event in seen] == ["InProgress", "Completed"]
    with pytest.raises(RuntimeError), records.transaction():
        records.put("training-job", "a", job("Failed"))
        raise RuntimeError
    records.put("other", "x", {})
    assert len(seen) == len(records.event_log.after(0)) == 2


def test_a_listener_may_write(records: Records) -> None:
    records.events.subscribe(lambda event: records.put("seen", event.key, {"status": event.status}))
    records.insert("training-job", "a", job())
    assert records.get("seen", "a") == {"status": "InProgress"}


def test_regions_have_buses_of_their_own_and_one_together(records: Records) -> None:
    here, all_regions, away = listen(records), listen(records.of(GLOBAL)), listen(records.of("eu-west-1"))
    records.of("eu-west-1").insert("training-job", "a", job())
    assert here == []
    assert [event.region for event in all_regions] == [event.region for event in away] == ["eu-west-1"]
    assert records.event_log.after(0, region="us-east-1") == []
    assert len(records.event_log.after(0, region="eu-west-1")) == 1


def test_the_log_outlives_a_restart_and_numbers_only_grow(tmp_path: Path) -> None:
    first = Records(tmp_path / "records.sqlite")
    first.insert("training-job", "a", job())
    first.close()
    second = Records(tmp_path / "records.sqlite")
    second.put("training-job", "a", job("Completed"))
    assert [event.number for event in second.event_log.after(0)] == [1, 2]
    assert second.event_log.after(1)[0].status == "Completed"
    second.clear()
    assert (second.event_log.after(0), second.event_log.newest(), second.event_log.oldest()) == ([], 2, 3)
    second.insert("training-job", "a", job())
    assert second.event_log.newest() == 3
    second.close()


def test_the_log_is_bounded(records: Records) -> None:
    records.event_log = EventLog(records._database, kept=100)
    for number in range(300):
        records.put("training-job", "a", job(str(number)))
    kept = records.event_log.after(0, limit=1000)
    assert 100 <= len(kept) < 100 + 64
    assert records.event_log.oldest() == kept[0].number
    assert records.event_log.newest() == kept[-1].number == 300
