"""A version copied between two account ids, on moto's doubles in this process, which keep accounts apart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest import mock

import pytest
from moto import mock_aws

from delivery import versions
from delivery.clients import Clients
from delivery.promotion import SOURCE, Promotion, RoleClients
from pipelines.session import boto_session

HOME, AWAY, REGION, GROUP = "123456789012", "210987654321", "us-east-1", "models"
ROLE = f"arn:aws:iam::{AWAY}:role/Promotion"
OWN_IMAGE = f"{HOME}.dkr.ecr.{REGION}.amazonaws.com/own-model:1"
PUBLIC_IMAGE = f"683313688378.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.0-5"


@pytest.fixture
def accounts() -> Iterator[tuple[Clients, RoleClients]]:
    """Clients of the account with the version, and of the other one by a role there."""
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}
    with mock.patch.dict(os.environ, keys), mock_aws():
        boto_session.cache_clear()
        yield Clients(REGION), RoleClients(REGION, ROLE)
    boto_session.cache_clear()


def register(clients: Clients, image: str) -> str:
    """A version with a file of its own; its ARN."""
    clients.s3.create_bucket(Bucket="home")
    clients.s3.put_object(Bucket="home", Key="a/model.tar.gz", Body=b"model")
    clients.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP, ModelPackageGroupDescription="test")
    specification = {
        "Containers": [{"Image": image, "ModelDataUrl": "s3://home/a/model.tar.gz"}],
        "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"],
    }  # fmt: skip
    made = clients.sagemaker.create_model_package(
        ModelPackageGroupName=GROUP, InferenceSpecification=specification, ModelApprovalStatus="Approved"
    )
    return str(made["ModelPackageArn"])


@pytest.mark.parametrize(("image", "needs_policy"), [(OWN_IMAGE, True), (PUBLIC_IMAGE, False)])
def test_the_copy_is_the_other_account_s_own(
    accounts: tuple[Clients, RoleClients], image: str, needs_policy: bool
) -> None:
    home, away = accounts
    arn = register(home, image)
    assert arn.split(":")[4] == HOME
    away.s3.create_bucket(Bucket="away")
    promotion = Promotion(home, away, "away")
    done = promotion.copy(versions.find(home, arn), "production")
    assert done.version.arn.split(":")[4] == away.account == AWAY
    assert done.version.approval == "PendingManualApproval"
    described = versions.describe(away, done.version)
    assert described["CustomerMetadataProperties"][SOURCE] == arn
    (container,) = described["InferenceSpecification"]["Containers"]
    bucket, _, key = container["ModelDataUrl"].removeprefix("s3://").partition("/")
    assert bucket == "away" and away.s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"model"
    assert [group.name for group in versions.list_groups(home)] == [GROUP]  # nothing was made at home
    assert [group.name for group in versions.list_groups(away)] == ["production"]
    remarks = list(promotion.remarks(done.version))
    assert bool(remarks) == needs_policy
    if remarks:
        assert f"must let account {AWAY} pull it" in remarks[0]
