"""What holds while the SDK is imported and a pipeline is built, and no longer."""

from __future__ import annotations

import boto3
import pydantic

from pipelines.loader import quick_and_quiet


def test_models_are_made_ready_at_their_first_use() -> None:
    with quick_and_quiet(False):

        class Deferred(pydantic.BaseModel):
            number: int

    class Ready(pydantic.BaseModel):
        number: int

    assert not Deferred.__pydantic_complete__ and Ready.__pydantic_complete__
    assert Deferred(number="3").number == 3  # type: ignore[arg-type]
    assert Deferred.__pydantic_complete__


def test_sessions_share_what_they_read_of_services() -> None:
    with quick_and_quiet(False):
        first, second = (boto3.Session(region_name="us-east-1").client("sts") for _ in range(2))
    third, fourth = (boto3.Session(region_name="us-east-1").client("sts") for _ in range(2))
    models = [client.meta.service_model.metadata for client in (first, second, third, fourth)]
    assert models[0] is models[1]
    assert models[2] is not models[3]
    assert models[0] == models[2] == models[3]
