"""CloudWatch Logs over the log files of jobs and endpoints. One class per resource; add a new one to `build`."""

from __future__ import annotations

from local_sagemaker.api.operations import Resource
from local_sagemaker.config import Settings
from local_sagemaker.logs import Logs
from local_sagemaker.services.logs.log_events import LogEvents
from local_sagemaker.services.logs.log_groups import LogGroups
from local_sagemaker.services.logs.log_streams import LogStreams


def build(*, settings: Settings, logs: Logs) -> list[Resource]:
    """The resources whose marked methods are the operations of CloudWatch Logs."""
    return [
        LogGroups(settings=settings, logs=logs),
        LogStreams(settings=settings, logs=logs),
        LogEvents(logs=logs),
    ]
