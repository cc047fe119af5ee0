"""Tests a deployed endpoint for real: ``python -m delivery.modeldeploy.check_endpoint``.

Sends the golden rows and compares the predictions, sends a content type that must be refused, measures latencies, and
waits for files of captured data. The results are written in any case; the exit code is 1 if one of the checks failed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from delivery.stages.pauses import Pauses
from delivery.stages.registry import record_stage

GOLDEN = Path(__file__).with_name("golden-rows.json")
LIFE_CYCLE = {"staging": "QA", "prod": "Production"}


@dataclass(frozen=True)
class CheckResult:
    """What one check found."""

    check: str
    passed: bool
    text: str


@dataclass(frozen=True)
class TestedEndpoint:
    """The endpoint under test. `golden` holds the rows and the limits."""

    name: str
    golden: Mapping[str, Any]
    capture: str | None
    runtime: Any

    def invoke(self, body: str, content_type: str) -> str:
        """The response's body. Raises ClientError for what the endpoint refuses."""
        response = self.runtime.invoke_endpoint(EndpointName=self.name, Body=body.encode(), ContentType=content_type)
        return str(response["Body"].read().decode())


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0 if every check passed."""
    parser = argparse.ArgumentParser("python -m delivery.modeldeploy.check_endpoint")
    parser.add_argument("--configuration", type=Path, required=True, help="of the stage, as the build has rendered it")
    parser.add_argument("--golden", type=Path, default=GOLDEN, help="rows with the limits of their predictions")
    parser.add_argument("--output", type=Path, default=Path("build/test-results.json"))
    arguments = parser.parse_args(argv)
    parameters = json.loads(arguments.configuration.read_text("utf-8"))["Parameters"]
    golden = json.loads(arguments.golden.read_text("utf-8"))
    name = f"{parameters['SageMakerProjectName']}-{parameters['StageName']}"
    captures = parameters.get("EnableDataCapture") == "true" and parameters.get("SamplingPercentage", "100") != "0"
    path = f"{parameters['DataCaptureUploadPath']}/{name}/" if captures else None
    endpoint = TestedEndpoint(name, golden, path, boto3.client("sagemaker-runtime"))
    record(parameters, "InProgress", f"the endpoint of {parameters['StageName']} is tested")
    results = list(run(endpoint))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    content = {"endpoint": name, "results": [asdict(result) for result in results]}
    arguments.output.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    passed = all(result.passed for result in results)
    problems = "; ".join(result.text for result in results if not result.passed)
    text = problems or f"the endpoint test of {parameters['StageName']} passed"
    record(parameters, "Approved" if passed else "Rejected", text)
    return 0 if passed else 1


def run(endpoint: TestedEndpoint) -> Iterator[CheckResult]:
    """The checks one after the other; the later ones need an endpoint that is in service."""
    for check in (check_service, check_predictions, check_content_type, check_latency, check_capture):
        try:
            result = check(endpoint)
        except (ClientError, BotoCoreError) as error:
            result = CheckResult(check.__name__.removeprefix("check_").replace("_", " "), False, str(error))
        print(f"{'passed' if result.passed else 'FAILED'}  {result.check}: {result.text}", flush=True)
        yield result
        if check is check_service and not result.passed:
            return


def check_service(endpoint: TestedEndpoint) -> CheckResult:
    """It is in service."""
    try:
        described = boto3.client("sagemaker").describe_endpoint(EndpointName=endpoint.name)
    except ClientError as error:
        return CheckResult("in service", False, error.response["Error"]["Message"])
    status = described["EndpointStatus"]
    return CheckResult("in service", status == "InService", f"{endpoint.name} is {status}")


def check_predictions(endpoint: TestedEndpoint) -> CheckResult:
    """Every golden row gets a number between its limits."""
    golden, wrong = endpoint.golden, []
    for row in golden["rows"]:
        try:
            value = float(endpoint.invoke(row["body"], golden["content_type"]).strip().split(",")[0])
        except (ClientError, ValueError) as error:
            wrong.append(f"{row['body']}: {error}")
            continue
        if not row["least"] <= value <= row["most"]:
            wrong.append(f"{row['body']}: {value:g} is not between {row['least']} and {row['most']}")
    count = len(golden["rows"])
    return CheckResult("golden rows", not wrong, "; ".join(wrong) or f"{count} predictions are within their limits")


def check_content_type(endpoint: TestedEndpoint) -> CheckResult:
    """What the model does not take is refused as the client's mistake, not with a prediction."""
    rejected = endpoint.golden["rejected"]
    try:
        body = endpoint.invoke(rejected["body"], rejected["content_type"])
    except ClientError as error:
        status: Any = error.response.get("OriginalStatusCode") or error.response["ResponseMetadata"]["HTTPStatusCode"]
        return CheckResult("content type", 400 <= int(status) < 500, f"{rejected['content_type']} gets status {status}")
    return CheckResult("content type", False, f"{rejected['content_type']} was accepted: {body[:80]}")


def check_latency(endpoint: TestedEndpoint) -> CheckResult:
    """The 99th percentile of some invocations is below the limit."""
    golden = endpoint.golden
    row, times = golden["rows"][0]["body"], []
    for _ in range(int(golden["invocations"])):
        start = time.perf_counter()
        try:
            endpoint.invoke(row, golden["content_type"])
        except ClientError as error:
            return CheckResult("latency", False, str(error))
        times.append((time.perf_counter() - start) * 1000)
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    text = f"p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, p99 {cuts[98]:.0f} ms of {len(times)} invocations"
    return CheckResult("latency", cuts[98] <= golden["p99_milliseconds"], text)


def check_capture(endpoint: TestedEndpoint) -> CheckResult:
    """Captured data arrives in S3, where the stage captures any."""
    if endpoint.capture is None:
        return CheckResult("data capture", True, "this stage captures nothing")
    bucket, _, prefix = endpoint.capture.removeprefix("s3://").partition("/")
    s3 = boto3.client("s3")

    def count() -> int:
        return int(s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"])

    files = wait_for(count, float(endpoint.golden["capture_seconds"]))
    return CheckResult("data capture", bool(files), f"{files or 'no'} files under {endpoint.capture}")


def wait_for(look: Callable[[], int], seconds: float) -> int:
    """What `look` finds, as soon as it is anything; 0 after that many seconds."""
    pauses = Pauses()
    while not (result := look()) and pauses.seconds < seconds:
        pauses.rest()
    return result


def record(parameters: Mapping[str, str], status: str, text: str) -> None:
    """Writes it into the version's life cycle. Without the right to do so it says that, and nothing else."""
    stage = LIFE_CYCLE.get(parameters["StageName"], parameters["StageName"])
    try:
        record_stage(boto3.client("sagemaker"), parameters["ModelPackageName"], stage, status, text)
    except ClientError as error:
        print(f"the life cycle of {parameters['ModelPackageName']} was not updated: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
