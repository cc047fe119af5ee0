"""Settings, read from the environment once and handed down; no other module reads the environment for them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from local_sagemaker.arns import Arns

FOLDER = ".local-sagemaker"


def find_home(start: Path, environment: Mapping[str, str]) -> Path:
    """The state folder: LOCAL_SAGEMAKER_HOME, else ``.local-sagemaker`` in the project (or the current folder)."""
    if environment.get("LOCAL_SAGEMAKER_HOME"):
        return Path(environment["LOCAL_SAGEMAKER_HOME"]).expanduser().resolve()
    for folder in (start, *start.parents):
        if (folder / FOLDER).is_dir() or (folder / "setup.py").is_file() or (folder / "pyproject.toml").is_file():
            return folder / FOLDER
    return start / FOLDER


@dataclass(frozen=True)
class Settings:
    """Where the state is, and as which account and region the service answers."""

    home: Path
    account: str = "123456789012"
    region: str = "us-east-1"
    host: str = "127.0.0.1"
    port: int = 0
    stop_grace: float = 120.0
    """Seconds from SIGTERM to SIGKILL when a job is stopped (API reference, StopTrainingJob)."""
    autoscaling_period: float = 60.0
    """Seconds between two looks of scaling policies; a minute on AWS."""
    job_slots: int = field(default_factory=lambda: max(8, 4 * (os.cpu_count() or 1)))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, start: Path | None = None) -> Settings:
        """Settings of this process's environment; `start` is where the search for the project begins."""
        environment = os.environ if environment is None else environment
        region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
        return cls(
            home=find_home((start or Path.cwd()).resolve(), environment),
            account=environment.get("LOCAL_SAGEMAKER_ACCOUNT", "123456789012"),
            region=environment.get("LOCAL_SAGEMAKER_REGION", region),
            port=int(environment.get("LOCAL_SAGEMAKER_PORT", "0")),
            stop_grace=float(environment.get("LOCAL_SAGEMAKER_STOP_GRACE", "120")),
            autoscaling_period=float(environment.get("LOCAL_SAGEMAKER_AUTOSCALING_PERIOD", "60")),
        )

    def in_region(self, region: str) -> Settings:
        """The same state folder and account, answering as another region."""
        return replace(self, region=region)

    @property
    def arns(self) -> Arns:
        """The ARNs of this account and region."""
        return Arns(self.account, self.region)

    @property
    def role_arn(self) -> str:
        """The role that callers of the service are taken to have assumed; it exists and trusts SageMaker."""
        return f"arn:aws:iam::{self.account}:role/LocalSageMakerRole"

    @property
    def records_file(self) -> Path:
        """SQLite file of all records."""
        return self.home / "records.sqlite"

    @property
    def objects(self) -> Path:
        """S3 objects as plain files, one folder a bucket."""
        return self.home / "objects"

    @property
    def jobs(self) -> Path:
        """One folder a running job of the region: its /opt/ml, /tmp and log."""
        return self.home / "jobs" / self.region

    @property
    def endpoints(self) -> Path:
        """The files of the region's running model servers."""
        return self.home / "endpoints" / self.region

    @property
    def functions(self) -> Path:
        """The code of the region's Lambda functions, and the private folders of those that run."""
        return self.home / "functions" / self.region

    @property
    def logs(self) -> Path:
        """The region's CloudWatch log streams as plain text files: ``<group>/<stream>``."""
        return self.home / "logs" / self.region

    @property
    def credentials_file(self) -> Path:
        """The access keys of this state folder, made once, readable by the owner only."""
        return self.home / "credentials.json"

    @property
    def service_file(self) -> Path:
        """Process id and address of the running service."""
        return self.home / "service.json"
