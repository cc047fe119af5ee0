"""EventBridge: buses, rules and their targets, archives and replays; SageMaker's own events reach them."""

from __future__ import annotations

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.records import Records
from local_sagemaker.services.events.archive_store import ArchiveStore
from local_sagemaker.services.events.archives import Archives
from local_sagemaker.services.events.event_bus import EventBus
from local_sagemaker.services.events.put_events import Entries
from local_sagemaker.services.events.replays import Replays
from local_sagemaker.services.events.rule_store import RuleStore
from local_sagemaker.services.events.rules import Buses, Rules


def build(*, settings: Settings, records: Records, objects: DiskObjects, call: Call) -> list[Resource]:
    """The service's resources."""
    store = RuleStore(records, settings.arns)
    archives = ArchiveStore(store, settings.arns)
    bus = EventBus(settings=settings, store=store, archives=archives, call=call, changes=objects.changes)
    return [
        Rules(store=store, changed=bus.wake), Buses(store=store), Archives(store=archives),
        Replays(store=archives, changed=bus.wake), Entries(store=store, bus=bus),
    ]  # fmt: skip
