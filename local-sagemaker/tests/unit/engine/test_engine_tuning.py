"""Tuning steps: the job's name, what is retried, and going on after a kill."""

from __future__ import annotations

import pytest

from local_sagemaker.engine.job_names import name_tuning_job
from local_sagemaker.errors import ServiceError
from tests.unit.engine.world import World, fails, hang, tuning


@pytest.mark.parametrize(
    ("step", "prefix", "start"),
    [
        ("HPTuning", None, "abcdefghijkl-HPTunin-"),
        ("A", None, "abcdefghijkl-A-"),
        ("Tune__-it", None, "abcdefghijkl-Tune-"),
        ("HPTuning", "my-own-prefix-of-some-length", "my-own-prefix-of-s-abcdef-"),
        ("HPTuning", "mine", "mine-abcdef-"),
    ],
)
def test_names_have_at_most_32_characters(step: str, prefix: str | None, start: str) -> None:
    name = name_tuning_job("abcdefghijkl", step, prefix)
    assert name.startswith(start)
    assert len(name) <= 32


def test_an_internal_error_is_never_retried(world: World) -> None:
    world.plan = {"A": fails("InternalServerError: try again.")}
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 1}
    arn = world.run([tuning("A", RetryPolicies=[policy])])
    step = world.steps(arn)["A"]
    assert (step["StepStatus"], step["AttemptCount"]) == ("Failed", 1)
    assert step["FailureReason"] == "ClientError: InternalServerError: try again."


def test_a_limit_is_retried_by_policy(world: World) -> None:
    world.refuse["-A-"] = [ServiceError("too many", code="ResourceLimitExceeded", status=400)]
    policy = {"ExceptionType": ["SageMaker.RESOURCE_LIMIT"], "IntervalSeconds": 1, "BackoffRate": 0.01}
    arn = world.run([tuning("A", RetryPolicies=[policy])])
    assert (world.status(arn), world.steps(arn)["A"]["AttemptCount"]) == ("Succeeded", 2)


def test_a_killed_execution_takes_its_tuning_job_up_again(world: World) -> None:
    world.plan = {"A": hang}
    world.create([tuning("A")])
    arn = world.start()
    name = world.job_of(arn, "A")
    world.close()
    world.open()
    world.executions.resume()
    world.tuning.end(name, "Completed")
    assert world.status(world.wait(arn)) == "Succeeded"
    assert world.steps(arn)["A"]["Metadata"]["TuningJob"]["Arn"].endswith(f"hyper-parameter-tuning-job/{name}")
