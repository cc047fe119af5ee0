"""Settings, read from the environment once and handed down; no other module reads the environment for them."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from local_sagemaker.arns import Arns
from local_sagemaker.clock import seconds_ahead

FOLDER = ".local-sagemaker"
T = TypeVar("T")
_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")


class SettingsError(Exception):
    """A setting has a value that nothing can be done with; the message names both, and what is expected."""


def check_account(text: str, source: str) -> str:
    """:raises SettingsError: if it is no account's number; `source` says where it was read."""
    if not _ACCOUNT.fullmatch(text):
        raise SettingsError(f"{source}: '{text}' is no account: 12 digits are expected.")
    return text


def check_region(text: str, source: str) -> str:
    """:raises SettingsError: if no region can be called so."""
    if not _REGION.fullmatch(text):
        raise SettingsError(f"{source}: '{text}' is no region; one is called like us-east-1.")
    return text


def check_port(text: str, source: str) -> int:
    """:raises SettingsError: if it is no port's number; 0 means any free one."""
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise SettingsError(f"{source}: '{text}' is no port: a number from 0 (any free one) to 65535 is expected.")
    return int(text)


def check_seconds(text: str, source: str) -> float:
    """:raises SettingsError: if it is no number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise SettingsError(f"{source}: '{text}' is no number of seconds.")
    return seconds


def check_switch(text: str, source: str) -> bool:
    """:raises SettingsError: if it is neither yes nor no."""
    switches = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}
    if text.lower() not in switches:
        raise SettingsError(f"{source}: '{text}' is neither yes nor no.")
    return switches[text.lower()]


def check_clock(text: str, source: str) -> str:
    """:raises SettingsError: if it is neither a time nor a duration."""
    try:
        seconds_ahead(text) if text else 0.0
    except ValueError as error:
        raise SettingsError(f"{source}: {error}") from error
    return text


def find_home(start: Path, environment: Mapping[str, str]) -> Path:
    """The state folder: LOCAL_SAGEMAKER_HOME, else ``.local-sagemaker`` in the project (or the current folder)."""
    if environment.get("LOCAL_SAGEMAKER_HOME"):
        return Path(environment["LOCAL_SAGEMAKER_HOME"]).expanduser().resolve()
    for folder in (start, *start.parents):
        if (folder / FOLDER).is_dir() or (folder / "setup.py").is_file() or (folder / "pyproject.toml").is_file():
            return folder / FOLDER
    return start / FOLDER


def find_cache(environment: Mapping[str, str]) -> Path:
    """The cache folder: LOCAL_SAGEMAKER_CACHE, else ``local-sagemaker`` below XDG_CACHE_HOME (``~/.cache``)."""
    if environment.get("LOCAL_SAGEMAKER_CACHE"):
        return Path(environment["LOCAL_SAGEMAKER_CACHE"]).expanduser().resolve()
    above = environment.get("XDG_CACHE_HOME")
    return (Path(above) if above else Path.home() / ".cache") / "local-sagemaker"


@dataclass(frozen=True)
class Settings:
    """The state folder, and the account and default region of the service."""

    home: Path
    account: str = "123456789012"
    region: str = "us-east-1"
    host: str = "127.0.0.1"
    port: int = 0
    stop_grace: float = 120.0
    """Seconds from SIGTERM to SIGKILL when a job is stopped (API reference, StopTrainingJob)."""
    autoscaling_period: float = 60.0
    """Seconds between two looks of scaling policies; a minute on AWS."""
    preload: bool = True
    """Whether a start loads the libraries of the default images, so that the first jobs begin at once."""
    clock: str = ""
    """A time at which the service's clock begins, or by how much it is ahead (clock_setting.py); "" is neither."""
    cache: Path = field(default_factory=lambda: find_cache(os.environ))
    """What can be made again at any time, shared by all state folders: the libraries of images."""
    job_slots: int = field(default_factory=lambda: max(8, 4 * (os.cpu_count() or 1)))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, start: Path | None = None) -> Settings:
        """Settings of this process's environment; `start` is where the search for the project begins.

        :raises SettingsError: for a value that is none of its kind.
        """
        environment = os.environ if environment is None else environment

        def read(check: Callable[[str, str], T], default: str, *names: str) -> T:
            source = next((name for name in names if environment.get(name)), "")
            return check(environment.get(source, default), source)

        return cls(
            home=find_home((start or Path.cwd()).resolve(), environment),
            cache=find_cache(environment),
            account=read(check_account, "123456789012", "LOCAL_SAGEMAKER_ACCOUNT"),
            region=read(check_region, "us-east-1", "LOCAL_SAGEMAKER_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"),
            clock=read(check_clock, "", "LOCAL_SAGEMAKER_CLOCK"),
            port=read(check_port, "0", "LOCAL_SAGEMAKER_PORT"),
            preload=read(check_switch, "yes", "LOCAL_SAGEMAKER_PRELOAD"),
            stop_grace=read(check_seconds, "120", "LOCAL_SAGEMAKER_STOP_GRACE"),
            autoscaling_period=read(check_seconds, "60", "LOCAL_SAGEMAKER_AUTOSCALING_PERIOD"),
        )

    def in_region(self, region: str) -> Settings:
        """The same state folder and account, serving as another region."""
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
    def failed_jobs(self) -> Path:
        """The kept folders of the region's jobs whose program failed."""
        return self.home / "failed-jobs" / self.region

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
    def clock_file(self) -> Path:
        """By how much the service's clock is ahead of the machine's."""
        return self.home / "clock.json"

    @property
    def service_file(self) -> Path:
        """Process id and address of the running service."""
        return self.home / "service.json"
