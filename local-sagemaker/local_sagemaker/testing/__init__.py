"""For tests against the local service: a running service with its clients, polling, and small pipelines."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local_sagemaker import lifecycle
from local_sagemaker.cli.control import ask
from local_sagemaker.cli.exec import connection
from local_sagemaker.client_environment import with_hook
from local_sagemaker.config import Settings

COMMANDS = Path(sys.executable).parent


@dataclass
class Service:
    """A running local service and its clients."""

    home: Path
    environment_of_start: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """Settings with this service's state folder."""
        return Settings(home=self.home)

    @property
    def found(self) -> dict[str, Any]:
        """Where it runs."""
        found = lifecycle.running(self.settings)
        assert found, "the service is not running"
        return found

    @property
    def url(self) -> str:
        """The endpoint URL."""
        return str(self.found["url"])

    def up(self) -> None:
        """Starts it; does nothing when it runs."""
        before = {name: os.environ.get(name) for name in self.environment_of_start}
        os.environ.update(self.environment_of_start)
        try:
            lifecycle.start(self.settings)
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)

    def down(self) -> None:
        """Stops it."""
        lifecycle.stop(self.settings)

    def kill(self) -> None:
        """Kills its process without warning, and waits until it is gone."""
        pid = self.found["pid"]
        os.kill(pid, 9)
        until(lambda: lifecycle.running(self.settings) is None, "the killed service is gone")

    def reset(self) -> None:
        """Empties it."""
        ask(self.settings, self.found, "reset")

    def client(self, name: str, **options: Any) -> Any:
        """An unmodified boto3 client of it."""
        client = connection(self.settings, self.found)
        region = options.pop("region_name", "us-east-1")
        session = boto3.Session(client["AWS_ACCESS_KEY_ID"], client["AWS_SECRET_ACCESS_KEY"], region_name=region)
        config = Config(retries={"max_attempts": 0}).merge(options.pop("config", Config()))
        make: Any = session.client
        return make(name, endpoint_url=self.url, config=config, **options)

    def environment(self, **extra: str) -> dict[str, str]:
        """The environment of a command under ``local-sagemaker exec``."""
        merged = with_hook(os.environ, connection(self.settings, self.found))
        merged["PATH"] = f"{COMMANDS}:{merged['PATH']}"
        return {**merged, **extra}

    def run(
        self, *words: str, check: bool = True, timeout: float = 240, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """A command with every AWS client in it pointed at this service, as ``local-sagemaker exec`` runs it."""
        return subprocess.run(
            words, env=self.environment(), text=True, capture_output=True, check=check, timeout=timeout, **options
        )


def until(true: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Polls until `true()` is truthy and answers it; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


def read_json(client: Any, uri: str) -> Any:
    """The JSON object at an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())


ROLE = "arn:aws:iam::123456789012:role/LocalSageMakerRole"
SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"


def script_step(name: str, code: str, *after: str, **arguments: Any) -> dict[str, Any]:
    """A Processing step that runs Python code in the scikit-learn image."""
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
            },
            "AppSpecification": {"ImageUri": SCIKIT_LEARN, "ContainerEntrypoint": ["python3", "-c", code]},
            "RoleArn": ROLE,
            **arguments,
        },
        **({"DependsOn": list(after)} if after else {}),
    }


def create_pipeline(
    sagemaker: Any, name: str, *steps: dict[str, Any], parameters: tuple[dict[str, Any], ...] = ()
) -> None:
    """A pipeline of these steps."""
    definition = {"Version": "2020-12-01", "Metadata": {}, "Parameters": list(parameters), "Steps": list(steps)}
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=json.dumps(definition), RoleArn=ROLE)


def start(sagemaker: Any, name: str, **parameters: str) -> str:
    """Starts an execution; its ARN."""
    given = [{"Name": key, "Value": value} for key, value in parameters.items()]
    return str(sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=given)["PipelineExecutionArn"])


def finished(sagemaker: Any, execution: str, seconds: float = 60) -> dict[str, Any]:
    """Waits for the end of an execution; what Describe says then."""

    def ended() -> Any:
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        return described if described["PipelineExecutionStatus"] not in ("Executing", "Stopping") else None

    return dict(until(ended, f"the end of {execution}", seconds))


def steps_of(sagemaker: Any, execution: str) -> dict[str, dict[str, Any]]:
    """The execution's steps by name."""
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    return {step["StepName"]: step for step in steps}


def zipped(**files: str) -> bytes:
    """A function's archive: modules by name."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        for name, text in files.items():
            out.writestr(f"{name}.py", text)
    return archive.getvalue()


def create_function(client: Any, name: str, code: str, **options: Any) -> str:
    """A function of one module ``main`` with a ``handler``; its ARN."""
    given = {"Runtime": "python3.11", "Role": ROLE, "Handler": "main.handler", **options}
    made = client.create_function(FunctionName=name, Code={"ZipFile": zipped(main=code)}, **given)
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    return str(made["FunctionArn"])
