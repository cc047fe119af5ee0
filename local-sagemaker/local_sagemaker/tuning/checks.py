"""What CreateHyperParameterTuningJob refuses.

Texts are AWS's where a public thread quotes them (noted); for the others only the rule is documented.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker import images
from local_sagemaker.api.operations import Request
from local_sagemaker.errors import ValidationError
from local_sagemaker.tuning.definitions import definitions, objective, ranges, training_request
from local_sagemaker.tuning.early_stopping import resources
from local_sagemaker.tuning.ranges import Categorical, combinations, parse

RequestCheck = Callable[[Request], None]


def check(request: Request, training_job: RequestCheck) -> None:
    """Raises ValidationError; `training_job` is the check of CreateTrainingJob, which each definition must pass."""
    config = request["HyperParameterTuningJobConfig"]
    if ("TrainingJobDefinition" in request) == ("TrainingJobDefinitions" in request):
        raise ValidationError("Specify either TrainingJobDefinition or TrainingJobDefinitions.")
    if "Autotune" in request or config.get("ParameterRanges", {}).get("AutoParameters"):
        raise ValidationError(
            "The local service does not choose ranges: Autotune and AutoParameters are not supported."
        )
    if config["Strategy"] == "Hyperband" and config.get("TrainingJobEarlyStoppingType") == "Auto":
        raise ValidationError("TrainingJobEarlyStoppingType must be Off when the strategy is Hyperband.")
    if config["Strategy"] != "Hyperband" and "HyperbandStrategyConfig" in config.get("StrategyConfig", {}):
        raise ValidationError("HyperbandStrategyConfig needs the strategy Hyperband.")
    for definition in definitions(request):
        _definition(request, definition, training_job)
    _size(request, config)


def total(request: Request) -> float:
    """How many different points all definitions have together."""
    return sum(combinations(parse(ranges(request, definition))) for definition in definitions(request))


def _definition(request: Request, definition: Mapping[str, Any], training_job: RequestCheck) -> None:
    several = "TrainingJobDefinitions" in request
    if several and not all(member in definition for member in ("DefinitionName", "TuningObjective")):
        raise ValidationError("Each of several TrainingJobDefinitions needs a DefinitionName and a TuningObjective.")
    wanted = objective(request, dict(definition))
    _metric(wanted.get("MetricName"), definition)
    space = parse(ranges(request, dict(definition)))
    if not space:
        raise ValidationError("At least one hyperparameter range is needed.")
    for one in space:
        if one.name in definition.get("StaticHyperParameters", {}):
            raise ValidationError(f"Hyperparameter '{one.name}' has both a range and a static value.")
    grid = request["HyperParameterTuningJobConfig"]["Strategy"] == "Grid"
    if grid and not all(isinstance(one, Categorical) for one in space):
        raise ValidationError("The strategy Grid takes categorical hyperparameters only.")
    if request["HyperParameterTuningJobConfig"]["Strategy"] == "Hyperband":
        _resources(request["HyperParameterTuningJobConfig"], definition)
    name = f"{request['HyperParameterTuningJobName']}-001-00000000"
    training_job(training_request(request, dict(definition), name, {}))


def _resources(config: Mapping[str, Any], definition: Mapping[str, Any]) -> None:
    bounds = resources(config, definition.get("StaticHyperParameters", {}))
    if bounds is None:
        raise ValidationError(
            "The strategy Hyperband needs MaxResource, or one of the static hyperparameters epochs, numepochs, "
            "n-epochs, n_epochs and num_epochs."
        )
    if bounds[0] > bounds[1]:
        raise ValidationError(f"MinResource ({bounds[0]}) must not be greater than MaxResource ({bounds[1]}).")


def _metric(name: str | None, definition: Mapping[str, Any]) -> None:
    """The objective must be one of the metrics (text: sagemaker-python-sdk issue 3932)."""
    algorithm = definition["AlgorithmSpecification"]
    metrics = {one["Name"] for one in algorithm.get("MetricDefinitions", [])}
    if "TrainingImage" in algorithm:
        image, uri = images.find(algorithm["TrainingImage"], "train")
        metrics |= {one["Name"] for one in image.default_metrics(uri)}
    if name not in metrics:
        raise ValidationError(
            "A metric is required for this hyperparameter tuning job objective. "
            "Provide a metric in the metric definitions."
        )


def _size(request: Request, config: Mapping[str, Any]) -> None:
    """Enough points for the training jobs (text: amazon-sagemaker-operator-for-k8s issue 123); for a grid, exactly."""
    points, limit = total(request), config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if limit is None:
        return
    if points < limit:
        raise ValidationError(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges [{float(points)}] must be equal or greater than the value of "
            f"MaxNumberOfJobs, [{limit}]. Provide additional ranges."
        )
    if config["Strategy"] == "Grid" and points != limit:
        raise ValidationError(
            f"With the strategy Grid, MaxNumberOfTrainingJobs must be the number of combinations, {int(points)}, "
            f"or be left out; it is {limit}."
        )
