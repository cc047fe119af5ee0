"""Step caching: may an earlier run of the step stand in for this one, and if not, why not. Pure.

The key of each step type is in its `signature`. Every decision comes with an explanation, which a user reads in the
step's log stream: which run was taken, or which member of the key differed, from which value to which.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from local_sagemaker.arns import last
from local_sagemaker.clock import iso
from local_sagemaker.masking import mask_at

_LONGEST = 160


@dataclass(frozen=True)
class EarlierRun:
    """A Succeeded run of the same step of the same pipeline. `ended` in seconds since the epoch."""

    execution_arn: str
    ended: float
    signature: dict[str, Any]
    metadata: dict[str, Any]
    outputs: tuple[str, ...] = ()

    def as_record(self) -> dict[str, Any]:
        """The run as it is kept."""
        return asdict(self)

    @classmethod
    def from_record(cls, body: dict[str, Any]) -> EarlierRun:
        """A kept run."""
        return cls(**{**body, "outputs": tuple(body["outputs"])})


@dataclass(frozen=True)
class CacheHit:
    """The run that stands in (None: a miss), and the explanation."""

    run: EarlierRun | None
    text: str


def look_up(
    signature: dict[str, Any],
    runs: list[EarlierRun],
    *,
    now: float,
    expire_after: float | None,
    lost: Callable[[EarlierRun], str | None],
) -> CacheHit:
    """Searches the earlier runs, newest first; `lost` says what of a run's results no longer exists (None: nothing)."""
    if not runs:
        return CacheHit(None, "Cache miss: no earlier run of this step has succeeded.")
    same = [run for run in runs if run.signature == signature]
    if not same:
        newest = runs[0]
        changes = list(differences(newest.signature, signature))
        members = ", ".join(dict.fromkeys(path.split(".")[0].split("[")[0] for path, _, _ in changes))
        details = "; ".join(f"{path} was {_show(path, old)}, is {_show(path, new)}" for path, old, new in changes[:5])
        more = f"; and {len(changes) - 5} more" if len(changes) > 5 else ""
        verb = "differs" if "," not in members else "differ"
        return CacheHit(None, f"Cache miss: {members} {verb} from the newest run ({_name(newest)}): {details}{more}.")
    reasons = []
    for run in same:
        age = now - run.ended
        if expire_after is not None and age > expire_after:
            limit = f"{age:.0f} s old, ExpireAfter is {expire_after:.0f} s"
            reasons.append(f"{_name(run)} had the same values but has expired ({limit})")
            break  # all further ones are older
        loss = lost(run)
        if loss is None:
            return CacheHit(run, f"Cache hit: {_name(run)} ran this step with the same values at {iso(run.ended)}.")
        reasons.append(f"{_name(run)} had the same values but {loss}")
    return CacheHit(None, f"Cache miss: {'; '.join(reasons[:3])}.")


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, old, new) of every leaf that differs; an absent one is None."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            yield from differences(before, after, f"{path}[{_label(index, after, before)}]")
    elif old != new:
        yield path, old, new


def _label(index: int, *items: Any) -> str:
    for item in items:
        if isinstance(item, dict):
            for member in ("InputName", "ChannelName", "OutputName"):
                if member in item:
                    return f"'{item[member]}'"
    return str(index)


def _show(path: str, value: Any) -> str:
    """What the log says of a value, which anyone who reads the log sees: no secret of the environment."""
    if value is None:
        return "absent"
    shown = json.dumps(mask_at(path, value), ensure_ascii=False)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "..."


def _name(run: EarlierRun) -> str:
    return f"execution {last(run.execution_arn)}"
