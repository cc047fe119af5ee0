"""Updates of endpoints under load: no wrong answer, no lost request, shares as asked for, and the way back."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.integration.endpoint_models import ROWS, Made, booster, script, text
from tests.integration.event_targets import Queue, rule
from tests.support import SCIKIT_LEARN, Service, until

CLIENTS = 16
PAUSE = 0.1
"""Seconds between an answer and a client's next request: without, clients keep the cores busy that servers need."""
STATE, DEPLOYMENT = "SageMaker Endpoint State Change", "SageMaker Endpoint Deployment State Change"
MODELS = [booster(seed) for seed in range(3)]
ANSWERS = [model.predict(xgb.DMatrix(ROWS)) for model in MODELS]


@pytest.fixture
def made(service: Service) -> Made:
    return Made(service)


class Load:
    """Clients that each invoke again and again until told to stop, and what they got."""

    def __init__(self, made: Made, endpoint: str) -> None:
        self.runtime = made.service.client("sagemaker-runtime", config=Config(max_pool_connections=CLIENTS))
        self.endpoint = endpoint
        self.over = threading.Event()
        self.answers: Counter[int] = Counter()
        self.errors: list[Exception] = []
        self.wrong: list[str] = []

    def client(self, number: int) -> None:
        turn = number
        self.over.wait(PAUSE * number / CLIENTS)  # so that a request is under way at any time
        while not self.over.wait(PAUSE):
            turn = (turn + 7) % len(ROWS)
            try:
                answer = self.runtime.invoke_endpoint(
                    EndpointName=self.endpoint, Body=text(ROWS[turn : turn + 1]), ContentType="text/csv"
                )
                value = np.float32(answer["Body"].read().decode())
            except Exception as error:
                self.errors.append(error)
                continue
            found = [model for model, expected in enumerate(ANSWERS) if expected[turn] == value]
            if found:
                self.answers[found[0]] += 1
            else:
                self.wrong.append(f"row {turn}: {value}")

    def since(self, count: int) -> None:
        """Waits until this many more answers came."""
        before = self.answers.total()
        until(lambda: self.answers.total() >= before + count, "answers come")


@contextmanager
def load(made: Made, endpoint: str) -> Iterator[Load]:
    found = Load(made, endpoint)
    with ThreadPoolExecutor(CLIENTS) as pool:
        for number in range(CLIENTS):
            pool.submit(found.client, number)
        try:
            yield found
        finally:
            found.over.set()


def servers_of(endpoint: str) -> list[int]:
    """The first process of each of an endpoint's instances: those that have its folder mounted come one by one."""
    first: dict[str, int] = {}
    for process in sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        try:
            mounts = Path(f"/proc/{process}/mounts").read_text() + Path(f"/proc/{process}/mountinfo").read_text()
        except OSError:
            continue
        folder = re.search(f"/endpoints/[^/]+/{endpoint}/([^/ ]+)", mounts)
        if folder:
            first.setdefault(folder[1], process)
    return list(first.values())


def test_two_updates_and_a_killed_process_under_load(made: Made) -> None:
    names = [made.model(model) for model in MODELS]
    configs = [made.config(name, count=2) for name in names]
    endpoint = made.endpoint(configs[0])
    with load(made, endpoint) as found:
        found.since(200)
        made.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=configs[1])
        assert made.settled(endpoint)["EndpointConfigName"] == configs[1]
        found.since(200)
        assert not found.errors
        killed = servers_of(endpoint)
        assert len(killed) == 2
        os.kill(killed[0], signal.SIGKILL)
        found.since(200)
        lost = len(found.errors)
        until(lambda: len(set(servers_of(endpoint)) - set(killed)) == 1, "it is started again")
        made.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=configs[2])
        assert made.settled(endpoint)["EndpointConfigName"] == configs[2]
        found.since(200)
    assert not found.wrong
    assert len(found.errors) == lost <= CLIENTS
    for error in found.errors:
        assert isinstance(error, ClientError)
        assert error.response["Error"]["Code"] == "ModelError"
    assert all(found.answers[number] >= 200 for number in range(3))
    made.delete(endpoint)


def test_scaling_under_load_loses_nothing(made: Made) -> None:
    endpoint = made.endpoint(made.config(made.model(MODELS[0])))
    with load(made, endpoint) as found:
        for count in (3, 1, 2):
            made.sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=endpoint,
                DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": count}],
            )
            variant = made.settled(endpoint)["ProductionVariants"][0]
            assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (count, count)
            assert len(servers_of(endpoint)) == count
            found.since(100)
    assert not found.wrong
    assert not found.errors
    made.delete(endpoint)


@pytest.mark.parametrize(
    ("routing", "shares"),
    [
        ({"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 20}}, [0.2]),
        ({"Type": "LINEAR", "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 40}}, [0.4, 0.8]),
    ],
)
def test_the_share_of_each_step_is_what_was_asked_for(made: Made, routing: dict[str, Any], shares: list[float]) -> None:
    old, new = (made.config(made.model(model)) for model in MODELS[:2])
    endpoint = made.endpoint(old)
    policy = {"TrafficRoutingConfiguration": {**routing, "WaitIntervalInSeconds": 3}, "TerminationWaitInSeconds": 0}
    made.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=new, DeploymentConfig={"BlueGreenUpdatePolicy": policy}
    )
    measured = []
    for share in shares:
        wanted = f"{share:.0%} of the traffic"

        def baking(wanted: str = wanted) -> bool:
            found = made.sagemaker.describe_endpoint(EndpointName=endpoint)
            pending = found.get("PendingDeploymentSummary", {}).get("ProductionVariants", [{}])[0]
            status = pending.get("VariantStatus", [{}])[0]
            return status.get("Status") == "Baking" and status["StatusMessage"].startswith(wanted)

        until(baking, f"the step with {wanted}")
        answers = [np.float32(made.invoke(endpoint)["Body"].read().decode()) for _ in range(50)]
        measured.append(answers.count(ANSWERS[1][0]) / 50)
    assert measured == pytest.approx(shares, abs=0.021)
    assert made.settled(endpoint)["EndpointConfigName"] == new
    assert "PendingDeploymentSummary" not in made.sagemaker.describe_endpoint(EndpointName=endpoint)
    made.delete(endpoint)


def test_a_rolling_update(made: Made) -> None:
    old, new = (made.config(made.model(model), count=3) for model in MODELS[:2])
    endpoint = made.endpoint(old)
    policy = {"MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1}, "WaitIntervalInSeconds": 0}
    queue = events_of(made, endpoint)
    with load(made, endpoint) as found:
        made.sagemaker.update_endpoint(
            EndpointName=endpoint, EndpointConfigName=new, DeploymentConfig={"RollingUpdatePolicy": policy}
        )
        described = made.settled(endpoint)
        found.since(50)
    assert described["EndpointConfigName"] == new
    assert described["LastDeploymentConfig"] == {"RollingUpdatePolicy": policy}
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 3
    assert not found.wrong
    assert not found.errors
    assert len(servers_of(endpoint)) == 3
    received: list[Any] = []
    until(lambda: received.extend(queue.messages()) or len(received) >= 10, "the events of the update", 30)
    states = [event["detail"]["EndpointStatus"] for event in received if event["detail-type"] == STATE]
    assert states == ["UPDATING", "IN_SERVICE"]
    steps = [event["detail"] for event in received if event["detail-type"] == DEPLOYMENT]
    assert {(step["EndpointStatus"], step["EndpointConfigName"]) for step in steps} == {("UPDATING", old)}
    pending = [step["PendingDeploymentSummary"] for step in steps]
    assert {one["EndpointConfigName"] for one in pending} == {new}
    assert isinstance(pending[0]["StartTime"], int)
    stages = [one["ProductionVariants"][0].get("VariantStatus", [{}])[0].get("Status") for one in pending]
    assert stages == [None, *["Creating", "ActivatingTraffic"] * 3, "Deleting"]
    members = {"VariantName", "CurrentWeight", "DesiredWeight", "CurrentInstanceCount", "DesiredInstanceCount"}
    assert set(steps[0]["ProductionVariants"][0]) == set(pending[0]["ProductionVariants"][0]) == members
    scale = {"EndpointName": endpoint, "DesiredWeightsAndCapacities": [
        {"VariantName": "AllTraffic", "DesiredInstanceCount": 4}]}  # fmt: skip
    made.sagemaker.update_endpoint_weights_and_capacities(**scale)
    received.clear()
    until(lambda: received.extend(queue.messages()) or len(received) >= 3, "the events of the scaling", 30)
    (step,) = [event["detail"] for event in received if event["detail-type"] == DEPLOYMENT]
    (status,) = step["ProductionVariants"][0]["VariantStatus"]
    assert (status["Status"], status["StatusMessage"]) == ("Updating", "Scaling out desired instance count to 4.")
    assert "VariantStatus" not in made.settled(endpoint)["ProductionVariants"][0]
    made.delete(endpoint)


def events_of(made: Made, endpoint: str) -> Queue:
    """A queue with the events of an endpoint from now on."""
    queue = Queue(made.service, f"events-of-{endpoint}")
    rule(made.service.client("events"), f"events-of-{endpoint}", {"detail": {"EndpointName": [endpoint]}},
         Arn=queue.arn)  # fmt: skip
    return queue


def test_a_version_that_does_not_start_leaves_the_old_one(made: Made) -> None:
    old = made.config(made.model(MODELS[0]))
    endpoint = made.endpoint(old)
    bad = made.config(made.model(script("def model_fn(folder): raise RuntimeError('no')"), SCIKIT_LEARN))
    with load(made, endpoint) as found:
        made.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=bad)
        described = made.settled(endpoint)
        found.since(50)
    assert described["EndpointConfigName"] == old
    assert "did not pass the ping health check" in described["FailureReason"]
    assert not found.errors
    assert set(found.answers) == {0}
    made.delete(endpoint)


@pytest.mark.parametrize("early", [True, False])
def test_an_alarm_rolls_the_update_back(made: Made, early: bool) -> None:
    cloudwatch, alarm = made.service.client("cloudwatch"), f"alarm-{uuid.uuid4().hex[:8]}"
    cloudwatch.put_metric_alarm(
        AlarmName=alarm, MetricName="Invocation5XXErrors", Namespace="AWS/SageMaker", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum",
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM" if early else "OK", StateReason="test")
    old, new = (made.config(made.model(model)) for model in MODELS[:2])
    endpoint = made.endpoint(old)
    routing = {"Type": "CANARY", "WaitIntervalInSeconds": 60, "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50}}
    deployment = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]},
    }
    with load(made, endpoint) as found:
        made.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=new, DeploymentConfig=deployment)
        if not early:
            until(lambda: found.answers[1] >= 20, "the canary answers")
            cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
        described = made.settled(endpoint)
        before = found.answers[1]
        found.since(50)
    assert described["EndpointConfigName"] == old
    assert alarm in described["FailureReason"]
    assert not found.errors
    assert not found.wrong
    assert found.answers[1] <= before + CLIENTS  # those that were under way
    made.delete(endpoint)


def test_deployments_that_are_refused(made: Made) -> None:
    model = made.model(MODELS[0])
    endpoint, other = made.endpoint(made.config(model)), made.config(model)
    routing = {"WaitIntervalInSeconds": 0}
    size = {"Type": "CAPACITY_PERCENT", "Value": 60}
    table = [
        ({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {**routing, "Type": "CANARY"}}}, "needs CanarySize"),
        ({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration":
            {**routing, "Type": "CANARY", "CanarySize": size}}}, "between 1 and 50 percent"),
        ({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration":
            {**routing, "Type": "LINEAR", "LinearStepSize": {**size, "Value": 5}}}}, "between 10 and 50 percent"),
        ({"RollingUpdatePolicy": {"MaximumBatchSize": size, **routing}}, "between 5 and 50 percent"),
    ]  # fmt: skip
    for deployment, message in table:
        with pytest.raises(ClientError, match=message):
            made.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=other, DeploymentConfig=deployment)
    two = made.config(model, model)
    with pytest.raises(ClientError, match="the same variant names"):
        made.sagemaker.update_endpoint(
            EndpointName=endpoint, EndpointConfigName=two,
            DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration":
                {**routing, "Type": "ALL_AT_ONCE"}}},
        )  # fmt: skip
    assert made.settled(endpoint)["EndpointStatus"] == "InService"
    made.delete(endpoint)


def test_properties_are_retained_on_request(made: Made) -> None:
    model = made.model(MODELS[0])
    endpoint = made.endpoint(made.config(model))
    desired = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2, "DesiredWeight": 5.0}]
    made.sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=desired)
    made.settled(endpoint)
    made.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=made.config(model), RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredWeight"}],
    )  # fmt: skip
    variant = made.settled(endpoint)["ProductionVariants"][0]
    assert (variant["CurrentInstanceCount"], variant["CurrentWeight"]) == (2, 1.0)
    made.delete(endpoint)


def test_endpoints_come_back_after_a_kill(own_service: Service) -> None:
    made = Made(own_service)
    configs = [made.config(made.model(model)) for model in MODELS[:2]]
    endpoint = made.endpoint(configs[0])
    slow = made.config(made.model(script("import time\ndef model_fn(folder): time.sleep(60)"), SCIKIT_LEARN))
    other = made.endpoint(configs[1])
    made.sagemaker.update_endpoint(EndpointName=other, EndpointConfigName=slow)
    own_service.kill()
    own_service.up()
    made = Made(own_service)
    made.settled(endpoint)
    assert np.float32(made.invoke(endpoint)["Body"].read().decode()) == ANSWERS[0][0]
    described = made.sagemaker.describe_endpoint(EndpointName=other)  # the update is carried on
    assert described["EndpointStatus"] == "Updating"
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == slow
    assert np.float32(made.invoke(other)["Body"].read().decode()) == ANSWERS[1][0]
    began = time.monotonic()
    own_service.reset()
    assert time.monotonic() - began < 20  # it does not wait for what is being started
    assert made.sagemaker.list_endpoints()["Endpoints"] == []
    until(lambda: not servers_of(endpoint), "its processes have ended")
