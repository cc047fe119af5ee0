"""The four monitors of the SageMaker SDKs v2 and v3, unmodified, from suggest_baseline to the deletion (DEL-41, 42)."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.integration.monitored_endpoint import Monitored
from tests.sdk_v2 import python_or_skip
from tests.support import ROLE, Service

KINDS = ("dq", "mq", "bias", "shap", "batch", "scripts")


@pytest.fixture(scope="module")
def monitored(service: Service) -> Monitored:
    """An endpoint that was asked about drifted rows, with labels that disagree with half of its answers."""
    made = Monitored(service)
    rows = [[round(a, 3), float(number % 2), round(c, 3)] for number, (a, _, c) in enumerate(made.rows(80))]
    lines = [[int(row[0] > 0), *row] for row in rows]
    made.put("baseline/in/data.csv", _csv(["prediction", "a", "b", "c"], lines))
    made.put("sdk-data/data.csv", _csv([], lines))
    quality = [[int(row[0] > 0), int(row[0] > 0)] for row in rows]
    made.put("sdk-data/quality.csv", _csv(["label", "prediction"], quality))
    drifted = [[a, b, c + 9] for a, b, c in rows]
    made.invoke(drifted, inference_id="row")
    made.labels(drifted, "row")
    made.put("batch/in/rows.csv", _csv(["prediction", "a", "b", "c"], [[1, *row] for row in drifted]))
    hour = datetime.fromisoformat(json.loads(service.run(
        "local-sagemaker", "--home", str(service.home), "clock", "--json").stdout)["now"])  # fmt: skip
    manifest = [{"prefix": f"s3://{made.bucket}/batch/in/"}, "rows.csv"]
    made.put(f"batch/capture/input/{hour:%Y/%m/%d/%H}/one.json", manifest)
    return made


def _csv(header: list[str], rows: list[list[Any]]) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in ([header] if header else []) + rows).encode()


@pytest.mark.parametrize("version", ["3", "2"])
def test_the_monitors_of_the_sdk_find_violations(service: Service, monitored: Monitored, version: str) -> None:
    python = str(python_or_skip()) if version == "2" else sys.executable
    program = Path(__file__).with_name("sdk_monitors.py")
    words = [
        version,
        ROLE,
        monitored.bucket,
        monitored.endpoint,
        monitored.model,
        monitored.label_place,
        ",".join(KINDS),
    ]
    done = service.run(python, str(program), *words, check=False, timeout=580)
    assert done.returncode == 0, done.stderr[-3000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("FOUND "))
    found = json.loads(line.removeprefix("FOUND "))
    assert set(found) == set(KINDS)
    for kind in KINDS:
        assert found[kind]["status"] in ("Completed", "CompletedWithViolations"), (kind, found[kind])
        assert found[kind]["schedule"] == "Scheduled"
        assert found[kind]["updated"] == ["cron(0 * ? * * *)", True]
        assert (found[kind]["stopped"], found[kind]["started"]) == ("Stopped", "Scheduled")
    assert {one["feature_name"] for one in found["batch"]["violations"]} == {"c"}
    assert {one["feature_name"] for one in found["scripts"]["violations"]} == {"a", "c"}
    assert "finished.txt" in found["scripts"]["files"]
    assert {one["feature_name"] for one in found["dq"]["violations"]} == {"c"}
    assert "accuracy" in {one["metric_name"] for one in found["mq"]["violations"]}
    check_metrics(service, monitored, f"sdk{version}")


def check_metrics(service: Service, monitored: Monitored, schedules: str) -> None:
    """The metrics of the schedules, each kind's in its namespace and with its dimensions (DEL-40)."""

    def dimensions(kind: str, schedule: str, name: str, *, batch: bool = False) -> dict[str, str]:
        place = "ModelMonitoring" if batch else "Endpoints"
        rows = service.client("cloudwatch").list_metrics(
            Namespace=f"aws/sagemaker/{place}/{kind}-metrics", MetricName=name,
            Dimensions=[{"Name": "MonitoringSchedule", "Value": f"{schedules}-{schedule}"}],
        )["Metrics"]  # fmt: skip
        found = {row["Name"]: row["Value"] for row in rows[0]["Dimensions"]}
        assert found.pop("MonitoringSchedule") == f"{schedules}-{schedule}"
        assert found.pop("Endpoint", None) == (None if batch else monitored.endpoint)
        return found

    for name in ("feature_data_c", "feature_non_null_c", "feature_baseline_drift_c"):
        assert dimensions("data", "data-quality", name) == {}
        assert dimensions("data", "batch", name, batch=True) == {}
    assert dimensions("model", "model-quality", "accuracy") == {}
    bias = dimensions("bias", "model-bias", "bias_metric_DPPL")
    assert (bias["BiasStage"], bias["Facet"], bias["FacetValue"]) == ("Post-Training", "b", "(0.0, 1.0]")
    assert set(bias) == {"BiasStage", "Facet", "FacetValue", "Label", "LabelValue"}
    common = {"ExplainabilityMethod": "KernelShap", "Label": "label0"}
    for name, kind in (("feature_a", "GlobalShapValues"), ("ExpectedValue", "ExpectedValue")):
        assert dimensions("explainability", "model-explainability", name) == {**common, "ValueType": kind}
