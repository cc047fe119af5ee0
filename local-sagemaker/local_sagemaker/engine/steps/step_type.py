"""The contract of a step type: how a step becomes AWS operations, and what its properties are.

One class per type, listed in `STEP_TYPES`; what most types share are the defaults here. A type keeps nothing itself:
what must survive a crash is in `StepRun.record` (members that start with an underscore never leave the service).
"""

# ruff: noqa: ARG002, B027 - defaults of the contract need not what other step types need

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.api.request_shapes import response_shape
from local_sagemaker.engine.callback_tokens import Deliveries
from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.expressions import ExpressionScope, resolve
from local_sagemaker.engine.job_names import job_name
from local_sagemaker.engine.journal import Record as Record
from local_sagemaker.engine.paths import ReferencePathError, Token
from local_sagemaker.engine.value_types import type_at
from local_sagemaker.objects.types import Objects
from local_sagemaker.records.own_members import own_step
from local_sagemaker.records.status import StepStatus

Json = Any
CACHED = frozenset({"CacheConfig"})
RETRIED = frozenset({"RetryPolicies"})


@dataclass(frozen=True)
class ExecutionInfo:
    """What does not change during an execution. `started` is in seconds since the epoch."""

    pipeline_name: str
    pipeline_arn: str
    arn: str
    id: str
    started: float
    experiment: dict[str, str] | None = None


@dataclass(frozen=True)
class StepContext:
    """What step types work with: operations of any service, objects, and results that operations bring."""

    call: Call
    objects: Objects
    deliveries: Deliveries


@dataclass(frozen=True)
class Prepared:
    """An attempt before its first call: the name of its job, resource or token ("" for none), and its request."""

    name: str
    request: Record


@dataclass
class StepRun:
    """One run of a step; `record` is its journal entry.

    `scope` gives the values that expressions see when the step's job has a name (``Execution.TrainingJobName``).
    `wake` has the execution look at the step again; `result` is what work of the step's own thread came to, which is
    lost in a crash.
    """

    step: Step
    execution: ExecutionInfo
    scope: Callable[[str], ExpressionScope]
    context: StepContext
    record: Record
    save: Callable[[], None]
    wake: Callable[[], None]
    result: Any = None

    @property
    def job_name(self) -> str:
        """The name that `StepType.prepare` chose."""
        return str(own_step(self.record)["_job"])

    @property
    def request(self) -> Record:
        """The request that `StepType.prepare` made, as it was before the first call of this attempt."""
        return dict(own_step(self.record)["_request"])

    @property
    def notes(self) -> Record:
        """What the step type must know again after a crash; forgotten with the attempt."""
        notes: Record = own_step(self.record).setdefault("_notes", {})
        return notes

    @property
    def is_stopping(self) -> bool:
        """Whether the execution is being stopped."""
        return bool(self.record["StepStatus"] == StepStatus.STOPPING)


@dataclass(frozen=True)
class StepResult:
    """How an attempt ended: ``Succeeded``, ``Failed`` or ``Stopped``.

    `cause` is the ExceptionType for retry policies; `final` failures (of a Fail step) end the whole execution.
    """

    status: str
    reason: str | None = None
    cause: str | None = None
    final: bool = False


SUCCEEDED, STOPPED = StepResult(StepStatus.SUCCEEDED), StepResult(StepStatus.STOPPED)
_MOST_TAGS = 50


def with_tags(request: Record, run: StepRun) -> Record:
    """The request with the two tags that SageMaker Pipelines puts on what a step makes.

    SDKs find the execution of a job by the first (sagemaker.lineage). Tags beyond the API's most are left out.
    """
    own = {
        "sagemaker:pipeline-execution-arn": run.execution.arn,
        "sagemaker:pipeline-step-name": run.step.name,
    }
    tags = request.get("Tags", [])
    added = [{"Key": key, "Value": value} for key, value in own.items() if key not in {tag["Key"] for tag in tags}]
    return {**request, "Tags": [*tags, *added][: max(_MOST_TAGS, len(tags))]}


def failure(reason: str, cause: str | None = None) -> StepResult:
    """A failed attempt; texts of the step's own failures start with ``ClientError:`` as on AWS."""
    return StepResult(StepStatus.FAILED, reason, cause)


class StepType(ABC):
    """One kind of step. The defaults are those of a step that ends in `start` and has nothing to stop or cache."""

    type: str
    """The ``Type`` in definitions."""
    operation: str | None = None
    """The operation whose request the Arguments are (checked at create time), None for free ones."""
    described: str | None = None
    """The operation whose response the step's properties are."""
    refused: frozenset[str] = frozenset()
    """Members of the request that a definition may not hold."""
    members: frozenset[str] = frozenset()
    """Step-level members that only some types have."""
    job: str | None = None
    """The record kind of what a run waits for by its name, None when the run ends in `start` or wakes itself."""
    name_member: str | None = None
    """The request's member for the resource's name, where a definition may give a prefix."""

    def problems(self, step: Step) -> Iterator[str]:
        """What is wrong with the step's own members, found at create time."""
        yield from ()

    def scalars(self, step: Step) -> Iterator[tuple[str, Any, str]]:
        """(name, value, type) of the scalars that no request shape describes, to be checked at create time."""
        yield from ()

    def property_type(self, step: Step, path: tuple[Token, ...]) -> str:
        """The type of the property of `step` at a path. Raises `ReferencePathError` when it has none."""
        if self.described is None:
            raise ReferencePathError("they have no properties")
        return type_at(response_shape(self.described), path)

    @abstractmethod
    def prepare(self, run: StepRun) -> Prepared:
        """The resolved request of a new attempt; writes nothing. Raises ExpressionError when an expression has no
        value."""

    def signature(self, request: Record) -> Record | None:
        """The members of a resolved request that make a cache hit; None when the type is not cached."""
        return None

    @abstractmethod
    def start(self, run: StepRun) -> StepResult | None:
        """Makes what the step stands for; None while it runs."""

    def resume(self, run: StepRun) -> StepResult | None:
        """Continues after a crash of the service: looks for what `start` made, or makes it now."""
        return self.start(run)

    def result(self, run: StepRun) -> StepResult | None:
        """Called after an event of the job, or when the step woke itself: how it ended, None while it runs."""
        return SUCCEEDED

    def stop(self, run: StepRun) -> None:
        """Stops the job; the end follows by its event."""

    def properties(self, record: Record, context: StepContext) -> Record:
        """What ``Steps.<name>`` refers to once the step Succeeded."""
        return {}

    def outputs(self, properties: Record) -> list[str]:
        """S3 URIs that the step wrote; a cached run counts only while they exist."""
        return []

    def new_name(self, run: StepRun) -> str:
        """A new name for what the step makes; a prefix that the definition gives is kept."""
        prefix = run.step.arguments.get(self.name_member) if self.name_member else None
        return job_name(run.execution.id, run.step.name, resolve(prefix, run.scope("")))
