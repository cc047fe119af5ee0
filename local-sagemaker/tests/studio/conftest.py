"""A service with pipelines that succeed and fail, a client of its pages, and a browser where there is one."""

from __future__ import annotations

import http.client
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest

from local_sagemaker.cli.control import post
from tests.studio.full_world import SECRET, Full, fill
from tests.support import ROLE, XGBOOST, Service, create_pipeline, finished, script_step, start

HOSTILE = "Zoë <script>alert(1)</script> \"'&"
VARIABLES = {"API_TOKEN": {"Std:Join": {"On": "", "Values": [SECRET, {"Get": "Parameters.Rounds"}]}}, "DB_KEY": SECRET}
COMMIT = "1f0e5c3a9d" * 4
PREPARE = """
import random

random.seed(1)
rows = [[random.random() for _ in range(3)] for _ in range(200)]
with open("/opt/ml/processing/output/train.csv", "w") as file:
    file.writelines(f"{a + 2 * b},{a},{b},{c}\\n" for a, b, c in rows)
"""
READ = """
import json


def read(name):
    return json.load(open(name))


read("/opt/ml/input/data/absent.json")
"""


@dataclass
class Pages:
    """A client of the pages, signed in with the state folder's key unless `cookie` is given."""

    service: Service
    origin: str
    secret: str
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        """Status, headers (lower case) and text of a page."""
        return self.send("GET", path, b"", headers)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> tuple[int, dict[str, str], str]:
        """Sends a form as a page of the own origin would."""
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin}
        return self.send("POST", path, urlencode(fields).encode(), {**kind, **headers})

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
        """Any request."""
        host, _, port = self.origin.removeprefix("http://").partition(":")
        known = {"Host": f"{host}:{port}", **self.headers}
        known |= {"Cookie": self.cookie} if self.cookie else {"X-Secret": self.secret}
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=120)
        try:
            sent = {name.replace("_", "-"): value for name, value in (known | headers).items()}
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            return response.status, {name.lower(): value for name, value in response.getheaders()}, text
        finally:
            connection.close()

    def json(self, path: str) -> Any:
        """The JSON twin of a page."""
        status, _, text = self.get(path)
        assert status == 200, text
        return json.loads(text)


def pages_of(service: Service) -> Pages:
    """A client of a service's pages."""
    link = post(service.settings, service.description, "studio")
    secret = json.loads(service.settings.credentials_file.read_text())["secret_access_key"]
    return Pages(service, link["origin"], secret)


def training_step(name: str, data: str, *after: str) -> dict[str, Any]:
    """An XGBoost training step over the output of the step `data`."""
    source = {"Get": f"Steps.{data}.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"}
    return {
        "Name": name,
        "Type": "Training",
        "DependsOn": list(after),
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://studio-data/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "HyperParameters": {"objective": "reg:squarederror", "num_round": {"Get": "Parameters.Rounds"}},
            "InputDataConfig": [
                {
                    "ChannelName": channel,
                    "ContentType": "text/csv",
                    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
                }
                for channel in ("train", "validation")
            ],
        },
    }


def register_step(name: str, training: str) -> dict[str, Any]:
    """Registers the model of a training step in the group Demo."""
    model = {"Get": f"Steps.{training}.ModelArtifacts.S3ModelArtifacts"}
    return {
        "Name": name,
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": "Demo",
            "ModelApprovalStatus": "PendingManualApproval",
            "MetadataProperties": {"CommitId": COMMIT, "Repository": "model-code"},
            "InferenceSpecification": {
                "Containers": [{"Image": XGBOOST, "ModelDataUrl": model, "Environment": VARIABLES}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
                "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
            },
        },
    }


def file_step(name: str, script: str, **arguments: Any) -> dict[str, Any]:
    """A Processing step that runs a script from the bucket of the tests."""
    step = script_step(name, "", **arguments)
    place = "/opt/ml/processing/input/code"
    step["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = ["python3", f"{place}/{script}"]
    uri = f"s3://studio-data/code/{script}"
    source = {"S3Uri": uri, "LocalPath": place, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    step["Arguments"]["ProcessingInputs"] = [{"InputName": "code", "S3Input": source}]
    return step


def script_mode_step(name: str, script: str) -> dict[str, Any]:
    """A Training step that runs a script of an archive in the bucket of the tests, as the SDK writes it."""
    step = training_step(name, "")
    del step["Arguments"]["InputDataConfig"]
    source = f"s3://studio-data/{name}/sourcedir.tar.gz"
    step["Arguments"]["HyperParameters"] = {
        "sagemaker_program": json.dumps(script), "sagemaker_submit_directory": json.dumps(source),
    }  # fmt: skip
    return step


def pack(script: str, text: str) -> bytes:
    """An archive with one script."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo(script)
        member.size = len(text.encode())
        archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def _make_pipelines(service: Service) -> dict[str, str]:
    sagemaker, s3 = service.client("sagemaker"), service.client("s3")
    s3.create_bucket(Bucket="studio-data")
    s3.put_object(Bucket="studio-data", Key="code/prepare.py", Body=PREPARE.encode())
    s3.put_object(Bucket="studio-data", Key="Read/sourcedir.tar.gz", Body=pack("read.py", READ))
    output = {
        "OutputName": "out",
        "S3Output": {
            "S3Uri": "s3://studio-data/prepared",
            "LocalPath": "/opt/ml/processing/output",
            "S3UploadMode": "EndOfJob",
        },
    }
    rounds = {"Name": "Rounds", "Type": "String", "DefaultValue": "12"}
    create_pipeline(
        sagemaker,
        "Demo",
        file_step("Prepare", "prepare.py", ProcessingOutputConfig={"Outputs": [output]}, Environment=VARIABLES),
        training_step("Train", "Prepare"),
        register_step("Register", "Train"),
        parameters=(rounds, {"Name": "Note", "Type": "String", "DefaultValue": HOSTILE}),
    )
    place = {"Name": "InputDataUrl", "Type": "String", "DefaultValue": "s3://studio-data/code/prepare.py"}
    broken = script_mode_step("Read", "read.py"), script_step("After", "print(1)", "Read")
    create_pipeline(sagemaker, "Broken", *broken, parameters=(place,))
    return {name: start(sagemaker, name) for name in ("Demo", "Broken")}


@dataclass
class World:
    """A service whose pages have something to show. `executions` are ARNs by pipeline."""

    service: Service
    pages: Pages
    executions: dict[str, str]

    def execution(self, name: str) -> str:
        """The address of an execution's page."""
        return f"/_studio/pipelines/{name}/executions/{self.executions[name].rpartition('/')[2]}"


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """One service for all tests of the pages."""
    from local_sagemaker.testing import temporary_service

    with temporary_service() as service:
        executions = _make_pipelines(service)
        sagemaker = service.client("sagemaker")
        assert finished(sagemaker, executions["Demo"])["PipelineExecutionStatus"] == "Succeeded"
        assert finished(sagemaker, executions["Broken"])["PipelineExecutionStatus"] == "Failed"
        yield World(service, pages_of(service), executions)


@pytest.fixture(scope="session")
def full(world: World) -> Full:
    """Something to see on every page of that service."""
    return fill(world.service)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's chromium under Playwright.

    It ends with its module: while it is running, its event loop is that of the thread, and no other test can run one.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make install")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as running:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        try:
            browser = running.chromium.launch(executable_path=program, args=options)
        except playwright.Error as error:
            pytest.skip(f"{program} does not start here: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


EXPECTED = ("net::", "document's frame is sandboxed", "/x' violates the following Content Security Policy")
"""What a console may say: that a stream ended with its page, and what the sandbox keeps a hostile report from."""


@pytest.fixture
def signed_in(world: World, browser: Any) -> Any:
    """A page of a browser that has opened the one-time link; what the console says fails the test, and so does a
    request that leaves the host (studio ST-33)."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: messages.append(str(error)))
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    page.goto(post(world.service.settings, world.service.description, "studio")["url"])
    page.wait_for_url(f"{world.pages.origin}/_studio/")
    yield page
    context.close()
    assert not [text for text in messages if not any(part in text for part in EXPECTED)]
    own = (world.pages.origin, "data:", "http://127.0.0.1:9/x")  # the last is in a report, and kept back by its policy
    assert not [url for url in asked if not url.startswith(own)]


@pytest.fixture
def open_window(browser: Any) -> Iterator[Any]:
    """Opens a browser window that has signed in to a world's pages; without script, by the state folder's key."""
    contexts = []

    def open_one(world: World, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        if options.get("java_script_enabled", True):
            page.goto(post(world.service.settings, world.service.description, "studio")["url"])
            page.wait_for_url(f"{world.pages.origin}/_studio/")
        else:
            context.set_extra_http_headers({"X-Secret": world.pages.secret})
        return page

    yield open_one
    for context in contexts:
        context.close()
