"""The contract of a step type: how a step becomes AWS operations, and what its properties are.

One class per type, one file each, listed in `STEP_TYPES`. A type keeps nothing itself: what must survive a kill is
in `StepRun.record` (members that start with an underscore never leave the service).
"""

# ruff: noqa: ARG002 - methods of the contract take what other step types need

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from local_sagemaker.api.operations import Call
from local_sagemaker.api.request_shapes import response_shape
from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.expressions import Scope
from local_sagemaker.engine.paths import PathError, Token
from local_sagemaker.engine.value_types import type_at
from local_sagemaker.events import Event
from local_sagemaker.objects.types import Objects

Json = Any
Record = dict[str, Any]
CACHED = frozenset({"CacheConfig"})
RETRIED = frozenset({"RetryPolicies"})


@dataclass(frozen=True)
class Facts:
    """What does not change during an execution."""

    pipeline_name: str
    pipeline_arn: str
    execution_arn: str
    execution_id: str
    started: float
    experiment: dict[str, str] | None = None


@dataclass(frozen=True)
class Tools:
    """What step types work with: operations, objects, and events for work that is a step type's own."""

    call: Call
    objects: Objects
    publish: Callable[[Event], None]


@dataclass
class StepRun:
    """One run of a step. `job_name` is chosen before anything is made; `record` is the step's journal entry.

    `answer` is what work that is no job came to; it is lost in a kill.
    """

    step: Step
    facts: Facts
    scope: Scope
    tools: Tools
    record: Record
    save: Callable[[], None]
    answer: Any = None

    @property
    def job_name(self) -> str:
        """The name of the job or model that this run makes."""
        return str(self.record["_job"])

    @property
    def request(self) -> Record:
        """The resolved request, as it was before the first call of this attempt."""
        return dict(self.record["_request"])


@dataclass(frozen=True)
class Ended:
    """How an attempt ended: ``Succeeded``, ``Failed`` or ``Stopped``.

    `cause` is the ExceptionType for retry policies; `final` failures (of a Fail step) end the whole execution.
    """

    status: str
    reason: str | None = None
    cause: str | None = None
    final: bool = False


SUCCEEDED = Ended("Succeeded")
_MOST_TAGS = 50


def tagged(request: Record, run: StepRun) -> Record:
    """The request with the two tags that SageMaker Pipelines puts on what a step makes.

    SDKs find the execution of a job by the first (sagemaker.lineage). Tags beyond the API's most are left out.
    """
    own = {
        "sagemaker:pipeline-execution-arn": run.facts.execution_arn,
        "sagemaker:pipeline-step-name": run.step.name,
    }
    given = request.get("Tags", [])
    added = [{"Key": key, "Value": value} for key, value in own.items() if key not in {tag["Key"] for tag in given}]
    return {**request, "Tags": [*given, *added][: max(_MOST_TAGS, len(given))]}


def failed(reason: str, cause: str | None = None) -> Ended:
    """A failed attempt; texts of the step's own failures start with ``ClientError:`` as on AWS."""
    return Ended("Failed", reason, cause)


class StepType(Protocol):
    """One kind of step."""

    @property
    def type(self) -> str:
        """The ``Type`` in definitions."""
        ...

    @property
    def operation(self) -> str | None:
        """The operation whose request the Arguments are (checked at create time), None for free ones."""
        ...

    @property
    def refused(self) -> frozenset[str]:
        """Members of that request that a definition may not hold."""
        ...

    @property
    def members(self) -> frozenset[str]:
        """Step-level members that only some types have."""
        ...

    @property
    def job(self) -> str | None:
        """The record kind of the job that a run waits for, None when the run ends at once."""
        ...

    @property
    def name_member(self) -> str | None:
        """The request's member for the resource's name, where a definition may give a prefix."""
        ...

    def problems(self, step: Step) -> Iterator[str]:
        """What is wrong with the step's own members, found at create time."""
        ...

    def scalars(self, step: Step) -> Iterator[tuple[str, Any, str]]:
        """(name, value, type) of the scalars that no request shape describes, to be checked at create time."""
        ...

    def property_type(self, step: Step, path: tuple[Token, ...]) -> str:
        """The type of the property of `step` at a path. Raises `PathError` when there is none."""
        ...

    def resolve(self, run: StepRun) -> Record:
        """The resolved request of a new attempt. Raises ExpressionError when an expression has no value."""
        ...

    def signature(self, request: Record) -> Record | None:
        """The members of a resolved request that make a cache hit; None when the type is not cached."""
        ...

    def start(self, run: StepRun) -> Ended | None:
        """Makes what the step stands for; None while a job of it runs."""
        ...

    def resume(self, run: StepRun) -> Ended | None:
        """Goes on after a kill of the service: looks for what `start` made, or makes it now."""
        ...

    def ended(self, run: StepRun) -> Ended | None:
        """Asked after an event of the job: how it ended, None when it still runs."""
        ...

    def stop(self, run: StepRun) -> None:
        """Asks the job to stop; its event tells the end."""
        ...

    def properties(self, record: Record, tools: Tools) -> Record:
        """What ``Steps.<name>`` refers to once the step Succeeded."""
        ...

    def outputs(self, properties: Record) -> list[str]:
        """S3 URIs that the step wrote; a cached run counts only while they are there."""
        ...


@dataclass(frozen=True)
class Immediate:
    """What step types share that end in `start`: nothing to wait for, stop or look up in a cache."""

    type: str = field(init=False)
    operation: str | None = field(default=None, init=False)
    refused: frozenset[str] = field(default=frozenset(), init=False)
    members: frozenset[str] = field(default=frozenset(), init=False)
    described: str | None = field(default=None, init=False)
    """The operation whose answer the step's properties are."""
    job: str | None = field(default=None, init=False)
    name_member: str | None = field(default=None, init=False)

    def problems(self, step: Step) -> Iterator[str]:
        """Nothing beyond the arguments."""
        yield from ()

    def scalars(self, step: Step) -> Iterator[tuple[str, Any, str]]:
        """None beyond the arguments."""
        yield from ()

    def property_type(self, step: Step, path: tuple[Token, ...]) -> str:
        """By the Describe operation's response shape."""
        if self.described is None:
            raise PathError("they have no properties")
        return type_at(response_shape(self.described), path)

    def signature(self, request: Record) -> Record | None:
        """Not cached."""
        return None

    def ended(self, run: StepRun) -> Ended | None:
        """Never asked: the run ended in `start`."""
        return SUCCEEDED

    def stop(self, run: StepRun) -> None:
        """Nothing runs."""

    def outputs(self, properties: Record) -> list[str]:
        """No files."""
        return []
