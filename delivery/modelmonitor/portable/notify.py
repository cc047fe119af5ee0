"""The last job: puts the checks' files where Model Monitor puts its reports, and sends metrics and an event.

Runs alone in a job, with the standard library and boto3. Metrics are in the namespace Delivery/Monitoring with the
dimensions of Model Monitor's, as its own namespaces are AWS's.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

NAMESPACE = "Delivery/Monitoring"
SOURCE, DETAIL_TYPE = "delivery.monitoring", "Monitoring Execution Finished"
_DISTANCE = re.compile(r"distance: ([0-9.eE+-]+)")


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0; violations are no failure."""
    parser = argparse.ArgumentParser("notify.py")
    add = parser.add_argument
    add("--endpoint", required=True)
    add("--output", required=True, help="S3 prefix of the reports of all kinds")
    add("--kinds", required=True, help="comma-separated, such as data-quality,model-quality")
    add("--root", type=Path, default=Path("/opt/ml"))
    arguments = parser.parse_args(argv)
    place = arguments.root / "processing" / "input"
    window = json.loads((place / "window" / "window.json").read_text("utf-8"))
    for kind in filter(None, arguments.kinds.split(",")):
        notify(arguments, kind, place / kind, window)
    return 0


def notify(arguments: argparse.Namespace, kind: str, folder: Path, window: dict[str, Any]) -> None:
    """For one check; a folder that does not exist stands for a window without data."""
    schedule = f"{arguments.endpoint}-{kind}"
    end = datetime.fromisoformat(window["end"])
    uri = f"{arguments.output.rstrip('/')}/{kind}/{arguments.endpoint}/{schedule}/{end:%Y/%m/%d/%H}"
    files = sorted(path for path in folder.glob("*") if path.is_file()) if folder.is_dir() else []
    for file in files:
        _upload(file, f"{uri}/{file.name}")
    violations = _read(folder / "constraint_violations.json").get("violations", [])
    metrics = {"violations": float(len(violations)), "no_data": 0.0 if files else 1.0}
    metrics.update(make_metrics(_read(folder / "statistics.json"), violations))
    dimensions = [
        {"Name": "Endpoint", "Value": arguments.endpoint}, {"Name": "MonitoringSchedule", "Value": schedule},
    ]  # fmt: skip
    data = [{"MetricName": name, "Value": value, "Dimensions": dimensions} for name, value in metrics.items()]
    for start in range(0, len(data), 500):
        _client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data[start : start + 500])
    status = ("CompletedWithViolations" if violations else "Completed") if files else "Completed: no data"
    detail = {
        "scheduleName": schedule, "endpointName": arguments.endpoint, "monitoringType": kind, "status": status,
        "violations": len(violations), "reportUri": uri if files else "", "windowEnd": window["end"],
    }  # fmt: skip
    event = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(detail)}
    failed = _client("events").put_events(Entries=[event])
    if failed.get("FailedEntryCount"):
        raise RuntimeError(f"the event was refused: {failed['Entries']}")
    print(json.dumps(detail))


def make_metrics(statistics: dict[str, Any], violations: list[dict[str, Any]]) -> Iterator[tuple[str, float]]:
    """The drift of each feature that has drifted, and the metrics of the model's quality."""
    for violation in violations:
        distance = _DISTANCE.search(violation.get("description", ""))
        if violation.get("constraint_check_type") == "baseline_drift_check" and distance:
            yield f"feature_baseline_drift_{violation['feature_name']}", float(distance[1].rstrip("."))
    for section, metrics in statistics.items():
        if section.endswith("_metrics"):
            for name, content in metrics.items():
                value = content.get("value") if isinstance(content, dict) else None
                if isinstance(value, (int, float)):
                    yield name, float(value)


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}


def _upload(path: Path, uri: str) -> None:
    bucket, _, key = uri.partition("s3://")[2].partition("/")
    _client("s3").upload_file(str(path), bucket, key)


def _client(service: str) -> Any:
    import boto3

    make: Any = boto3.client
    # jobs of SageMaker have AWS_REGION, which boto3 does not read
    return make(service, region_name=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"))


if __name__ == "__main__":
    sys.exit(main())
