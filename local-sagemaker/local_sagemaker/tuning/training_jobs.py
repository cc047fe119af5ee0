"""The training jobs of a tuning job: one record each, kept apart from the training job's own, which may be deleted.

A record is the HyperParameterTrainingJobSummary of the API; it is written before the training job is created.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from local_sagemaker.records import Records
from local_sagemaker.records.own_members import own_tuned_job
from local_sagemaker.records.status import JobStatus, ObjectiveStatus
from local_sagemaker.records.store import Body

KIND = "tuning-trial"
_SHOWN = ("TrainingJobArn", "CreationTime", "TrainingStartTime", "TrainingEndTime", "TrainingJobStatus")


class TunedTrainingJobs:
    """The records of all tuning jobs' training jobs."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def of(self, tuning_job: str) -> list[Body]:
        """Those of one tuning job, in the order they were made."""
        return self._records.list(KIND, f"{tuning_job}/")

    def put(self, tuning_job: str, trial: Body) -> None:
        """Adds or replaces one."""
        self._records.put(KIND, f"{tuning_job}/{own_tuned_job(trial)['_number']}", trial)

    def drop(self, tuning_job: str) -> None:
        """Forgets those of one tuning job."""
        for trial in self.of(tuning_job):
            self._records.delete(KIND, f"{tuning_job}/{own_tuned_job(trial)['_number']}")


def has_ended(trial: Body) -> bool:
    """Whether its outcome is known."""
    return JobStatus(trial["TrainingJobStatus"]).is_final


def value(trial: Body) -> float | None:
    """The objective metric's final value, once there is one."""
    final = trial.get("FinalHyperParameterTuningJobObjectiveMetric")
    return float(final["Value"]) if final else None


def update(trial: Body, job: Mapping[str, Any], objective: Mapping[str, str]) -> Body:
    """The trial with what DescribeTrainingJob says. `objective` is its definition's."""
    trial = {**trial, **{member: job[member] for member in _SHOWN if member in job}}
    if not has_ended(trial):
        return trial
    if job.get("FailureReason"):
        trial["FailureReason"] = job["FailureReason"]
    name = objective["MetricName"]
    values = [one["Value"] for one in job.get("FinalMetricDataList", []) if one["MetricName"] == name]
    has_value = bool(values) and math.isfinite(values[-1]) and trial["TrainingJobStatus"] != JobStatus.FAILED
    trial["ObjectiveStatus"] = ObjectiveStatus.SUCCEEDED if has_value else ObjectiveStatus.FAILED
    if has_value:
        final = {"Type": objective["Type"], "MetricName": name, "Value": values[-1]}
        trial["FinalHyperParameterTuningJobObjectiveMetric"] = final
    return trial


def status_counters(trials: list[Body]) -> dict[str, int]:
    """TrainingJobStatusCounters. Only a failure inside the service can be retried (API reference)."""
    known = (JobStatus.COMPLETED, JobStatus.IN_PROGRESS, "RetryableError", "NonRetryableError", JobStatus.STOPPED)
    counted: dict[str, int] = dict.fromkeys(map(str, known), 0)
    for trial in trials:
        status = trial["TrainingJobStatus"]
        if status == JobStatus.FAILED:
            internal = trial.get("FailureReason", "").startswith("InternalServerError")
            status = "RetryableError" if internal else "NonRetryableError"
        counted[status if status in counted else str(JobStatus.IN_PROGRESS)] += 1
    return counted


def objective_counters(trials: list[Body]) -> dict[str, int]:
    """ObjectiveStatusCounters."""
    counted = {str(status): 0 for status in ObjectiveStatus}
    for trial in trials:
        counted[trial["ObjectiveStatus"]] += 1
    return counted


def best_first(trials: list[Body]) -> list[Body]:
    """Those with a final objective metric, the best first; of equal ones the earlier."""
    known = [trial for trial in trials if value(trial) is not None]

    def rank(trial: Body) -> float:
        final = trial["FinalHyperParameterTuningJobObjectiveMetric"]
        return float(final["Value"] if final.get("Type") == "Minimize" else -final["Value"])

    return sorted(known, key=rank)
