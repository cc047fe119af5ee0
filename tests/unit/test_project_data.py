"""The data set: the published file's bytes, uploaded once, to a key of its content."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import boto3
from moto import mock_aws

from pipelines import data


def test_the_table_equals_the_published_file(abalone_csv: Path) -> None:
    assert data.abalone_csv() == abalone_csv.read_bytes()


def test_the_table_is_complete() -> None:
    rows = [line.split(",") for line in data.abalone_csv().decode().splitlines()]
    assert len(rows) == 4177
    assert {len(row) for row in rows} == {len(data.COLUMNS)}
    assert {row[0] for row in rows} == {"M", "F", "I"}
    assert sum(int(row[-1]) for row in rows) == 41493  # the mean of 9.934 rings that the data set's page states


def test_the_licence_is_in_the_package() -> None:
    text = files("pipelines").joinpath("datasets", "LICENSE.txt").read_text("utf-8")
    assert "10.24432/C55C7W" in text
    assert "creativecommons.org/licenses/by/4.0" in text


def test_it_is_uploaded_unless_it_is_there() -> None:
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="data-test")
        assert data.upload(s3, data.abalone_url("data-test")) is True
        assert data.upload(s3, data.abalone_url("data-test")) is False
        (item,) = s3.list_objects_v2(Bucket="data-test")["Contents"]
        assert data.abalone_url("data-test") == f"s3://data-test/{item['Key']}"
        body = s3.get_object(Bucket="data-test", Key=item["Key"])["Body"].read()
    assert hashlib.sha256(body).hexdigest().startswith(item["Key"].split("/")[2])
