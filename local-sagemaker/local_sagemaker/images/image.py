"""The contract of an image: what a container image URI means on this machine.

An image returns, for a job's request, which `Program` runs in the job's process. It knows the container contract
(/opt/ml paths, exit codes, failure files) and nothing of records, operations or other images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from local_sagemaker.images.libraries.catalogue import ImageLibraries


@dataclass(frozen=True)
class Program:
    """What a process of an image runs.

    `argv` is the command as the container would run it. With `entry` ("package.module:function") the forked process
    calls that function with ``argv[1:]`` instead of executing a file; its return value (None is 0) is the exit code.
    An `argv` that starts with python or python3 and names a script runs in the forked process too, which saves the
    start of an interpreter and the imports.
    """

    argv: tuple[str, ...]
    entry: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    libraries: ImageLibraries | None = None
    """What the image holds; without it the program is the service's own, and runs in its Python."""
    readable: tuple[Path, ...] = ()
    """Folders of the machine that it reads, at their own places, besides /opt/ml and /tmp."""
    writable: tuple[Path, ...] = ()
    """Folders of the machine that it writes."""
    client_errors: bool = False
    """Whether a failure that the program words as a ClientError is the platform's FailureReason as it stands."""
    accepts_socket: bool = False
    """Whether a server listens on the socket of LOCAL_SAGEMAKER_LISTEN_FD, rather than on SAGEMAKER_BIND_TO_PORT."""


@dataclass(frozen=True)
class ImageUri:
    """The parts of an image URI that matter here: ``<registry>/<repository>:<tag>[-cpu-py3]``."""

    uri: str
    repository: str
    tag: str

    @classmethod
    def parse(cls, uri: str) -> ImageUri:
        """Splits a URI; a digest counts as no tag."""
        name = uri.split("@", 1)[0].rsplit("/", 1)[-1]
        repository, _, tag = name.partition(":")
        return cls(uri, repository, tag)


class Image(Protocol):
    """One kind of image. Registered in `images/__init__.py` by the repositories it stands for."""

    @property
    def repositories(self) -> tuple[str, ...]:
        """The repository names of the image, without registry and tag."""
        ...

    def train(self, uri: ImageUri) -> Program:
        """The image's ENTRYPOINT with the argument ``train``."""
        ...

    def process(self, uri: ImageUri, entrypoint: list[str] | None, arguments: list[str] | None) -> Program:
        """The command of a processing job, by Docker's rules for ENTRYPOINT and CMD (contracts: containers 1.2)."""
        ...

    def serve(self, uri: ImageUri, environment: Mapping[str, str]) -> Program:
        """The image's ENTRYPOINT with the argument ``serve``: an HTTP server for /ping and /invocations.

        It listens on the socket whose file descriptor LOCAL_SAGEMAKER_LISTEN_FD names if it can, else on
        ``127.0.0.1:$SAGEMAKER_BIND_TO_PORT``. The model is in /opt/ml/model.
        """
        ...

    def default_metrics(self, uri: ImageUri) -> list[dict[str, str]]:
        """MetricDefinitions that the service fills in for a built-in algorithm (empty for other images)."""
        ...
