"""Metrics of endpoints: not more data for a million invocations than for a few, and percentiles of them."""

from __future__ import annotations

from typing import Any

from local_sagemaker.endpoints.endpoint_metrics import EndpointMetrics


def test_the_invocations_of_a_put_are_few_data_of_each_metric() -> None:
    put: list[dict[str, Any]] = []
    measures = EndpointMetrics(lambda _namespace, data: put.extend(data))
    for number in range(1000):
        measures.record_invocation("e", "v", 2, 424 if number % 4 == 0 else 200, number / 1000, 0.5)
    measures.record_invocation("e", "v", 2, 0, 2.0, 0.5)
    measures.record_invocation("e", "other", 1, 500, 1.0, 0.5)
    measures.add("e", "v", "ModelCacheHit", 1.0)
    measures.add("e", "v", "ModelCacheHit", 0.0)
    measures.flush()
    measures.flush()
    assert len(put) <= 2 * 4 + 1 + 2 * 16 + 2, "counts are one datum, durations at most sixteen"
    mine = [datum for datum in put if datum["Dimensions"][1]["Value"] == "v"]
    single = {datum["MetricName"]: datum["StatisticValues"] for datum in mine if "Latency" not in datum["MetricName"]}
    assert {name: datum["Sum"] for name, datum in single.items()} == {
        "Invocations": 1001, "InvocationsPerInstance": 500.5, "Invocation4XXErrors": 250, "Invocation5XXErrors": 1,
        "ModelCacheHit": 1,
    }  # fmt: skip
    latencies = [datum for datum in mine if datum["MetricName"] == "ModelLatency"]
    assert {datum["Unit"] for datum in latencies} == {"Microseconds"}
    sets = [datum["StatisticValues"] for datum in latencies]
    assert all(one["Minimum"] == one["Maximum"] for one in sets), "or CloudWatch has no percentiles of them"
    assert (sets[0]["Minimum"], sets[-1]["Maximum"]) == (0, 2_000_000)
    assert sum(one["SampleCount"] for one in sets) == 1001
    assert sum(one["Sum"] for one in sets) == 999 * 1000 // 2 * 1000 + 2_000_000
    assert single["ModelCacheHit"] == {"SampleCount": 2, "Sum": 1, "Minimum": 0, "Maximum": 1}
    assert measures.invocations("e", "v") == 1001


def test_few_durations_are_kept_as_they_are() -> None:
    put: list[dict[str, Any]] = []
    measures = EndpointMetrics(lambda _namespace, data: put.extend(data))
    for seconds in (0.003, 0.001, 0.002):
        measures.record_invocation("e", "v", 1, 200, seconds, 0.5)
    measures.flush()
    sets = [datum["StatisticValues"] for datum in put if datum["MetricName"] == "ModelLatency"]
    assert [(one["SampleCount"], one["Sum"]) for one in sets] == [(1, 1000), (1, 2000), (1, 3000)]
