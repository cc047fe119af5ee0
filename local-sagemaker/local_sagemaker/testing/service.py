"""A local service for tests: started on a state folder of its own, with clients, commands and waits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config

from local_sagemaker import lifecycle
from local_sagemaker.cli.control import post
from local_sagemaker.cli.exec import connection
from local_sagemaker.client_environment import with_hook
from local_sagemaker.config import Settings
from local_sagemaker.files.removal import discard
from local_sagemaker.testing.polling import wait_until

COMMANDS = Path(sys.executable).parent
"""The folder of the commands that are installed beside the running Python."""


@dataclass
class LocalSageMaker:
    """A local service and its clients.

    `start_environment` are variables that its process gets; `region` is its default one, taken from the environment.
    """

    home: Path
    start_environment: dict[str, str] = field(default_factory=dict)
    region: str = field(
        default_factory=lambda: os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    )

    @property
    def settings(self) -> Settings:
        """Settings with this service's state folder."""
        return Settings(home=self.home, region=self.region)

    @property
    def description(self) -> dict[str, Any]:
        """Where it runs: url, port, pid, region, account, version. Fails when it does not run."""
        description = lifecycle.find_running(self.settings)
        assert description, f"the service of {self.home} is not running"
        return description

    @property
    def url(self) -> str:
        """The endpoint URL."""
        return str(self.description["url"])

    @property
    def role_arn(self) -> str:
        """A role that exists and trusts SageMaker and Lambda, for jobs, pipelines and functions."""
        return self.settings.role_arn

    def up(self) -> None:
        """Starts it; does nothing when it runs."""
        before = {name: os.environ.get(name) for name in self.start_environment}
        os.environ.update(self.start_environment)
        try:
            lifecycle.start(self.settings)
        finally:
            restore(before)

    def down(self) -> None:
        """Stops it; its state stays, and `up` resumes."""
        lifecycle.stop(self.settings)

    def kill(self) -> None:
        """Kills its process as a crash would, and waits until it has ended."""
        os.kill(self.description["pid"], 9)
        wait_until(lambda: lifecycle.find_running(self.settings) is None, "the end of the killed service")

    def reset(self) -> None:
        """Empties it: records, objects, logs, running work."""
        post(self.settings, self.description, "reset")

    def client(self, name: str, **options: Any) -> Any:
        """An unmodified boto3 client of it. Errors are not retried."""
        description = self.description
        keys = connection(self.settings, description, {})
        region = options.pop("region_name", keys["AWS_REGION"])
        config = Config(retries={"max_attempts": 0}).merge(options.pop("config", Config()))
        with _making:
            session = _session(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], region)
            make: Any = session.client
            return make(name, endpoint_url=str(description["url"]), config=config, **options)

    def client_environment(self) -> dict[str, str]:
        """The variables that point every AWS client of this process at it."""
        return connection(self.settings, self.description, {})

    def environment(self, **extra: str) -> dict[str, str]:
        """The whole environment of a command under ``local-sagemaker exec``."""
        merged = with_hook(os.environ, self.client_environment())
        merged["PATH"] = f"{COMMANDS}:{merged['PATH']}"
        return {**merged, **extra}

    def run(
        self, *words: str, check: bool = True, timeout: float = 240, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command with every AWS client in it pointed at this service, as ``local-sagemaker exec`` does."""
        return subprocess.run(
            words, env=self.environment(), text=True, capture_output=True, check=check, timeout=timeout, **options
        )

    def read_json(self, uri: str) -> Any:
        """The JSON object at an S3 URI."""
        return read_json(self.client("s3"), uri)


@cache
def _loader() -> botocore.loaders.Loader:
    """The models of the services are read once in a process: that takes a fifth of a second for each client else."""
    return botocore.loaders.create_loader(botocore.session.get_session().get_config_variable("data_path"))


_making = threading.Lock()
"""Clients are safe between threads, sessions that make them are not."""


@lru_cache(maxsize=16)
def _session(key_id: str, secret: str, region: str) -> boto3.Session:
    """One for all clients of a service, as to make one takes as long as to make a client."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _loader())
    return boto3.Session(key_id, secret, region_name=region, botocore_session=session)


def restore(variables: dict[str, str | None]) -> None:
    """Sets environment variables to what they were; None: not set."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def read_json(s3: Any, uri: str) -> Any:
    """The JSON object at an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


@contextmanager
def temporary_service(**start_environment: str) -> Iterator[LocalSageMaker]:
    """A service on a new state folder; stopped at the end, and the folder removed."""
    home = Path(tempfile.mkdtemp(prefix="local-sagemaker-"))
    service = LocalSageMaker(home, start_environment)
    service.up()
    try:
        yield service
    finally:
        service.down()
        discard(home)
