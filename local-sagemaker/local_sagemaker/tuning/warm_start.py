"""Warm starts: what the training jobs of earlier tuning jobs found counts in a new one.

What is needed of the parents is copied when the new tuning job is created, so that they may be deleted.
"""

from __future__ import annotations

from collections.abc import Callable

from local_sagemaker.api.operations import Request
from local_sagemaker.errors import ValidationError
from local_sagemaker.records.own_members import TuningJobRecord, own_tuning_job
from local_sagemaker.records.status import JobStatus
from local_sagemaker.records.store import Body, public
from local_sagemaker.tuning import training_jobs
from local_sagemaker.tuning.training_jobs import TunedTrainingJobs

STATUS = "HyperParameterTuningJobStatus"


def take_over(request: Request, require: Callable[[str], Body], trials: TunedTrainingJobs) -> Body:
    """The members of the new record that hold it: ``_parents``, all points with a result, and ``_best``, the best
    training job. Raises what `require` does for a parent that does not exist."""
    points, best = [], []
    for parent in request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", []):
        body = require(parent["HyperParameterTuningJobName"])
        name = body["HyperParameterTuningJobName"]
        if not JobStatus(body[STATUS]).is_final:
            raise ValidationError(f"The parent tuning job {name} is in status {body[STATUS]}; it must have ended.")
        ranked = training_jobs.best_first(trials.of(name))
        best += [{**public(trial), "TuningJobName": name} for trial in ranked[:1]]
        points += [
            {"values": trial["TunedHyperParameters"], "objective": training_jobs.value(trial)} for trial in ranked
        ]
    return {**TuningJobRecord(_parents=points, _best=best)} if points else {}


def overall(body: Body, best: list[Body]) -> Body | None:
    """OverallBestTrainingJob: only where data and algorithm are the parents' (API reference)."""
    if body.get("WarmStartConfig", {}).get("WarmStartType") != "IdenticalDataAndAlgorithm":
        return None
    own = [{**public(trial), "TuningJobName": body["HyperParameterTuningJobName"]} for trial in best[:1]]
    ranked = training_jobs.best_first([*own, *own_tuning_job(body).get("_best", [])])
    return ranked[0] if ranked else None
