"""How a tuning job continues: how many training jobs to start, whether to stop those that run, how it ends. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.records.own_members import own_tuning_job
from local_sagemaker.records.status import JobStatus
from local_sagemaker.records.store import Body
from local_sagemaker.tuning import training_jobs as tried

_ATTEMPTS = 5
_IMPROVED = 0.01  # of the best value so far: less counts as no improvement (API reference, TuningJobCompletionDetails)
_DEFAULT_MAXIMUM = 750  # the quota of training jobs for a tuning job


@dataclass(frozen=True)
class TuningDecision:
    """What to do now. With `status` the tuning job ends so once no training job runs; `stop` those that do."""

    launch: int = 0
    stop: bool = False
    status: str | None = None
    reason: str | None = None


def decide(body: Body, trials: list[Body], moment: float) -> TuningDecision:
    """Looks at a tuning job's record and its training jobs. `moment` in seconds since the epoch."""
    if body["HyperParameterTuningJobStatus"] == JobStatus.STOPPING:
        return TuningDecision(stop=True, status=JobStatus.STOPPED)
    limits: Mapping[str, int] = body["HyperParameterTuningJobConfig"]["ResourceLimits"]
    if moment - body["CreationTime"] >= limits.get("MaxRuntimeInSeconds", float("inf")) or _complete(body, trials):
        return TuningDecision(stop=True, status=JobStatus.COMPLETED)
    ended = [trial for trial in trials if tried.has_ended(trial)]
    if len(ended) >= _ATTEMPTS and (reason := failure(ended)):
        return TuningDecision(status=JobStatus.FAILED, reason=reason)
    left = maximum(body) - len(trials)
    running = len(trials) - len(ended)
    if left <= 0:
        reason = failure(ended) if not running else None
        return TuningDecision(status=JobStatus.FAILED if reason else JobStatus.COMPLETED, reason=reason)
    return TuningDecision(launch=max(0, min(left, limits["MaxParallelTrainingJobs"] - running)))


def maximum(body: Body) -> int:
    """How many training jobs there are to be at most."""
    limits = body["HyperParameterTuningJobConfig"]["ResourceLimits"]
    return int(limits.get("MaxNumberOfTrainingJobs", own_tuning_job(body).get("_combinations", _DEFAULT_MAXIMUM)))


def failure(ended: list[Body]) -> str | None:
    """The FailureReason when no training job was any good, else None.

    The first text is AWS's, as users quote it; of the second no record was at hand, only what it says.
    """
    if not any(trial["TrainingJobStatus"] != JobStatus.FAILED for trial in ended):
        return (
            f"No training job succeeded after {_ATTEMPTS if len(ended) >= _ATTEMPTS else len(ended)} attempts. "
            "For additional details, please take a look at the training job failures by listing training jobs for the "
            "hyperparameter tuning job."
        )
    if not any(tried.value(trial) is not None for trial in ended):
        return (
            f"No objective metrics found after running {len(ended)} training jobs. Please ensure that the custom "
            "algorithm is emitting the objective metric as defined by the regular expression provided."
        )
    return None


def not_improving(trials: list[Body]) -> int:
    """How many training jobs have ended since the objective got better by 1 % or more."""
    best: float | None = None
    count = 0
    for trial in sorted(filter(tried.has_ended, trials), key=lambda trial: trial.get("TrainingEndTime", 0.0)):
        value = tried.value(trial)
        if value is None:
            count += 1
            continue
        minimise = trial["FinalHyperParameterTuningJobObjectiveMetric"]["Type"] == "Minimize"
        gain = None if best is None else (best - value if minimise else value - best)
        if gain is None or best is None or gain > _IMPROVED * abs(best):
            best, count = value, 0
        else:
            count += 1
    return count


def _complete(body: Body, trials: list[Body]) -> bool:
    criteria: Mapping[str, Any] = body["HyperParameterTuningJobConfig"].get("TuningJobCompletionCriteria", {})
    best = tried.best_first(trials)
    target = criteria.get("TargetObjectiveMetricValue")
    if best and target is not None:
        final = best[0]["FinalHyperParameterTuningJobObjectiveMetric"]
        if final["Value"] <= target if final["Type"] == "Minimize" else final["Value"] >= target:
            return True
    limit = criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
    return limit is not None and bool(best) and not_improving(trials) >= limit
