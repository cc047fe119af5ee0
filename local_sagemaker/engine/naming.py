"""Names of the jobs and models that steps make: ``pipelines-<execution id>-<step, cut to 20>-<10 random>``."""

from __future__ import annotations

from typing import Any

from local_sagemaker.ids import suffix

_LONGEST = 63


def job_name(execution_id: str, step: str, prefix: Any = None) -> str:
    """A new name. `prefix` is what a definition made with a custom job prefix holds in the name's place."""
    end = suffix()
    if not prefix:
        # Names may neither hold underscores nor a dash at the end of a part.
        part = step[:20].replace("_", "-").strip("-") or "step"
        return f"pipelines-{execution_id}-{part}-{end}"
    rest = f"-{execution_id}-{end}"
    return f"{str(prefix)[: _LONGEST - len(rest)].strip('-')}{rest}"
