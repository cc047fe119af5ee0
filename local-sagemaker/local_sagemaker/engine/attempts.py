"""Attempts of one step: the request is resolved and written down, the cache is queried, the step type makes its job.

Everything that `execution` decides about steps is done here, in its thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from local_sagemaker.clock import iso, now
from local_sagemaker.engine.cache import EarlierRun, look_up
from local_sagemaker.engine.expressions import ExpressionError
from local_sagemaker.engine.job_listener import Watch
from local_sagemaker.engine.journal import Journal
from local_sagemaker.engine.retry import SERVICE_FAULT, cause_of_error
from local_sagemaker.engine.step_log import attempt_note, write_note
from local_sagemaker.engine.steps import step_type
from local_sagemaker.engine.steps.step_type import SUCCEEDED, StepResult, StepRun, StepType, failure
from local_sagemaker.errors import ServiceError, says_full
from local_sagemaker.logs import Logs
from local_sagemaker.objects.types import Objects
from local_sagemaker.objects.uris import split
from local_sagemaker.records.own_members import own_step
from local_sagemaker.records.status import StepStatus

_LOG = logging.getLogger(__name__)
_LONGEST_REASON = 1024
_PRIVATE = ("_request", "_retries", "_notes")


class Attempts:
    """Makes, resumes, stops and finishes the attempts of an execution's steps."""

    def __init__(self, *, journal: Journal, watch: Watch, logs: Logs) -> None:
        self._journal = journal
        self._watch = watch
        self._logs = logs

    def start(self, run: StepRun) -> StepResult | None:
        """Starts an attempt; None while its job runs."""
        return _try(lambda: self._start(run, _kind(run)))

    def resume(self, run: StepRun) -> StepResult | None:
        """Continues with an attempt that was under way when the service was killed."""
        kind = _kind(run)
        if "_request" not in run.record:
            return self.start(run)
        self._await(run, kind)
        return self._note(run, _try(lambda: kind.resume(run)))

    def result(self, run: StepRun) -> StepResult | None:
        """How the job ended, after its event."""
        return _try(lambda: _kind(run).result(run))

    def stop(self, run: StepRun) -> None:
        """Stops the job. Where that is refused, the job's own end is awaited."""
        _try(lambda: _kind(run).stop(run))

    def renew(self, run: StepRun, reason: str = "") -> None:
        """Prepares the next attempt of a failed step: another name, a fresh request. The step's log says why."""
        self._forget(run)
        self._log(run, attempt_note(run.record, reason, now()))
        run.record["AttemptCount"] += 1
        own_step(run.record)["_retries"] = own_step(run.record).get("_retries", 0) + 1
        for member in ("_job", "_request", "_notes"):
            run.record.pop(member, None)
        self._journal.save(run.record)

    def finish(self, run: StepRun, result: StepResult) -> None:
        """Writes down the end of a step, for listings and for the cache."""
        record, kind = run.record, _kind(run)
        self._forget(run)
        record["StepStatus"] = result.status
        record["EndTime"] = now()
        if result.reason:
            record["FailureReason"] = result.reason[:_LONGEST_REASON]
        signature = kind.signature(own_step(record)["_request"]) if "_request" in record else None
        for member in _PRIVATE:
            record.pop(member, None)
        if result.status == StepStatus.SUCCEEDED and signature is not None and "CacheHitResult" not in record:
            self._remember(run, kind, signature)
        self._journal.save(record)

    def _start(self, run: StepRun, kind: StepType) -> StepResult | None:
        record = run.record
        prepared = kind.prepare(run)
        own_step(record)["_job"], own_step(record)["_request"] = prepared.name, prepared.request
        if self._use_cache(run, kind):
            return SUCCEEDED
        self._await(run, kind)
        self._journal.save(record)
        return self._note(run, kind.start(run))

    def _note(self, run: StepRun, result: StepResult | None) -> StepResult | None:
        if result is None:
            run.record["StepStatus"] = StepStatus.EXECUTING
            self._journal.save(run.record)
        return result

    def _await(self, run: StepRun, kind: StepType) -> None:
        if kind.job:
            self._watch.add(kind.job, run.job_name, run.wake)

    def _forget(self, run: StepRun) -> None:
        kind = _kind(run)
        if kind.job and "_job" in run.record:
            self._watch.drop(kind.job, run.job_name)

    def _use_cache(self, run: StepRun, kind: StepType) -> bool:
        signature = kind.signature(own_step(run.record)["_request"])
        if not run.step.cache.enabled or signature is None:
            return False
        response = look_up(
            signature,
            self._journal.earlier(run.step.name, signature),
            now=now(),
            expire_after=run.step.cache.expire_after,
            lost=lambda earlier: _reason_of_loss(earlier, run, kind),
        )
        own_step(run.record)["_cache"] = response.text
        self._log(run, response.text)
        if response.run is None:
            return False
        run.record["Metadata"] = response.run.metadata
        run.record["CacheHitResult"] = {"SourcePipelineExecutionArn": response.run.execution_arn}
        return True

    def _log(self, run: StepRun, text: str) -> None:
        write_note(self._logs, f"{run.execution.pipeline_name}/{run.execution.id}/{run.step.name}", text)

    def _remember(self, run: StepRun, kind: StepType, signature: dict[str, object]) -> None:
        try:
            written = kind.outputs(kind.properties(run.record, run.context))
        except ServiceError:
            return  # the job's record no longer exists: nothing that a later run could use
        there = tuple(uri for uri in written if _exists(uri, run.context.objects))
        earlier = EarlierRun(run.execution.arn, run.record["EndTime"], signature, run.record["Metadata"], there)
        self._journal.remember(run.step.name, earlier)


def _kind(run: StepRun) -> StepType:
    kind = step_type(run.step.type)
    if kind is None:
        raise ServiceError(f"Step type '{run.step.type}' is no longer supported.")
    return kind


def _try(attempt: Callable[[], StepResult | None]) -> StepResult | None:
    try:
        return attempt()
    except ExpressionError as error:
        return failure(f"ClientError: {error}")
    except ServiceError as error:
        return failure(f"ClientError: {error.message}", cause_of_error(error))
    except Exception as error:
        if says_full(error):
            raise  # the execution waits for space
        # a defect in an operation is its step's failure, not the end of the execution
        _LOG.exception("a step's attempt")
        return failure(f"InternalServerError: {error!r}", SERVICE_FAULT)


def _reason_of_loss(earlier: EarlierRun, run: StepRun, kind: StepType) -> str | None:
    try:
        kind.properties({"Metadata": earlier.metadata}, run.context)
    except ServiceError:
        return "its job no longer exists"
    for uri in earlier.outputs:
        if not _exists(uri, run.context.objects):
            return f"its output {uri} no longer exists (it ended at {iso(earlier.ended)})"
    return None


def _exists(uri: str, objects: Objects) -> bool:
    bucket, key = split(uri)
    if key and objects.head(bucket, key):
        return True
    prefix = f"{key.rstrip('/')}/" if key else ""
    return next(iter(objects.list(bucket, prefix)), None) is not None
