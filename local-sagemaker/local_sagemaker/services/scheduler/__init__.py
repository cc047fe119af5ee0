"""EventBridge Scheduler: schedules in groups, with time zones and flexible windows, and the requests that they make."""

from __future__ import annotations

from collections.abc import Callable

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.services.scheduler.groups import ScheduleGroups
from local_sagemaker.services.scheduler.schedule_runner import ScheduleRunner
from local_sagemaker.services.scheduler.schedules import Schedules
from local_sagemaker.services.scheduler.store import ScheduleStore

__all__ = ["build"]


def build(*, settings: Settings, records: Records, call: Call, has: Callable[[str], bool]) -> list[Resource]:
    """The service's resources. `has` says whether an operation is here."""
    store = ScheduleStore(records, settings.arns)
    firing = ScheduleRunner(store, call)
    return [Schedules(store=store, firing=firing, has=has), ScheduleGroups(store=store)]
