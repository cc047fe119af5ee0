"""How a status looks: a shape, one of five colours, and a word. Never colour alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """`icon` is a symbol of the sprite, `tone` a token (ok, run, bad, warn, idle), `word` what is read."""

    icon: str
    tone: str
    word: str


OK, BAD, RUN = Look("ok", "ok", "Succeeded"), Look("bad", "bad", "Failed"), Look("run", "run", "Running")
_LOOKS = {
    "Succeeded": OK,
    "Completed": Look("ok", "ok", "Completed"),
    "InService": Look("ok", "ok", "InService"),
    "Approved": Look("ok", "ok", "Approved"),
    "Active": Look("ok", "ok", "Active"),
    "Scheduled": Look("ok", "ok", "Scheduled"),
    "OK": Look("ok", "ok", "OK"),
    "CompletedWithViolations": Look("bad", "warn", "Violations"),
    "CompletedWithFailures": Look("failed-tolerated", "warn", "Completed with failures"),
    "Failed": BAD,
    "FAULT": Look("bad", "bad", "Fault"),
    "TIMED_OUT": Look("bad", "bad", "Timed out"),
    "CLIENT_ERROR": Look("bad", "bad", "Client error"),
    "Rejected": Look("bad", "bad", "Rejected"),
    "Executing": RUN,
    "InProgress": Look("run", "run", "In progress"),
    "Starting": Look("run", "run", "Starting"),
    "Creating": Look("run", "run", "Creating"),
    "Updating": Look("run", "run", "Updating"),
    "Baking": Look("run", "run", "Baking"),
    "ActivatingTraffic": Look("run", "run", "Activating traffic"),
    "Deleting": Look("run", "run", "Deleting"),
    "RollingBack": Look("retry", "warn", "Rolling back"),
    "Stopping": Look("stop", "warn", "Stopping"),
    "Stopped": Look("stop", "warn", "Stopped"),
    "Superseded": Look("stop", "idle", "Superseded"),
    "OutOfService": Look("stop", "warn", "Out of service"),
    "PendingManualApproval": Look("person", "warn", "Pending approval"),
    "Pending": Look("wait", "idle", "Pending"),
    "Recorded": Look("file", "idle", "recorded"),
    "Defined": Look("wait", "idle", "defined"),
    "InAlert": Look("bad", "warn", "In alert"),
    "ALARM": Look("bad", "bad", "Alarm"),
    "INSUFFICIENT_DATA": Look("wait", "idle", "Insufficient data"),
    # steps, as `step_states` words them
    "Waiting": Look("wait", "idle", "Waiting"),
    "Queued": Look("queue", "idle", "Queued"),
    "Retrying": Look("retry", "run", "Retrying"),
    "Reused": Look("reused", "ok", "Reused"),
    "NotSelected": Look("reused", "ok", "Reused (not selected)"),
    "FailedTolerated": Look("failed-tolerated", "warn", "Failed, tolerated"),
    "NotTaken": Look("skip", "idle", "Not taken"),
    "Blocked": Look("blocked", "idle", "Blocked"),
    "NotMet": Look("skip", "idle", "Not met"),
}


MONITORS = {
    "DataQuality": "Data quality", "ModelQuality": "Model quality", "ModelBias": "Bias",
    "ModelExplainability": "Explainability",
}  # fmt: skip
"""The kinds of monitors, as pages call them."""


def monitor_of(kind: str) -> str:
    """What a kind of monitor is called."""
    return MONITORS.get(kind, kind)


_ENDS = (
    (("ROLLBACK_COMPLETE",), "failed-tolerated", "warn"),
    (("_FAILED", "Failed", "FAILED"), "bad", "bad"),
    (("_COMPLETE", "Completed"), "ok", "ok"),
    (("_IN_PROGRESS", "InProgress"), "run", "run"),
)
"""How statuses of stacks and projects end, with their icons and tones."""


def state_of(status: str) -> Look:
    """The look of a status; one that is not known is shown as it is, without a colour."""
    known = _LOOKS.get(status) or _LOOKS.get(status[:1].upper() + status[1:])
    if known:
        return known
    look = next(((icon, tone) for ends, icon, tone in _ENDS if status.endswith(ends)), ("wait", "idle"))
    return Look(*look, status or "Unknown")
