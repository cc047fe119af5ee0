"""What a request writes when another one came between its first look and its own transaction."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from local_sagemaker.api.operations import Call, Request, Response
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.records import Records
from local_sagemaker.services.codebuild.batch_store import BatchStore
from local_sagemaker.services.codebuild.batches import BuildBatches
from local_sagemaker.services.codebuild.build_store import BuildStore
from local_sagemaker.services.codebuild.errors import InvalidInput, UnknownProject
from local_sagemaker.services.codebuild.projects import Projects
from local_sagemaker.services.codebuild.reports import ReportStore
from local_sagemaker.services.codebuild.reports import TestReports as ReportOperations
from local_sagemaker.services.events.archive_store import ARCHIVED, ArchiveStore
from local_sagemaker.services.events.rule_store import RuleStore
from local_sagemaker.services.sagemaker.tags import Tags
from local_sagemaker.services.scheduler.groups import ScheduleGroups
from local_sagemaker.services.scheduler.schedule_runner import ScheduleRunner
from local_sagemaker.services.scheduler.schedules import Schedules
from local_sagemaker.services.scheduler.store import FIRED, SCHEDULE, ScheduleStore

SCHEDULE_REQUEST = {
    "Name": "s", "GroupName": "g", "ScheduleExpression": "rate(1 minute)", "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": "arn:aws:lambda:us-east-1:123456789012:function:f", "RoleArn": "arn:aws:iam::1:role/r"},
}  # fmt: skip
PROJECT = {
    "name": "p", "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2"}, "artifacts": {"type": "NO_ARTIFACTS"},
    "environment": {"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL"}, "serviceRole": "r",
}  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    records = Records(tmp_path / "records.sqlite")
    yield records
    records.close()


def test_builds_that_are_counted_while_a_project_changes_stay_counted(records: Records, settings: Settings) -> None:
    store, roles = BuildStore(records, settings.arns), MagicMock()
    roles.distrusts.return_value = False
    projects = Projects(store=store, roles=roles)
    projects.create(dict(PROJECT))

    def distrusts(*_: str) -> bool:
        store.add(store.project("p"), {"buildStatus": "IN_PROGRESS"})
        return False

    roles.distrusts.side_effect = distrusts
    projects.update({"name": "p", "description": "changed"})
    roles.distrusts.side_effect = lambda *_: projects.delete({"name": "p"})
    assert store.add(store.project("p"), {})["buildNumber"] == 2
    with pytest.raises(UnknownProject):
        projects.update({"name": "p"})


def test_a_batch_is_retried_by_one_of_two_requests(records: Records, settings: Settings) -> None:
    builds = BuildStore(records, settings.arns)
    store, services = BatchStore(builds), MagicMock(store=builds)
    batch = store.add(
        {"name": "p"}, {"buildBatchStatus": "FAILED", "phases": [{}], "endTime": 0, "buildBatchConfig": {}}
    )
    batches = BuildBatches(store=store, builds=MagicMock(), services=services)
    store.change(batch["id"], lambda body: body.update(buildBatchStatus="IN_PROGRESS"))
    batches._store = MagicMock(wraps=store, require=lambda _: batch)
    with pytest.raises(InvalidInput, match="only failed ones are retried"):
        batches.retry({"id": batch["id"]})


def test_a_report_is_of_a_group_that_exists(records: Records, settings: Settings) -> None:
    store = ReportStore(records, settings.arns)
    group = store.insert("g", "TEST")
    ReportOperations(store=store).delete({"arn": group["arn"]})
    with pytest.raises(UnknownProject):
        store.add(group, "build", [])
    assert store.reports() == []


def schedules(store: ScheduleStore, between: Any) -> Schedules:
    def has(_: str) -> bool:
        between()
        return True

    return Schedules(store=store, firing=MagicMock(), has=has)


@pytest.mark.parametrize("name", ["create", "update"])
def test_a_schedule_is_made_in_no_group_that_was_deleted_in_between(
    records: Records, settings: Settings, name: str
) -> None:
    store = ScheduleStore(records, settings.arns)
    groups = ScheduleGroups(store=store)
    groups.create({"Name": "g"})
    if name == "update":
        schedules(store, lambda: None).create(dict(SCHEDULE_REQUEST))
    target = {**SCHEDULE_REQUEST["Target"], "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deletePipeline"}  # type: ignore[dict-item]
    with pytest.raises(ServiceError, match="does not exist"):
        getattr(schedules(store, lambda: groups.delete({"Name": "g"})), name)({**SCHEDULE_REQUEST, "Target": target})
    assert records.list(SCHEDULE) == []


def test_a_schedule_that_is_deleted_or_changed_as_it_falls_due_is_not_as_before(
    records: Records, settings: Settings
) -> None:
    store = ScheduleStore(records, settings.arns)
    ScheduleGroups(store=store).create({"Name": "g"})
    owner = schedules(store, lambda: None)
    owner.create(dict(SCHEDULE_REQUEST))
    runner, read = ScheduleRunner(store, MagicMock()), store.schedule("g", "s")
    owner.update({**SCHEDULE_REQUEST, "State": "DISABLED"})
    changed = store.schedule("g", "s")
    runner._write(read, 0.0, 1.0)
    assert store.schedule("g", "s") == changed
    owner.delete({"GroupName": "g", "Name": "s"})
    runner._write(read, 0.0, 1.0)
    assert (records.list(SCHEDULE), records.list(FIRED)) == ([], [])


def test_no_event_is_kept_for_a_deleted_archive(records: Records, settings: Settings) -> None:
    store = ArchiveStore(RuleStore(records, settings.arns), settings.arns)
    store.keep("gone", {"id": "1"})
    assert records.list(ARCHIVED) == []


def test_a_resource_that_is_deleted_while_it_is_tagged_leaves_no_tags(records: Records) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model/m"

    def call(_: str, __: Request) -> Response:
        found = records.delete("model", "m")
        if not found:
            raise ValidationError("Could not find model")
        return {}

    records.put("model", "m", {})
    checked: Call = call
    tags = Tags(records, checked)
    with pytest.raises(ValidationError, match="Could not find model"):
        tags.add({"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "b"}]})
    assert tags.of(arn) == []
