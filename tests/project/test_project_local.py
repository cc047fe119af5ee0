"""local.join: a process that is running already gets to the service, as a notebook's kernel does."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from pipelines import local
from tests.support import ROOT, Service

SCRIPT = """
import json, os, socket, sys
path = list(sys.path)
from pipelines import local
before = dict(local=local.is_local())
local.join()
local.join()  # running the first cell again changes nothing
import boto3
sts = boto3.client("sts", endpoint_url="https://sts.us-east-1.amazonaws.com")  # as the SDK makes it
try:
    socket.getaddrinfo("sm-pysdk-t-us-east-1.s3.us-east-1.amazonaws.com", 443)
    refused = ""
except OSError as error:
    refused = str(error)
print(json.dumps({
    "before": before["local"],
    "caller": sts.get_caller_identity()["Arn"],
    "pipelines": boto3.client("sagemaker").list_pipelines()["PipelineSummaries"],
    "refused": refused,
    "profile": os.environ.get("AWS_PROFILE"),
    "kept": os.environ["KEPT"],
    "next": local.next_command("aws s3 ls"),
    "path": sys.path == path,
}, default=str))
"""


def test_every_client_of_the_process_reaches_the_service_and_nothing_reaches_aws(own_service: Service) -> None:
    environment = {**os.environ, "LOCAL_SAGEMAKER_HOME": str(own_service.home), "AWS_PROFILE": "theirs", "KEPT": "yes"}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert "LocalSageMakerRole" in seen["caller"]
    assert "refused here" in seen["refused"]
    assert seen["next"] == "local-sagemaker exec -- aws s3 ls"
    others = {name: seen[name] for name in ("before", "pipelines", "profile", "kept", "path")}
    assert others == {"before": False, "pipelines": [], "profile": None, "kept": "yes", "path": True}


def test_a_command_that_is_suggested_works_in_the_users_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for prefix in (local.COMMAND_VARIABLE, local.SERVICE_VARIABLE):
        monkeypatch.delenv(prefix, raising=False)
    assert local.next_command("aws s3 ls") == "aws s3 ls"
    monkeypatch.setenv(local.SERVICE_VARIABLE, "local-sagemaker exec --")  # `exec` sets it
    assert local.next_command("aws s3 ls") == "local-sagemaker exec -- aws s3 ls"


def test_without_the_service_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_beside_python", lambda _: None)
    with pytest.raises(FileNotFoundError, match=r"pip install \./model-checks \./local-sagemaker"):
        local.join()
