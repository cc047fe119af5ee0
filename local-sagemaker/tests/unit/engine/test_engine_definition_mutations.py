"""Mutated definitions are read or refused: nothing else comes of them."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from local_sagemaker.engine.validation import read
from local_sagemaker.errors import ValidationError
from tests.unit.engine import definitions as made
from tests.unit.engine.world import get, processing, training, tuning

FILE = {"PropertyFileName": "F", "OutputName": "out", "FilePath": "f"}
READER = processing("B", Environment={"E": made.join(get("Steps.A.ProcessingJobName"), made.JSON_GET)})
CONDITIONS = [
    made.EQUAL,
    {"Type": "In", "QueryValue": 1, "Values": [1, get("Parameters.I")]},
    {"Type": "Or", "Conditions": [made.EQUAL]},
    {"Type": "Not", "Condition": made.EQUAL},
]
STEPS = [
    processing("A", PropertyFiles=[FILE], CacheConfig={"Enabled": True, "ExpireAfter": "P1D"}),
    training("Train", RetryPolicies=[{"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 2}]),
    tuning("Tune"),
    made.model(),
    made.register(),
    made.endpoint_config(),
    made.endpoint(),
    made.transform(),
    made.check(),
    made.check("ClarifyCheck", "DATA_BIAS") | {"Name": "Bias"},
    made.function(OutputParameters=made.OUTPUTS),
    made.condition(
        *CONDITIONS, IfSteps=[READER], ElseSteps=[{"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}]
    ),
]
VALUES: list[Any] = [
    None, True, 0, -1, 1.5, 10**30, "", "x", "Steps.A.", "Parameters.", [], {}, [None], [[]], {"Get": 1}, get("Steps"),
    get("Steps.A"), get("Steps.A['"), get(""), {"Std:Join": {}}, {"Std:Join": 1}, {"Std:JsonGet": {}},
    {"Std:JsonGet": {"Path": 1, "S3Uri": 2}}, {"a": {"b": 1}}, "\0", "é" * 300,
    {"Std:JsonGet": {"Path": "a", "PropertyFile": get("Steps.A.PropertyFiles.F")}},
]  # fmt: skip


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from paths(value[key], (*path, key))


@pytest.mark.parametrize("seed", range(8))
def test_mutated_definitions_are_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    text = made.text(*STEPS, PipelineExperimentConfig={"ExperimentName": get("Execution.PipelineName")})
    read(text)
    places = list(paths(json.loads(text)))
    for _ in range(400):
        mutated = json.loads(text)
        *way, last = chance.choice(places)
        inner: Any = mutated
        for key in way:
            inner = inner[key]
        if chance.random() < 0.75:
            inner[last] = copy.deepcopy(chance.choice(VALUES))
        else:
            del inner[last]
        try:
            read(json.dumps(mutated))
        except ValidationError as refused:
            assert refused.message
