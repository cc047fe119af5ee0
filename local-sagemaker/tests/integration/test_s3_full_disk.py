"""A disk that fills up under the running service: clients are told at once, and nothing that was stored is lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support import Service

MIB = 1 << 20


@pytest.fixture
def cramped(tmp_path: Path) -> Iterator[Service]:
    """A service whose state folder is a file system of 48 MB."""
    home = tmp_path / "home"
    home.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(home)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    made = Service(home)
    try:
        made.up()
        yield made
        made.down()
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)


def test_a_full_disk(cramped: Service) -> None:
    s3 = cramped.client("s3", config=Config(retries={"mode": "standard", "max_attempts": 5}))
    s3.create_bucket(Bucket="full")
    stored: dict[str, bytes] = {}
    with pytest.raises(ClientError) as raised:
        for number in range(20):
            data = os.urandom(4 * MIB)
            s3.put_object(Bucket="full", Key=f"part/{number}", Body=data)
            stored[f"part/{number}"] = data
    answer = raised.value.response
    assert answer["Error"]["Code"] == "InsufficientCapacity"
    assert "No space left on device" in answer["Error"]["Message"]
    assert str(cramped.home) in answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["RetryAttempts"] == 0, "asking again would not help"
    assert len(stored) > 3
    assert {entry["Key"] for entry in s3.list_objects_v2(Bucket="full")["Contents"]} == set(stored)
    assert s3.get_object(Bucket="full", Key="part/0")["Body"].read() == stored["part/0"]
    s3.delete_object(Bucket="full", Key="part/0")
    s3.put_object(Bucket="full", Key="part/0", Body=b"fits again")
    assert s3.get_object(Bucket="full", Key="part/0")["Body"].read() == b"fits again"


def test_room_that_is_about_to_come_back_counts(cramped: Service) -> None:
    s3 = cramped.client("s3")
    s3.create_bucket(Bucket="full")
    for turn in range(8):  # the disk has room for two of them and what else the service keeps
        data = os.urandom(1 << 10) * (16 << 10)
        s3.put_object(Bucket="full", Key="again", Body=data)
        assert s3.get_object(Bucket="full", Key="again")["Body"].read() == data, turn
