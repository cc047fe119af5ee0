"""When a target-tracking policy scales out and in, minute by minute."""

from __future__ import annotations

from typing import Any

from local_sagemaker.services.application_autoscaling.target_tracking import Tracker


def tracker(**changes: Any) -> Tracker:
    given: dict[str, Any] = {
        "TargetValue": 100.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    return Tracker({**given, **changes})


def after(found: Tracker, values: list[float], current: int) -> int:
    for value in values:
        found.sample(value)
    return found.desired_capacity(current)


def test_three_minutes_above_the_target_scale_out_in_proportion() -> None:
    assert after(tracker(), [250, 250], 1) == 1
    assert after(tracker(), [250, 250, 250], 1) == 3
    assert after(tracker(), [250, 90, 250], 2) == 2
    assert after(tracker(), [101, 101, 101], 4) == 5


def test_fifteen_minutes_well_below_the_target_scale_in() -> None:
    assert after(tracker(), [20] * 14, 5) == 5
    assert after(tracker(), [20] * 15, 5) == 1
    assert after(tracker(), [95] * 15, 5) == 5  # less than a tenth below
    assert after(tracker(), [0] * 15, 5) == 0  # bounds are others' business
    assert after(tracker(DisableScaleIn=True), [0] * 15, 5) == 5
    assert after(tracker(), [20] * 14 + [60], 5) == 3  # as many as the busiest minute needed


def test_cooldowns_have_the_documented_defaults() -> None:
    assert (tracker().out_cooldown, tracker().in_cooldown) == (300, 300)
    assert tracker(ScaleOutCooldown=0, ScaleInCooldown=7).in_cooldown == 7


def test_within_a_cooldown_only_a_larger_scale_out_goes_on() -> None:
    found = tracker(ScaleOutCooldown=60, ScaleInCooldown=60)
    assert found.may_scale(1, 3, now=0)
    found.record_scaling(1, 3, now=0)
    assert not found.may_scale(3, 5, now=59)
    assert found.may_scale(3, 6, now=59)
    assert found.may_scale(3, 4, now=60)


def test_scaling_in_waits_and_a_scale_out_does_not_wait_for_it() -> None:
    found = tracker(ScaleOutCooldown=60, ScaleInCooldown=100)
    found.record_scaling(5, 4, now=0)
    assert not found.may_scale(4, 3, now=99)
    assert found.may_scale(4, 5, now=1)
    found.record_scaling(4, 5, now=1)
    assert found.may_scale(5, 4, now=50)  # the scale-out ended the cooldown


def test_other_metrics_are_not_acted_on() -> None:
    other = {"CustomizedMetricSpecification": {"MetricName": "x"}, "PredefinedMetricSpecification": {}}
    assert not tracker(**other).acts
    assert tracker().acts
