"""Resources that can't be made here: reading one raises what clients catch."""

from __future__ import annotations

import pytest

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
