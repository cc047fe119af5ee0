"""Endpoints and what is killed beneath them: the service during a change, fork servers, model servers."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from tests.integration.endpoint_models import ROWS, Made, booster, floats
from tests.support import Service, until

OLD, NEW = booster(1), booster(2)


@pytest.fixture
def made(own_service: Service) -> Made:
    return Made(own_service)


def restarted(made: Made, when: Callable[[], Any] = lambda: None) -> Made:
    """The same service after a kill."""
    made.service.kill()
    when()
    made.service.up()
    return Made(made.service)


def answers_as(made: Made, endpoint: str, model: xgb.Booster) -> None:
    got = floats(made.invoke(endpoint, ROWS[:5])["Body"].read())
    assert np.allclose(got, model.predict(xgb.DMatrix(ROWS[:5])), rtol=1e-5)


def fork_servers(service: Service) -> set[int]:
    """The running fork servers of a service."""
    found = set()
    for task in Path(f"/proc/{service.description['pid']}/task").iterdir():
        for pid in (task / "children").read_text().split():
            with contextlib.suppress(OSError):
                if b"fork_server" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.add(int(pid))
    return found


@pytest.mark.parametrize("times", [1, 2])
def test_an_acknowledged_update_is_carried_on_after_kills(made: Made, times: int) -> None:
    endpoint, config = made.endpoint(made.config(made.model(OLD))), made.config(made.model(NEW))
    made.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
    for _ in range(times):
        made = restarted(made)
    found = made.settled(endpoint)
    assert found["EndpointConfigName"] == config
    assert "FailureReason" not in found
    assert "PendingDeploymentSummary" not in found
    answers_as(made, endpoint, NEW)


def test_until_an_update_is_carried_on_the_old_models_answer(made: Made) -> None:
    policy = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "WaitIntervalInSeconds": 120,
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
            },
            "TerminationWaitInSeconds": 0,
        }
    }
    endpoint, config = made.endpoint(made.config(made.model(OLD), count=2)), made.config(made.model(NEW), count=2)
    made.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config, DeploymentConfig=policy)
    made = restarted(made)
    made.invoke(endpoint)
    found = made.sagemaker.describe_endpoint(EndpointName=endpoint)
    assert found["EndpointStatus"] == "Updating"
    assert found["PendingDeploymentSummary"]["EndpointConfigName"] == config


def test_an_acknowledged_change_of_capacity_is_carried_on_after_a_kill(made: Made) -> None:
    endpoint = made.endpoint(made.config(made.model(OLD)))
    change = {"VariantName": "AllTraffic", "DesiredInstanceCount": 3, "DesiredWeight": 0.5}
    made.sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=[change])
    made = restarted(made)
    [variant] = made.settled(endpoint)["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["CurrentWeight"]) == (3, 0.5)
    answers_as(made, endpoint, OLD)


def test_acknowledged_creations_and_deletions_are_carried_on_after_a_kill(made: Made) -> None:
    config = made.config(made.model(OLD))
    going = made.endpoint(config)
    coming = made.endpoint(config, wait=False)
    made.sagemaker.delete_endpoint(EndpointName=going)
    made = restarted(made)
    made.settled(coming)
    answers_as(made, coming, OLD)
    names = [one["EndpointName"] for one in made.sagemaker.list_endpoints()["Endpoints"]]
    assert names == [coming]


def test_an_endpoint_survives_kills_of_fork_servers_and_their_successors(made: Made) -> None:
    endpoint = made.endpoint(made.config(made.model(OLD), count=2))
    first = fork_servers(made.service)
    for pid in first:
        os.kill(pid, signal.SIGKILL)
    for pid in until(lambda: fork_servers(made.service) - first, "a successor loads"):
        os.kill(pid, signal.SIGKILL)

    def answered() -> bool:
        with contextlib.suppress(Exception):
            answers_as(made, endpoint, OLD)
            return True
        return False

    until(answered, "the endpoint answers again", 90)
    assert made.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService"


def test_an_endpoint_that_is_being_created_survives_a_kill_of_the_fork_server(made: Made) -> None:
    config = made.config(made.model(OLD))
    endpoint = made.endpoint(config, wait=False)
    for pid in until(lambda: fork_servers(made.service), "a fork server starts"):
        os.kill(pid, signal.SIGKILL)
    made.settled(endpoint)
    answers_as(made, endpoint, OLD)
