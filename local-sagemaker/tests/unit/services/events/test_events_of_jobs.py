"""The events of jobs: the answer of Describe, with times in milliseconds and tags as a map (DEL-35)."""

from __future__ import annotations

import pytest

from local_sagemaker.events import DELETED, Event
from local_sagemaker.records import kinds
from local_sagemaker.services.events.sagemaker_events import events_of


@pytest.mark.parametrize(
    ("kind", "member", "word"),
    [
        (kinds.TRAINING_JOB.kind, "TrainingJob", "Training Job"),
        (kinds.PROCESSING_JOB.kind, "ProcessingJob", "Processing Job"),
        (kinds.TRANSFORM_JOB.kind, "TransformJob", "Transform Job"),
        (kinds.TUNING_JOB.kind, "HyperParameterTuningJob", "HyperParameter Tuning Job"),
    ],
)
def test_a_job_s_change_is_told_with_what_describe_answers(kind: str, member: str, word: str) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:job/a"
    body = {f"{member}Name": "a", f"{member}Arn": arn, f"{member}Status": "Failed", "FailureReason": "it is broken",
            "CreationTime": 1795917600.25, "_own": 1}  # fmt: skip
    change = Event(arn=arn, kind=kind, status="Failed", name="a", previous="InProgress", body=body)
    ((told, resources, detail),) = events_of(change, lambda of: {"team": "b"} if of == arn else {})
    assert (told, resources) == (f"SageMaker {word} State Change", [arn])
    assert detail == {f"{member}Name": "a", f"{member}Arn": arn, f"{member}Status": "Failed", "Tags": {"team": "b"},
                      "FailureReason": "it is broken", "CreationTime": 1795917600250}  # fmt: skip
    gone = Event(arn=arn, kind=kind, status=DELETED, name="a", previous="Failed", body=body)
    assert events_of(gone, lambda _: {}) == []
