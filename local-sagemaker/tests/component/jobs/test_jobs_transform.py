"""Transform jobs: the batch agent as a real process against a real HTTP server."""

from __future__ import annotations

import gzip
import json
import re
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.errors import ServiceError, ValidationError
from tests.component.jobs.world import BUCKET, Make, World


class Handler(BaseHTTPRequestHandler):
    """A model that adds the numbers of each CSV line; a line with text is refused."""

    def do_GET(self) -> None:
        """Health and parameters."""
        self.respond(200 if self.path == "/ping" else 404, b"")

    def do_POST(self) -> None:
        """Invocations."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            sums = [sum(map(float, line.split(","))) for line in body.split("\n") if line]
        except ValueError:
            self.respond(400, b"text in a row")
            return
        self.respond(200, "".join(f"{number:g}\n" for number in sums).encode())

    def respond(self, status: int, body: bytes) -> None:
        """One answer."""
        self.send_response(status)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


class Server:
    """A started model server."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.stopped = False
        self.processes = ()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()
        self.stopped = True


class Servers:
    """The port, with what it was asked."""

    def __init__(self) -> None:
        self.started: list[tuple[list[dict[str, Any]], Mapping[str, str], Path, Server]] = []
        self.broken = False

    def start(
        self, containers: list[dict[str, Any]], environment: Mapping[str, str], folder: Path, log: Path
    ) -> Server:
        """Starts the sums."""
        if self.broken:
            raise ServiceError("The primary container did not pass the ping health check.")
        self.started.append((containers, environment, folder, Server()))
        return self.started[-1][3]


@pytest.fixture
def servers() -> Servers:
    """The model servers of a test."""
    return Servers()


@pytest.fixture
def world(make_world: Make, servers: Servers) -> Iterator[World]:
    """A world with a model."""
    container = {"Image": "image", "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    yield make_world(servers=servers, models={"sums": {"ModelName": "sums", "PrimaryContainer": container}})


def transform(world: World, name: str, prefix: str, **change: Any) -> dict[str, Any]:
    """Creates a transform job and waits for its end."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{prefix}"}
    request: dict[str, Any] = {
        "TransformJobName": name,
        "ModelName": "sums",
        "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line",
                           **change.pop("input", {})},
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out-{name}/", "Accept": "text/csv", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        **change,
    }  # fmt: skip
    world.do("CreateTransformJob", **request)
    return world.ended("transform-job", name)


def test_every_object_gets_an_answer(world, servers):
    world.put("in/a.csv", "1,2\n3,4\n")
    world.put("in/deep/b.csv", "5,6\n")
    job = transform(world, "sums", "in/", BatchStrategy="SingleRecord", MaxPayloadInMB=1, Environment={"MINE": "1"})
    assert job["TransformJobStatus"] == "Completed", world.log("TransformJobs", "sums")
    assert world.keys("out-sums/") == ["out-sums/a.csv.out", "out-sums/deep/b.csv.out"]
    assert world.get("out-sums/a.csv.out") == b"3\n7\n"
    assert world.objects.head(BUCKET, "out-sums/a.csv.out").content_type == "text/csv"
    assert job["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    assert job["TransformStartTime"] <= job["TransformEndTime"]
    (containers, environment, folder, server) = servers.started[0]
    assert containers[0]["Image"] == "image"
    assert {"SAGEMAKER_BATCH": "true", "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD", "MINE": "1",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": "1"}.items() <= environment.items()  # fmt: skip
    assert "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS" not in environment
    assert folder.is_relative_to(world.settings.jobs)
    world.queue.close()
    assert server.stopped


def test_single_objects_gzip_and_several_hosts(world):
    world.put("one/data.csv", gzip.compress(b"1,1\n"))
    job = transform(world, "one", "one/data.csv", input={"CompressionType": "Gzip"})
    assert job["TransformJobStatus"] == "Completed", world.log("TransformJobs", "one")
    assert world.get("out-one/data.csv.out") == b"2\n"
    for number in range(3):
        world.put(f"many/{number}", f"{number}\n")
    job = transform(world, "many", "many/", TransformResources={"InstanceType": "ml.m5.xlarge", "InstanceCount": 2})
    assert job["TransformJobStatus"] == "Completed", world.log("TransformJobs", "many")
    assert [world.get(f"out-many/{number}.out") for number in range(3)] == [b"0\n", b"1\n", b"2\n"]


def test_captured_data_are_manifests_of_what_went_in_and_came_out(world):
    world.put("in/a.csv", "1,2\n")
    world.put("in/deep/b.csv", "5,6\n7,8\n")
    capture = {"DestinationS3Uri": f"s3://{BUCKET}/captured", "GenerateInferenceId": True}
    job = transform(world, "captured", "in/", DataCaptureConfig=capture)
    assert job["TransformJobStatus"] == "Completed", world.log("TransformJobs", "captured")
    hour = datetime.fromtimestamp(job["TransformStartTime"], UTC).strftime("%Y/%m/%d/%H")
    sent, received = world.keys("captured/")
    assert re.fullmatch(rf"captured/input/{hour}/[0-9a-f-]{{36}}\.json", sent)
    assert re.fullmatch(rf"captured/output/{hour}/[0-9a-f-]{{36}}\.json", received)
    assert json.loads(world.get(sent)) == [{"prefix": f"s3://{BUCKET}/in/"}, "a.csv", "deep/b.csv"]
    assert json.loads(world.get(received)) == [
        {"prefix": f"s3://{BUCKET}/out-captured/"}, "a.csv.out", "deep/b.csv.out",
    ]  # fmt: skip
    lines = [line.split(",") for line in world.get("out-captured/deep/b.csv.out").decode().splitlines()]
    assert [line[0] for line in lines] == ["11", "15"]
    assert len({line[1] for line in lines}) == 2
    began = datetime.fromtimestamp(int(job["TransformStartTime"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert {line[2] for line in lines} == {began}


def test_a_filter_that_is_none_is_in_the_log_beside_the_object(world):
    world.put("in/a.csv", "1,2\n")
    job = transform(world, "ranges", "in/", DataProcessing={"OutputFilter": "$[0:2,3:]"})
    assert job["TransformJobStatus"] == "Failed"
    assert f"{BUCKET}/in/a.csv: Invalid JsonPath: $[0:2,3:]: only single range" in world.log("TransformJobs", "ranges")


def test_a_refused_record_fails_the_job_but_keeps_the_other_answers(world):
    world.put("bad/a.csv", "1,x\n")
    world.put("bad/b.csv", "1,2\n")
    job = transform(world, "bad", "bad/")
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(("ClientError: ", "AlgorithmError: "))
    assert world.keys("out-bad/") == ["out-bad/b.csv.out"]


def test_a_server_that_does_not_start_fails_the_job(world, servers):
    servers.broken = True
    world.put("in/a.csv", "1\n")
    job = transform(world, "unhealthy", "in/")
    assert job["TransformJobStatus"] == "Failed"
    assert "did not pass the ping health check" in job["FailureReason"]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"MaxConcurrentTransforms": 20, "MaxPayloadInMB": 6}, "must not exceed 100 MB"),
        ({"DataProcessing": {"JoinSource": "Input"}, "TransformOutput": {"S3OutputPath": "s3://bucket/o"}}, "the same"),
        ({"TransformOutput": {"S3OutputPath": "nowhere"}}, "is not an S3 URI"),
    ],
)
def test_requests_that_are_refused(world, change, part):
    world.put("in/a.csv", "1\n")
    with pytest.raises(ValidationError, match=part):
        transform(world, "refused", "in/", **change)
    with pytest.raises(ValidationError, match="No S3 objects found"):
        transform(world, "refused", "nothing/")


def test_an_analysis_gets_an_endpoint_of_the_model_it_names(world):
    """Clarify's image says which model it needs, once its configuration is in place."""
    config = '{"predictor": {"model_name": "sums"}, "methods": {"shap": {}}}'
    uri = world.put("config/analysis_config.json", config)
    path = "/opt/ml/processing/input/config"
    s3 = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix"}
    world.do(
        "CreateProcessingJob", ProcessingJobName="clarify", RoleArn="arn:aws:iam::123456789012:role/r",
        AppSpecification={"ImageUri": "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0"},
        ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
        ProcessingInputs=[{"InputName": "analysis_config", "S3Input": s3}],
    )  # fmt: skip
    job = world.ended("processing-job", "clarify")
    assert job["ProcessingJobStatus"] == "Failed"  # there is no data set to analyse
    assert world.endpoints.made == ["sums"]
    world.queue.close()
    assert world.endpoints.left == ["sums"]
