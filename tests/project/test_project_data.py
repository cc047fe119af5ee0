"""The data set: the published file's bytes, uploaded once, to a key of its content."""

from __future__ import annotations

import hashlib
from pathlib import Path

import boto3
from moto import mock_aws

from pipelines import data


def test_the_table_equals_the_published_file(abalone_csv: Path) -> None:
    assert data.abalone_csv() == abalone_csv.read_bytes()


def test_the_table_is_the_packages_own_but_for_rounding() -> None:
    import io

    import pandas as pd
    from sklego.datasets import load_abalone

    ours = pd.read_csv(io.BytesIO(data.abalone_csv()), header=None, names=list(data.COLUMNS))
    pd.testing.assert_frame_equal(ours, load_abalone(as_frame=True), check_dtype=False, atol=5e-5, rtol=0)


def test_it_is_uploaded_unless_it_is_there() -> None:
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="data-test")
        assert data.upload_abalone(s3, "data-test") is True
        assert data.upload_abalone(s3, "data-test") is False
        (item,) = s3.list_objects_v2(Bucket="data-test")["Contents"]
        assert data.abalone_url("data-test") == f"s3://data-test/{item['Key']}"
        body = s3.get_object(Bucket="data-test", Key=item["Key"])["Body"].read()
    assert hashlib.sha256(body).hexdigest().startswith(item["Key"].split("/")[2])
