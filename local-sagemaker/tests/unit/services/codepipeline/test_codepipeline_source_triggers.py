"""Objects that are polled: which versions start an execution. Each look is that of a service that starts anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import CONNECTED_REFERENCE
from local_sagemaker.services.codepipeline.execution_start import ExecutionStart, Trigger
from local_sagemaker.services.codepipeline.pipeline_store import PipelineStore
from local_sagemaker.services.codepipeline.source_triggers import SourceTriggers

SOURCE = {
    "name": "Source", "actionTypeId": {"category": "Source", "provider": "S3"},
    "configuration": {"S3Bucket": "bucket", "S3ObjectKey": "source.zip"},
}  # fmt: skip
STRUCTURE = {"version": 1, "executionMode": "QUEUED", "stages": [{"name": "Source", "actions": [SOURCE]}]}


class PolledPipeline:
    """A pipeline whose source is an object."""

    def __init__(self, settings: Settings, records: Records, objects: DiskObjects) -> None:
        self._objects = objects
        self.store = PipelineStore(records, settings.arns)
        self._starter = ExecutionStart(self.store, lambda: None, "caller")

    def create(self) -> None:
        self.store.put("p", STRUCTURE, {"version": 1})
        self.run(self.upload("first"))

    def upload(self, text: str) -> str:
        self._objects.put("bucket", "source.zip", text.encode())
        info = self._objects.head("bucket", "source.zip")
        assert info is not None
        return str(info.version)

    def run(self, version: str) -> None:
        """An execution whose source took this version."""
        identity = self._starter.start("p", Trigger("CreatePipeline", ""))
        row = {"actionName": "Source", "revisionId": version}
        self.store.change_execution(self.store.execution("p", identity), lambda body: body.update(_sources=[row]))

    def look(self) -> int:
        """How many executions a look at the object starts."""
        before = len(self.store.executions("p"))
        SourceTriggers(self.store, self._starter, lambda *_: None, self._objects).look()
        return len(self.store.executions("p")) - before


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[PolledPipeline]:
    settings = Settings(home=tmp_path)
    records, objects = Records(settings.records_file), DiskObjects(settings.objects)
    objects.buckets.create("bucket")
    objects.buckets.set_versioning("bucket", "Enabled")
    made = PolledPipeline(settings, records, objects)
    made.create()
    yield made
    objects.close()
    records.close()


def test_a_new_version_starts_one_execution(pipeline: PolledPipeline) -> None:
    assert pipeline.look() == 0
    pipeline.upload("second")
    assert [pipeline.look(), pipeline.look()] == [1, 0]


def test_an_execution_of_an_older_version_starts_none_of_the_newer(pipeline: PolledPipeline) -> None:
    """A rollback, or a start with a version of its own."""
    assert pipeline.look() == 0
    pipeline.run("an older version")
    assert pipeline.look() == 0


def test_a_version_that_an_execution_took_before_the_look_starts_no_other(pipeline: PolledPipeline) -> None:
    assert pipeline.look() == 0
    pipeline.run(pipeline.upload("second"))
    assert pipeline.look() == 0


def test_what_came_before_the_first_look_is_new(pipeline: PolledPipeline) -> None:
    pipeline.upload("second")
    assert pipeline.look() == 1


def test_a_pipeline_that_is_made_again_knows_nothing_of_the_one_before(pipeline: PolledPipeline) -> None:
    assert pipeline.look() == 0
    pipeline.store.delete("p")
    pipeline.store.put("p", STRUCTURE, {"version": 1})
    pipeline.upload("second")
    assert pipeline.look() == 0


def test_a_source_that_cannot_be_looked_at_holds_back_no_other(
    pipeline: PolledPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = {**SOURCE, "configuration": {"S3Bucket": "bad", "S3ObjectKey": "x"}}
    pipeline.store.put("a-bad", {**STRUCTURE, "stages": [{"name": "Source", "actions": [bad]}]}, {"version": 1})
    pipeline.create()
    pipeline.upload("second")
    head = pipeline._objects.head

    def fail(bucket: str, key: str) -> Any:
        if bucket == "bad":
            raise KeyError("a fault")
        return head(bucket, key)

    monkeypatch.setattr(pipeline._objects, "head", fail)
    assert pipeline.look() == 1


def test_a_push_that_cannot_be_read_holds_up_no_other(tmp_path: Path) -> None:
    settings, asked = Settings(home=tmp_path), []

    def repositories(_provider: str, name: str) -> None:
        asked.append(name)
        raise ValueError(name)

    records = Records(settings.records_file)
    store = PipelineStore(records, settings.arns)
    starter = ExecutionStart(store, lambda: None, "caller")
    objects = DiskObjects(settings.objects)
    triggers = SourceTriggers(store, starter, repositories, objects)
    triggers.look()
    reference = {"repositoryName": "me/code", "referenceName": "main", "referenceType": "branch", "commitId": "1" * 40}
    records.put(CONNECTED_REFERENCE.kind, "me/code/main", reference)
    triggers.look()
    triggers.look()
    assert asked == ["me/code"], "it was looked at, and is passed over from then on"
    objects.close()
    records.close()
