"""Metrics of endpoints: as many data for a million invocations as for one."""

from __future__ import annotations

from typing import Any

from local_sagemaker.endpoints.endpoint_metrics import Measures


def test_the_invocations_of_a_put_are_one_datum_for_each_metric() -> None:
    put: list[dict[str, Any]] = []
    measures = Measures(lambda _namespace, data: put.extend(data))
    for number in range(1000):
        measures.record_invocation("e", "v", 2, 424 if number % 4 == 0 else 200, number / 1000, 0.5)
    measures.record_invocation("e", "v", 2, 0, 2.0, 0.5)
    measures.record_invocation("e", "other", 1, 500, 1.0, 0.5)
    measures.add("e", "v", "ModelCacheHit", 1.0)
    measures.add("e", "v", "ModelCacheHit", 0.0)
    measures.flush()
    measures.flush()
    assert len(put) == 13
    mine = {datum["MetricName"]: datum for datum in put if datum["Dimensions"][1]["Value"] == "v"}
    assert {name: datum["StatisticValues"]["Sum"] for name, datum in mine.items() if "Latency" not in name} == {
        "Invocations": 1001, "InvocationsPerInstance": 500.5, "Invocation4XXErrors": 250, "Invocation5XXErrors": 1,
        "ModelCacheHit": 1,
    }  # fmt: skip
    assert mine["ModelLatency"]["Unit"] == "Microseconds"
    statistics = mine["ModelLatency"]["StatisticValues"]
    assert (statistics["SampleCount"], statistics["Minimum"], statistics["Maximum"]) == (1001, 0, 2_000_000)
    assert statistics["Sum"] == 999 * 1000 // 2 * 1000 + 2_000_000
    assert mine["ModelCacheHit"]["StatisticValues"] == {"SampleCount": 2, "Sum": 1, "Minimum": 0, "Maximum": 1}
    assert measures.invocations("e", "v") == 1001
