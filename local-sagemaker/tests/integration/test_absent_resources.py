"""Resources that can't be made here: reading one raises what clients catch."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import Service


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("describe_image", {"ImageName": "mine"}),
        ("describe_image_version", {"ImageName": "mine"}),
        ("list_image_versions", {"ImageName": "mine"}),
        ("delete_image", {"ImageName": "mine"}),
        ("describe_feature_group", {"FeatureGroupName": "mine"}),
    ],
)
def test_reading_one_raises_resource_not_found(service: Service, operation: str, request_: dict[str, str]) -> None:
    sagemaker = service.client("sagemaker")
    with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="mine"):
        getattr(sagemaker, operation)(**request_)


def test_listing_them_gives_none(service: Service) -> None:
    sagemaker = service.client("sagemaker")
    assert sagemaker.list_images()["Images"] == []
    assert sagemaker.list_feature_groups()["FeatureGroupSummaries"] == []


RECORD = ("FeatureGroupName", "RecordIdentifierValueAsString")


@pytest.mark.parametrize(
    ("client", "operation", "request_"),
    [
        ("sagemaker", "ListAutoMLJobs", {}),
        ("sagemaker", "ListInferenceComponents", {}),
        (
            "sagemaker-featurestore-runtime",
            "GetRecord",
            {"FeatureGroupName": "a", "RecordIdentifierValueAsString": "1"},
        ),
        ("lambda", "ListLayers", {}),
        ("emr", "ListClusters", {}),
        ("athena", "ListWorkGroups", {}),
    ],
)
def test_operations_that_are_absent_say_so(
    service: Service, client: str, operation: str, request_: dict[str, Any]
) -> None:
    calls = service.client(client)
    method = next(name for name, known in calls.meta.method_to_api_mapping.items() if known == operation)
    with pytest.raises(ClientError, match=rf":{operation} is not supported by the local service.*operations\.md"):
        getattr(calls, method)(**request_)
