"""The training job definitions of a tuning job, and the requests that they become. Pure."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from local_sagemaker.objects.uris import join
from local_sagemaker.records.store import Body

_SAME = (
    "RoleArn", "InputDataConfig", "OutputDataConfig", "StoppingCondition", "VpcConfig", "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining", "RetryStrategy", "Environment",
)  # fmt: skip
_ALGORITHM = ("TrainingImage", "AlgorithmName", "TrainingInputMode", "MetricDefinitions")
_SIZE = ("InstanceType", "InstanceCount", "VolumeSizeInGB")


def definitions(body: Body) -> list[dict[str, Any]]:
    """All definitions of a tuning job's record or request."""
    one = body.get("TrainingJobDefinition")
    return [one] if one else list(body.get("TrainingJobDefinitions", []))


def objective(body: Body, definition: Body) -> dict[str, str]:
    """Type and MetricName of a definition's objective: its own, else the tuning job's."""
    config = body["HyperParameterTuningJobConfig"]
    target = definition.get("TuningObjective") or config.get("HyperParameterTuningJobObjective") or {}
    return dict(target)


def ranges(body: Body, definition: Body) -> dict[str, Any]:
    """The ParameterRanges of a definition: its own, else the tuning job's."""
    config = body["HyperParameterTuningJobConfig"]
    return dict(definition.get("HyperParameterRanges") or config.get("ParameterRanges") or {})


def training_request(body: Body, definition: Body, name: str, tuned: dict[str, str]) -> dict[str, Any]:
    """The CreateTrainingJob request of one training job. AWS adds the objective's name to the hyperparameters."""
    request = {member: deepcopy(definition[member]) for member in _SAME if member in definition}
    request["TrainingJobName"] = name
    algorithm = definition["AlgorithmSpecification"]
    request["AlgorithmSpecification"] = {member: algorithm[member] for member in _ALGORITHM if member in algorithm}
    request["ResourceConfig"] = _resources(definition)
    request["HyperParameters"] = {
        "_tuning_objective_metric": objective(body, definition).get("MetricName", ""),
        **definition.get("StaticHyperParameters", {}),
        **tuned,
    }
    if "CheckpointConfig" in definition:
        checkpoints = definition["CheckpointConfig"]
        request["CheckpointConfig"] = {**checkpoints, "S3Uri": join(checkpoints["S3Uri"], name)}
    return request


def _resources(definition: Body) -> dict[str, Any]:
    """The cluster; of a list of alternatives the first, since every instance type is this machine."""
    if "ResourceConfig" in definition:
        return deepcopy(dict(definition["ResourceConfig"]))
    config = definition.get("HyperParameterTuningResourceConfig", {})
    alternatives = config.get("InstanceConfigs")
    chosen = {**config, **(alternatives[0] if alternatives else {})}
    sizes = {member: chosen[member] for member in _SIZE if member in chosen}
    if "VolumeKmsKeyId" in config:
        sizes["VolumeKmsKeyId"] = config["VolumeKmsKeyId"]
    return {"VolumeSizeInGB": 30, **sizes}
