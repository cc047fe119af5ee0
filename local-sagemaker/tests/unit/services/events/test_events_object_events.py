"""The events of objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_sagemaker.arns import Arns
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.event_notifications import NOTIFICATIONS, ObjectChange
from local_sagemaker.services.events.object_events import object_event


@pytest.mark.parametrize("is_versioned", [True, False])
def test_each_event_of_an_object_has_a_greater_sequencer(tmp_path: Path, *, is_versioned: bool) -> None:
    objects, changes = DiskObjects(tmp_path), list[ObjectChange]()
    objects.buckets.create("bucket")
    objects.buckets.keep_setting("bucket", NOTIFICATIONS, {"EventBridgeConfiguration": {}})
    if is_versioned:
        objects.buckets.set_versioning("bucket", "Enabled")
    objects.changes.subscribe(changes.append)
    first = objects.put("bucket", "key", b"text").version
    objects.delete("bucket", "key")
    objects.put("bucket", "key", b"other")
    objects.delete("bucket", "key", first if is_versioned else None)
    objects.close()
    found = [object_event(change, Arns("123456789012", "us-east-1")) for change in changes]
    numbers = [detail["object"]["sequencer"] for _, _, detail in found]
    assert [kind for kind, _, _ in found] == ["Object Created", "Object Deleted"] * 2
    assert numbers == sorted(set(numbers))
