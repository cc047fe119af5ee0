"""What an action's provider works with, and what it returns."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_sagemaker.files.archives import ArchiveError, read_zip
from local_sagemaker.objects.types import Objects
from local_sagemaker.records.store import Body
from local_sagemaker.services.codepipeline.errors import ActionEnded, ActionFailure

PAUSE = 0.15
"""Seconds between two looks at a provider."""
LARGEST_FILE = 8 << 20
"""Bytes of a file that an action reads of an artifact: a template, which has fewer, or settings."""
_SECONDS = 60.0
"""For the reading of one."""


@dataclass(frozen=True)
class ActionResult:
    """How an action ended. `artifacts` are places (bucket, key) by name; `revision` is a source's version."""

    failure: ActionFailure | None = None
    external: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    artifacts: dict[str, dict[str, str]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    revision: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ActionWork:
    """One action to be done. `note` writes down what was started at the provider; `waits` says whether anybody still
    wants the outcome."""

    execution: Body
    structure: dict[str, Any]
    declared: dict[str, Any]
    action: Body
    ended: threading.Event
    note: Callable[[dict[str, str]], None]
    waits: Callable[[], bool]

    @property
    def configuration(self) -> dict[str, str]:
        """The configuration with its variables resolved."""
        return dict(self.action["input"]["resolvedConfiguration"])

    @property
    def token(self) -> str:
        """The action's id: by it a provider knows that it has the work already."""
        return str(self.action["actionExecutionId"])

    @property
    def external(self) -> dict[str, str]:
        """What was noted of the provider's work."""
        return dict(self.action["output"].get("executionResult", {}))

    @property
    def inputs(self) -> dict[str, tuple[str, str]]:
        """Bucket and key of each input artifact, by name. Raises `ActionFailure` for one that no action has made."""
        rows = self.action["input"]["inputArtifacts"]
        absent = [row["name"] for row in rows if not row["s3location"]["key"]]
        if absent:
            raise ActionFailure(f"No action has made the input artifact {absent[0]}.", "ConfigurationError")
        return {row["name"]: (row["s3location"]["bucket"], row["s3location"]["key"]) for row in rows}

    @property
    def outputs(self) -> list[str]:
        """The names of the output artifacts."""
        return [row["name"] for row in self.declared["outputArtifacts"]]

    def pause(self) -> None:
        """Waits a moment. Raises `ActionEnded` when the service ends, or nobody waits any more."""
        if self.ended.wait(PAUSE) or not self.waits():
            raise ActionEnded

    def place(self, artifact: str) -> dict[str, str]:
        """Where an output artifact is to be put: the same place each time that the action is taken up."""
        digest = hashlib.sha256(f"{self.token}/{artifact}".encode()).hexdigest()
        key = f"{self.structure['name'][:20]}/{artifact[:10]}/{digest[:7]}"
        return {"bucket": self.structure["artifactStore"]["location"], "key": key}


Provider = Callable[[ActionWork], ActionResult]
"""Does an action's work and returns when it has ended. Raises `ActionFailure`, or a provider's `ServiceError`."""


class ActionArtifacts:
    """Artifacts in S3: archives."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def put(self, place: dict[str, str], data: bytes) -> None:
        """Writes an artifact."""
        self._objects.put(place["bucket"], place["key"], data, "application/zip")

    def exists(self, place: dict[str, str]) -> bool:
        """Whether an artifact was made."""
        return self._objects.head(place["bucket"], place["key"]) is not None

    def archive(self, bucket: str, key: str) -> Path:
        """The file that holds an artifact; to be read, never written."""
        file = self._objects.path(bucket, key)
        if file is None:
            raise ActionFailure(f"The artifact s3://{bucket}/{key} does not exist.", "ConfigurationError")
        return file

    def file(self, work: ActionWork, path: str) -> bytes:
        """A file of an input artifact, as ``Artifact::path`` names it."""
        artifact, separator, name = path.partition("::")
        if not separator or artifact not in work.inputs:
            raise ActionFailure(f"{path} names no input artifact of the action.", "ConfigurationError")
        return self.member(work, artifact, name)

    def member(self, work: ActionWork, artifact: str, name: str) -> bytes:
        """A file of an input artifact."""
        archive = self.archive(*work.inputs[artifact])
        try:
            data = read_zip(archive, name, largest=LARGEST_FILE, seconds=_SECONDS)
        except (ArchiveError, OSError) as error:
            text = f"The file {name} of the artifact {artifact} can't be read: {error}."
            raise ActionFailure(text, "ConfigurationError") from error
        if data is None:
            raise ActionFailure(f"The file {name} is not in the artifact {artifact}.", "ConfigurationError")
        return data
