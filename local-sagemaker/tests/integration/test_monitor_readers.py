"""What SDK v2 and v3 read of the monitors' files, and run of Clarify, both unmodified, by the same program."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from jsonschema import validate

from tests import monitor_schemas as schemas
from tests import sdk_v2
from tests.integration.gate import Gate, table
from tests.support import ROLE, Service, read_json

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def gate(service: Service) -> Gate:
    made = Gate(service, f"readers-{uuid.uuid4().hex[:6]}")
    made.prepare()
    return made


def python(sdk: str) -> Path:
    return Path(sys.executable) if sdk == "v3" else sdk_v2.python_or_skip()


@pytest.mark.parametrize("sdk", ["v3", "v2"])
def test_the_sdk_reads_and_runs(service: Service, gate: Gate, sdk: str) -> None:
    execution = gate.start("DATA_QUALITY", supplied=gate.bad["DATA_QUALITY"], fail=False, run=f"bad-{sdk}")
    details = gate.ended(execution)["Check"]["Metadata"]["QualityCheck"]
    program = Path(__file__).with_name("sdk_monitor_readers.py")
    data = f"s3://{gate.bucket}/data/table/table.csv"
    words = (str(python(sdk)), str(program), ROLE, data, f"{gate.bucket}-model", details["CheckJobArn"])
    done = service.run(*words, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("FOUND "))
    found = json.loads(line.removeprefix("FOUND "))
    assert found["sdk"] == f"readers-{sdk}"
    check_quality(gate, found, details)
    check_clarify(found)


def check_quality(gate: Gate, found: dict[str, Any], details: dict[str, Any]) -> None:
    frame = table()
    assert found["statistics"] == found["latest"] == found["check_statistics"]
    assert found["statistics"]["dataset"]["item_count"] == len(frame)
    means = {f["name"]: f["numerical_statistics"]["mean"] for f in found["statistics"]["features"]}
    assert means == pytest.approx(frame.mean().to_dict())
    validate(found["constraints"], schemas.CONSTRAINTS)
    assert found["violations"] == read_json(gate.s3, details["ViolationReport"])
    assert [v["feature_name"] for v in found["violations"]["violations"]] == ["a"]


def check_clarify(found: dict[str, Any]) -> None:
    for name in ("bias", "explainability", "both"):
        validate(found[name], schemas.ANALYSIS)
    sections = {"pre_training_bias_metrics", "post_training_bias_metrics"}
    assert set(found["bias"]) == {"version", *sections}
    assert set(found["explainability"]) == {"version", "explanations"}
    assert set(found["both"]) == {"version", "explanations", *sections}
    for section in sections:
        assert found["both"][section] == found["bias"][section]
    both = found["both"]["explanations"]
    assert both["kernel_shap"] == found["explainability"]["explanations"]["kernel_shap"]
    assert [entry["feature_name"] for entry in both["pdp"]] == ["a"]
    frame = table()
    (entry,) = found["bias"]["pre_training_bias_metrics"]["facets"]["f"]
    metrics = {metric["name"]: metric["value"] for metric in entry["metrics"]}
    d = frame["f"] == 0
    assert metrics["DPL"] == pytest.approx(frame["y"][~d].mean() - frame["y"][d].mean())
