"""``model-registry deploy`` with a traffic policy and alarms, as its user sees it, against the service."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from delivery.traffic import Size, Traffic
from tests.project.delivering import mistaken, register, registry, regressor, upload
from tests.support import COMMANDS, Service

ROW = "0.25,0.5"
SLOW = ("--traffic-wait", "1")


def predicted(depth: int) -> float:
    import numpy
    import xgboost

    model: Any = regressor(depth)[1]
    return float(model.predict(xgboost.DMatrix(numpy.array([[0.25, 0.5]], "float32")))[0])


def two_versions(service: Service, group: str) -> None:
    """A group of two approved versions, of which the first is deployed."""
    service.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)
    for depth in (1, 2):
        register(service, group, upload(service, f"{group}-{depth}", depth=depth), ModelApprovalStatus="Approved")
    said = registry(service, "deploy", f"{group}/1", "--traffic", "canary")
    assert f"endpoint {group} created: {group}/1 on 1 x ml.m5.large (new: there is no traffic to shift)" in said


def alarm(service: Service, name: str, state: str) -> None:
    cloudwatch = service.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name, MetricName="Invocation5XXErrors", Namespace="AWS/SageMaker", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")


def asked(service: Service, endpoint: str) -> dict[str, Any]:
    """The DeploymentConfig that the endpoint was last updated with."""
    return dict(service.client("sagemaker").describe_endpoint(EndpointName=endpoint)["LastDeploymentConfig"])


def test_a_canary_and_linear_steps_are_shown_and_end_with_the_new_version(service: Service) -> None:
    two_versions(service, "t-canary")
    alarm(service, "t-canary-errors", "OK")
    said = registry(
        service, "deploy", "t-canary/2", "--instance-count", "2", "--traffic", "canary", "--traffic-size", "1",
        "--traffic-wait", "2", "--termination-wait", "1", "--alarm", "t-canary-errors",
    )  # fmt: skip
    assert "endpoint t-canary updated: t-canary/2 on 2 x ml.m5.large, canary of 1 instance for 2 s" in said
    assert "endpoint t-canary: Updating, Baking (50% of the traffic" in said
    assert said.index("Baking (50%") < said.index("endpoint t-canary: InService")
    assert float(registry(service, "invoke", "t-canary", ROW)) == predicted(2)
    policy = asked(service, "t-canary")
    assert policy["BlueGreenUpdatePolicy"] == {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "WaitIntervalInSeconds": 2,
            "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1},
        },
        "TerminationWaitInSeconds": 1,
    }
    assert policy["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": "t-canary-errors"}]}

    said = registry(
        service, "deploy", "t-canary/1", "--traffic", "linear", "--traffic-size", "40%", "--traffic-wait", "5"
    )
    assert "in steps of 40% every 5 s" in said
    assert "40% of the traffic" in said and "80% of the traffic" in said
    routing = asked(service, "t-canary")["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert (routing["Type"], routing["LinearStepSize"]) == ("LINEAR", {"Type": "CAPACITY_PERCENT", "Value": 40})


def test_an_alarm_takes_the_update_back_and_the_old_version_serves(service: Service) -> None:
    two_versions(service, "t-back")
    alarm(service, "t-back-quiet", "OK")
    alarm(service, "t-back-rings", "ALARM")
    words = ("deploy", "t-back/2", "--traffic", "all-at-once", *SLOW)
    said = registry(service, *words, "--alarm", "t-back-quiet", "--alarm", "t-back-rings", fails=1)
    assert said.startswith("model-registry: the update of t-back was rolled back, t-back/1 still serves: ")
    assert "t-back-rings" in said and "t-back-quiet" not in said
    assert float(registry(service, "invoke", "t-back", ROW)) == predicted(1)
    assert "rolled back, t-back/1 still serves" in registry(service, "wait", "t-back", fails=1)
    assert "endpoint t-back: InService" in registry(service, "deploy", "t-back/1")


MISTAKES = [
    (["--traffic", "canry"], 2, "canry does not exist; did you mean canary?"),
    (["--traffic", "canary", "--traffic-size", "60%"], 1, "--traffic-size of a canary is 1% to 50%, not 60%"),
    (["--traffic", "linear", "--traffic-size", "5%"], 1, "--traffic-size of linear steps is 10% to 50%, not 5%"),
    (["--traffic", "canary", "--traffic-size", "2", "--instance-count", "2"], 1, "at most half of the 2 instances"),
    (["--traffic-size", "10%"], 1, "--traffic-size goes with --traffic canary or linear"),
    (["--traffic", "canary", "--traffic-size", "x"], 2, "x is neither a percentage like 20% nor a number of instances"),
    (["--traffic-wait", "3601"], 2, "3601 is not a number from 0 to 3600"),
    (["--alarm", "t-mistake-alarn"], 1, "there is no alarm t-mistake-alarn; did you mean t-mistake-alarm?"),
]


@pytest.fixture(scope="module")
def approved(service: Service) -> str:
    service.client("sagemaker").create_model_package_group(ModelPackageGroupName="t-mistake")
    register(service, "t-mistake", upload(service, "t-mistake"), ModelApprovalStatus="Approved")
    alarm(service, "t-mistake-alarm", "OK")
    return "t-mistake"


@pytest.mark.parametrize(("words", "code", "text"), MISTAKES, ids=[" ".join(words)[:50] for words, _, _ in MISTAKES])
def test_a_mistake_is_one_line_that_helps(
    service: Service, approved: str, capsys: pytest.CaptureFixture[str], words: list[str], code: int, text: str
) -> None:
    assert text in mistaken(service, capsys, ["deploy", approved, *words], code)


def test_the_time_that_a_policy_takes() -> None:
    assert Traffic("canary", Size(10, percent=True), wait=300).seconds(4) == 300 * 2
    assert Traffic("linear", Size(40, percent=True), wait=10, termination=5).seconds(1) == 35
    assert Traffic("linear", Size(1, percent=False), wait=10).seconds(4) == 40
    assert Traffic("all-at-once", None, wait=7).seconds(1) == 7


def test_help_shows_how() -> None:
    done = subprocess.run(
        [str(COMMANDS / "model-registry"), "deploy", "--help"], check=False, capture_output=True, text=True
    )
    assert "--traffic canary --traffic-size 10% --traffic-wait 600 --alarm abalone-5xx" in done.stdout
