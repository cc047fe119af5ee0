"""What the steps of an execution read and wrote, as a comparison shows it: what exists, by its ETag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.check_verdicts import verdicts_of
from local_sagemaker.studio.pages.job_details import Artifact, job_of, load_job
from local_sagemaker.studio.pages.serving import version_name
from local_sagemaker.studio.views.numbers import size

MOST_JOBS = 30


def data_of(visit: Visit, steps: Mapping[str, Mapping[str, Any]], end: float | None) -> dict[str, str]:
    """Inputs and outputs by step and name, of at most 30 jobs. S3 has only the newest: what was written after the
    execution's end says so."""
    data: dict[str, str] = {}
    jobs = [(name, job_of(step.get("Metadata", {}))) for name, step in steps.items()]
    for name, job in [item for item in reversed(jobs) if item[1]][:MOST_JOBS]:
        assert job is not None
        try:
            view = load_job(visit, *job, tab="io")
        except ServiceError:
            continue  # deleted since
        for kind, artifacts in (("input", view.inputs), ("output", view.outputs)):
            for item in artifacts:
                data[f"{name} {kind} {item.name}"] = _to_text(item, end)
    return data


def _to_text(item: Artifact, end: float | None) -> str:
    if not item.objects:
        return "nothing" if item.objects == 0 else item.warning or "-"
    count = f"{item.objects:,} object{'s' if item.objects > 1 else ''}"
    later = ", written again since" if end and item.modified and item.modified > end + 1 else ""
    return f"{item.etag[:12]}, {count}, {size(item.bytes)}{later}"


def checks_of(visit: Visit, steps: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What each check step found."""
    return {item.step: item.words for item in verdicts_of(visit, dict(reversed(list(steps.items()))))}


def versions_of(visit: Visit, steps: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The model versions that the steps registered."""
    arns = {name: step.get("Metadata", {}).get("RegisterModel", {}).get("Arn", "") for name, step in steps.items()}
    return {name: version_name(visit, arn) for name, arn in arns.items() if arn}
