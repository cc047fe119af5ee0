"""Shares of traffic: the steps of a deployment, the choice between fleets and among variants."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from local_sagemaker.endpoints.endpoint_spec import EndpointSpec, VariantSpec
from local_sagemaker.endpoints.errors import InvalidInvocation
from local_sagemaker.endpoints.fleet import Fleet
from local_sagemaker.endpoints.rollout import RolloutPolicy
from local_sagemaker.endpoints.traffic_split import VariantRoute


def routing(kind: str, **sizes: Any) -> dict[str, Any]:
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {
        "Type": kind, "WaitIntervalInSeconds": 0, **sizes}}}  # fmt: skip


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


@pytest.mark.parametrize(
    ("config", "instances", "shares"),
    [
        ({}, 1, [1.0]),
        (routing("ALL_AT_ONCE"), 4, [1.0]),
        (routing("CANARY", CanarySize=percent(10)), 1, [0.1, 1.0]),
        (routing("CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 1}), 4, [0.25, 1.0]),
        (routing("CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 1}), 1, [1.0]),
        (routing("LINEAR", LinearStepSize=percent(25)), 4, [0.25, 0.5, 0.75, 1.0]),
        (routing("LINEAR", LinearStepSize=percent(30)), 4, [0.3, 0.6, 0.9, 1.0]),
    ],
)
def test_the_steps_of_a_deployment(config: dict[str, Any], instances: int, shares: list[float]) -> None:
    assert RolloutPolicy.of(config).shares(instances) == pytest.approx(shares)


@pytest.mark.parametrize(
    ("size", "instances", "batches"),
    [
        (percent(50), 4, [2, 2]),
        (percent(50), 5, [2, 2, 1]),
        (percent(5), 3, [1, 1, 1]),
        ({"Type": "INSTANCE_COUNT", "Value": 9}, 3, [3]),
    ],
)
def test_the_batches_of_a_rolling_update(size: dict[str, Any], instances: int, batches: list[int]) -> None:
    config = {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": 0}}
    assert RolloutPolicy.of(config).batches(instances) == batches


def fleet(config: str, **weights: float) -> Fleet:
    variants = tuple(
        VariantSpec(name=name, model="m", containers=({"Image": "i"},), weight=weight)
        for name, weight in weights.items()
    )
    spec = EndpointSpec(name="e", arn="arn", config=config, variants=variants)
    assert EndpointSpec.from_record(spec.as_record()) == spec
    return Fleet(spec, lambda _variant: pytest.fail("nothing is started here"))


@pytest.mark.parametrize("weights", [{"A": 1.0, "B": 1.0}, {"A": 0.7, "B": 0.2, "C": 0.1}, {"A": 5.0, "B": 0.0}])
def test_variants_get_what_they_weigh_in_any_run_of_requests(weights: dict[str, float]) -> None:
    route, total = VariantRoute(fleet("c", **weights)), sum(weights.values())
    chosen = [route.choose(None).spec.name for _ in range(300)]
    for length in (100, 200, 300):
        counts = Counter(chosen[:length])
        for name, weight in weights.items():
            assert counts[name] == pytest.approx(length * weight / total, abs=1.01)


@pytest.mark.parametrize("share", [0.1, 0.25, 1 / 3, 1.0])
def test_two_fleets_share_as_told(share: float) -> None:
    blue, green = fleet("blue", A=1.0), fleet("green", A=1.0)
    route = VariantRoute(blue)
    route.shift(green, share)
    chosen = [route.choose(None) is green.variants["A"] for _ in range(300)]
    assert sum(chosen) == pytest.approx(300 * share, abs=1)
    route.shift(None, 0.0)
    assert not any(route.choose(None) is green.variants["A"] for _ in range(10))
    route.shift(green, share)
    route.finish()
    assert all(route.choose(None) is green.variants["A"] for _ in range(10))


def test_a_wanted_variant_overrides_weights() -> None:
    route = VariantRoute(fleet("c", A=1.0, B=0.0))
    assert route.choose("B").spec.name == "B"
    with pytest.raises(InvalidInvocation, match="Variant C not found for Request"):
        route.choose("C")
    with pytest.raises(InvalidInvocation, match="no variant with a weight above 0"):
        VariantRoute(fleet("c", A=0.0)).choose(None)
