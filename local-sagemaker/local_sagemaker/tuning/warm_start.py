"""Warm starts: what the training jobs of earlier tuning jobs found counts in a new one.

What is needed of the parents is copied when the new tuning job is created, so that they may be deleted. What may differ
from them: developer guide, "Warm start tuning restrictions"; the texts are AWS's where a public thread is named.
"""

from __future__ import annotations

from collections.abc import Callable

from local_sagemaker.api.operations import Request
from local_sagemaker.errors import ValidationError
from local_sagemaker.records.own_members import TuningJobRecord, own_tuning_job
from local_sagemaker.records.status import JobStatus
from local_sagemaker.records.store import Body, public
from local_sagemaker.tuning import training_jobs
from local_sagemaker.tuning.definitions import definitions, objective, ranges
from local_sagemaker.tuning.ranges import parse
from local_sagemaker.tuning.training_jobs import TunedTrainingJobs

STATUS = "HyperParameterTuningJobStatus"
_MOST_CHANGES = 10
_MAY_CHANGE = (
    "algorithmSpecification, inputDataConfig, outputDataConfig, staticHyperParameters, roleArn, resourceConfig, "
    "stoppingCondition, vpcConfig, enableManagedSpotTraining, checkpointConfig"
)
_MUST_STAY = ("Environment", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "RetryStrategy")


def take_over(request: Request, require: Callable[[str], Body], trials: TunedTrainingJobs) -> Body:
    """The members of the new record that hold it: ``_parents``, all points with a result, and ``_best``, the best
    training job. Raises what `require` does for a parent that does not exist."""
    points, best = [], []
    for parent in request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", []):
        body = require(parent["HyperParameterTuningJobName"])
        name = body["HyperParameterTuningJobName"]
        if not JobStatus(body[STATUS]).is_final:
            raise ValidationError(f"The parent tuning job {name} is in status {body[STATUS]}; it must have ended.")
        check_parent(request, body)
        ranked = training_jobs.best_first(trials.of(name))
        best += [{**public(trial), "TuningJobName": name} for trial in ranked[:1]]
        points += [
            {"values": trial["TunedHyperParameters"], "objective": training_jobs.value(trial)} for trial in ranked
        ]
    return {**TuningJobRecord(_parents=points, _best=best)} if points else {}


def check_parent(request: Request, parent: Body) -> None:
    """Raises ValidationError for what may not differ from a parent. Of several definitions none is compared."""
    if not ("TrainingJobDefinition" in request and "TrainingJobDefinition" in parent):
        return
    new, old = request["TrainingJobDefinition"], parent["TrainingJobDefinition"]
    if objective(request, new) != objective(parent, old):
        raise ValidationError("The objective of a warm start tuning job must be that of its parent tuning jobs.")
    # A member that is absent has its default, which is false or empty. Text: sagemaker-python-sdk issue 3693
    if any((new.get(member) or None) != (old.get(member) or None) for member in _MUST_STAY):
        raise ValidationError(
            f"Only the following fields in TrainingJobDefinition are allowed to change: [{_MAY_CHANGE}]."
        )
    _check_hyperparameters(request, parent)


def _check_hyperparameters(request: Request, parent: Body) -> None:
    (tuned, static), (tuned_before, static_before) = _hyperparameters(request), _hyperparameters(parent)
    if {*tuned, *static} != {*tuned_before, *static_before}:  # text: amazon-sagemaker-examples issue 861
        raise ValidationError(
            "The set of tunable plus static HyperParameter names is not the same across current and parent tuning "
            "jobs. Please ensure this set is constant when warm starting. Note that previously static HyperParameters "
            "can be tuned in warm start jobs and vice versa."
        )
    if changed := sorted(name for name in tuned if tuned_before.get(name, tuned[name]) != tuned[name]):
        raise ValidationError(f"The type of hyperparameter {changed[0]} is not that of the parent tuning jobs.")
    changes = sum(static_before.get(name) != value for name, value in static.items())
    if changes > _MOST_CHANGES:
        raise ValidationError(
            f"{changes} hyperparameters have become static or changed their static value since the parent tuning jobs; "
            f"at most {_MOST_CHANGES} may."
        )


def _hyperparameters(body: Body) -> tuple[dict[str, tuple[type, bool]], dict[str, str]]:
    """The type of each hyperparameter that is tuned, and the values of those that are not. Without the SDK's own."""
    [definition] = definitions(body)
    tuned = {one.name: (type(one), getattr(one, "whole", False)) for one in parse(ranges(body, definition))}
    static = definition.get("StaticHyperParameters", {})
    return tuned, {name: value for name, value in static.items() if not name.startswith("_tuning_objective")}


def overall(body: Body, best: list[Body]) -> Body | None:
    """OverallBestTrainingJob: only where data and algorithm are the parents' (API reference)."""
    if body.get("WarmStartConfig", {}).get("WarmStartType") != "IdenticalDataAndAlgorithm":
        return None
    own = [{**public(trial), "TuningJobName": body["HyperParameterTuningJobName"]} for trial in best[:1]]
    ranked = training_jobs.best_first([*own, *own_tuning_job(body).get("_best", [])])
    return ranked[0] if ranked else None
