"""A job as the runtime sees it, the outcome it ends with, and the two ports that the runtime needs.

The resource classes translate Create requests into a `JobSpec`; the runtime never sees a request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from local_sagemaker.images.image import Image, Program
from local_sagemaker.processes.spec import Process


class Phase(StrEnum):
    """Where a running job is."""

    DOWNLOADING = "Downloading"
    RUNNING = "Running"
    UPLOADING = "Uploading"


class UploadTiming(StrEnum):
    """When an output goes to S3."""

    END = "EndOfJob"
    CONTINUOUS = "Continuous"
    MIRROR = "Mirror"
    """Like Continuous, with deletions, as for checkpoints."""


@dataclass(frozen=True)
class Channel:
    """S3 objects that become files. `path` is below /opt/ml; with `optional` there may be none. A `pipe` sends each
    object as a RecordIO record if `record_io` is set."""

    name: str
    uri: str
    path: str
    data_type: str = "S3Prefix"
    sharded: bool = False
    pipe: bool = False
    gzip: bool = False
    seed: int | None = None
    record_io: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Upload:
    """Files below /opt/ml that become S3 objects under `uri`, or one tar.gz object at `uri` with `archive`.

    What is not marked `after_failure` is left when the job failed.
    """

    path: str
    uri: str
    when: UploadTiming = UploadTiming.END
    archive: bool = False
    after_failure: bool = True
    content_type: str = "binary/octet-stream"


@dataclass(frozen=True)
class Batch:
    """A transform job: objects sent through a server of the model's `containers`."""

    containers: tuple[Mapping[str, Any], ...]
    request: Mapping[str, Any]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class JobSpec:
    """One job, ready to run. `files` are JSON documents by their path below /opt/ml, the same on every host.

    `environment` are the variables of the request and of the contract; `maximum` is the run time limit in seconds.
    """

    kind: str
    name: str
    arn: str
    log_group: str
    program: Program
    hosts: int = 1
    instance_type: str = "ml.m5.xlarge"
    channels: tuple[Channel, ...] = ()
    uploads: tuple[Upload, ...] = ()
    folders: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)
    resource_config: str | None = None
    maximum: float = 86400.0
    working_directory: str = "/"
    metrics: tuple[Mapping[str, str], ...] = ()
    image: Image | None = None
    batch: Batch | None = None

    @property
    def host_names(self) -> list[str]:
        """``algo-1`` to ``algo-N``, sorted as text: that is the order in which real jobs list them."""
        return sorted(f"algo-{number + 1}" for number in range(self.hosts))


@dataclass(frozen=True)
class Outcome:
    """How a job ended. Times in seconds since the epoch; `started` is None when no process was started."""

    status: str
    reason: str | None = None
    message: str | None = None
    started: float | None = None
    ended: float = 0.0
    timed_out: bool = False
    uploaded: frozenset[str] = frozenset()
    metrics: tuple[Mapping[str, Any], ...] = ()


class JobFailure(Exception):
    """The job has failed, and this is its FailureReason: a category, a colon and a text."""


class Observer(Protocol):
    """The resource class that a job belongs to. Called in the job's thread."""

    def phase(self, job: JobSpec, phase: Phase) -> None:
        """The job enters a phase."""
        ...

    def ended(self, job: JobSpec, outcome: Outcome) -> None:
        """The job has ended; nothing more comes."""
        ...


class ModelServer(Protocol):
    """A running model server."""

    @property
    def url(self) -> str:
        """Its address, ``http://127.0.0.1:PORT``."""
        ...

    @property
    def processes(self) -> Sequence[Process]:
        """The processes of its containers."""
        ...

    def stop(self) -> None:
        """Ends it."""
        ...


class TemporaryEndpoints(Protocol):
    """Endpoints for as long as a job needs a model."""

    def of(self, model: str, predictor: Mapping[str, Any]) -> AbstractContextManager[str]:
        """An endpoint of a model; its address, for requests to /invocations."""
        ...


class ModelServers(Protocol):
    """Starts model servers; `model_servers.supervisor` implements it."""

    def start(
        self, containers: list[dict[str, Any]], environment: Mapping[str, str], folder: Path, log: Path
    ) -> ModelServer:
        """Starts the serve program of the containers' images and waits until it responds to /ping."""
        ...
