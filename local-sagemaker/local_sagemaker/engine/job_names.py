"""Names of what steps make: ``pipelines-<execution id>-<step, cut to 20>-<10 random>``, dashes at the cut kept.

Recorded: ``pipelines-...-abalone-createmodel--...`` of the step Abalone-CreateModel-CreateModel.
"""

from __future__ import annotations

from typing import Any

from local_sagemaker.ids import suffix

_LONGEST = 63
_LONGEST_OF_TUNING = 32


def job_name(execution_id: str, step: str, prefix: Any = None) -> str:
    """A new name. `prefix` is what the definition holds in the name's place; it is cut to leave room for the rest."""
    end = suffix()
    if not prefix:
        return f"pipelines-{execution_id}-{_part(step, 20)}-{end}"
    rest = f"-{execution_id}-{end}"
    return f"{str(prefix)[: _LONGEST - len(rest)]}{rest}"


def name_tuning_job(execution_id: str, step: str, prefix: Any = None) -> str:
    """A new name of a tuning job, which may have 32 characters: ``<execution id>-<step, cut to 7>-<10 random>``.

    A prefix leaves no room for the whole random part.
    """
    end = suffix()
    if not prefix:
        return f"{execution_id}-{_part(step, 7)}-{end}"
    rest = f"-{execution_id[:6]}-{end[:6]}"
    return f"{str(prefix)[: _LONGEST_OF_TUNING - len(rest)]}{rest}"


def _part(step: str, longest: int) -> str:
    """A step's name inside another, which may have no underscores."""
    return step[:longest].replace("_", "-")
