"""Warm starts: what may differ from the parents."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from local_sagemaker.errors import ValidationError
from local_sagemaker.tuning.warm_start import check_parent

ETA = {"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}
DEPTH = {"Name": "max_depth", "MinValue": "2", "MaxValue": "5"}
PARENT: dict[str, Any] = {
    "HyperParameterTuningJobConfig": {
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
        "ParameterRanges": {"ContinuousParameterRanges": [ETA], "IntegerParameterRanges": [DEPTH]},
    },
    "TrainingJobDefinition": {
        "AlgorithmSpecification": {"TrainingImage": "image:1", "TrainingInputMode": "File"},
        "StaticHyperParameters": {**{f"p{number}": "1" for number in range(12)}, "_tuning_objective_metric": "x"},
        "EnableNetworkIsolation": False,
    },
}


def child(**definition: Any) -> dict[str, Any]:
    new = deepcopy(PARENT)
    new["TrainingJobDefinition"] |= definition
    return new


def tuned(**ranges: Any) -> dict[str, Any]:
    new = deepcopy(PARENT)
    new["HyperParameterTuningJobConfig"]["ParameterRanges"] = ranges
    return new


def static(**values: str) -> dict[str, Any]:
    return child(StaticHyperParameters={**PARENT["TrainingJobDefinition"]["StaticHyperParameters"], **values})


NAMES = "The set of tunable plus static HyperParameter names is not the same across current and parent tuning jobs."
MINIMIZED = deepcopy(PARENT)
MINIMIZED["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"] = "Minimize"


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (tuned(ContinuousParameterRanges=[ETA]), NAMES),
        (tuned(ContinuousParameterRanges=[ETA, {**DEPTH, "Name": "gamma"}]), NAMES),
        (static(extra="1"), NAMES),
        (tuned(ContinuousParameterRanges=[ETA, DEPTH]), "The type of hyperparameter max_depth"),
        (
            child(Environment={"A": "b"}),
            r"Only the following fields in TrainingJobDefinition are allowed to change: \[a",
        ),
        (child(EnableNetworkIsolation=True), "Only the following fields"),
        (MINIMIZED, "objective"),
        (static(**{f"p{number}": "2" for number in range(11)}), "11 hyperparameters"),
    ],
)
def test_what_may_not_differ(request_: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        check_parent(request_, PARENT)


def test_what_may_differ() -> None:
    check_parent(PARENT, PARENT)
    check_parent(static(**{f"p{number}": "2" for number in range(10)}, _tuning_objective_metric="y"), PARENT)
    check_parent(child(AlgorithmSpecification={"TrainingImage": "image:2", "TrainingInputMode": "File"}), PARENT)
    fewer = tuned(ContinuousParameterRanges=[{**ETA, "MaxValue": "0.9"}])
    fewer["TrainingJobDefinition"]["StaticHyperParameters"]["max_depth"] = "4"
    check_parent(fewer, PARENT)
    check_parent(PARENT, fewer)
    several = {**PARENT, "TrainingJobDefinitions": [child(Environment={"A": "b"})["TrainingJobDefinition"]]}
    del several["TrainingJobDefinition"]
    check_parent(several, PARENT)
