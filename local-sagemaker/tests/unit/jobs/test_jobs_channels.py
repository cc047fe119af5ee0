"""Which objects become which files on which host."""

from __future__ import annotations

import gzip
import json

import pytest

from local_sagemaker.errors import ValidationError
from local_sagemaker.jobs import channels
from local_sagemaker.jobs.channels import local_name
from local_sagemaker.jobs.spec import Channel, JobFailure
from local_sagemaker.objects.disk import DiskObjects


@pytest.fixture
def objects(tmp_path):
    found = DiskObjects(tmp_path / "objects")
    found.buckets.create("bucket")
    yield found
    found.close()


@pytest.mark.parametrize(
    ("prefix", "key", "name"),
    [
        ("code/preprocess.py", "code/preprocess.py", "preprocess.py"),
        ("data/", "data/x/b.csv", "x/b.csv"),
        ("data", "data/x/b.csv", "x/b.csv"),
        ("a/input/code", "a/input/code/train.py", "train.py"),
        ("data/tr", "data/train.csv", "train.csv"),
        ("data/tr", "data/train/a.csv", "train/a.csv"),
        ("train", "train-old/x", "train-old/x"),
        ("", "a/b.csv", "a/b.csv"),
        ("file", "file", "file"),
    ],
)
def test_local_names(prefix, key, name):
    assert local_name(prefix, key) == name


def test_a_prefix_takes_every_key_that_starts_with_it_but_no_folder_markers(objects):
    for key in ("train/", "train/a.csv", "train/b/c.csv", "train-old/x", "other"):
        objects.put("bucket", key, b"1" if not key.endswith("/") else b"")
    found = channels.items(Channel("c", "s3://bucket/train", "p"), objects)
    assert [item.name for item in found] == ["train-old/x", "a.csv", "b/c.csv"]


@pytest.mark.parametrize("hosts", [1, 2, 3, 5])
def test_sharding_gives_each_object_to_exactly_one_host(objects, hosts):
    for number in range(4):
        objects.put("bucket", f"d/{number}", b"x")
    channel = Channel("c", "s3://bucket/d/", "p", sharded=True)
    found = channels.items(channel, objects)
    shares = [channels.share(channel, found, rank, hosts) for rank in range(hosts)]
    assert sorted(item.name for share in shares for item in share) == ["0", "1", "2", "3"]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_shuffling_is_repeatable(objects):
    for number in range(20):
        objects.put("bucket", f"d/{number:02}", b"x")
    channel = Channel("c", "s3://bucket/d/", "p", seed=7)
    found = channels.items(channel, objects)
    first, second = (channels.share(channel, found, 0, 1) for _ in range(2))
    assert first == second != found
    assert sorted(first, key=lambda item: item.key) == found


def test_a_manifest_names_its_objects(objects, tmp_path):
    objects.put("bucket", "base/x/a.csv", b"a")
    objects.put("bucket", "base/b.csv", b"b")
    objects.put("bucket", "m.json", json.dumps([{"prefix": "s3://bucket/base/"}, "x/a.csv", "b.csv"]).encode())
    channel = Channel("c", "s3://bucket/m.json", "p", data_type="ManifestFile")
    channels.download(channels.items(channel, objects), tmp_path / "in", objects)
    assert (tmp_path / "in" / "x" / "a.csv").read_bytes() == b"a"
    assert (tmp_path / "in" / "b.csv").read_bytes() == b"b"


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"no json", "can't be read"),
        (b'[{"prefix": "s3://bucket/base/"}, "gone"]', "base/gone, which does not exist"),
        (b'{"a": 1}', "can't be read: it is no JSON array of"),
        (b"{}", "can't be read: it is no JSON array of"),
        (b"[]", "can't be read: it is no JSON array of"),
        (b"[1]", "can't be read: it is no JSON array of"),
        (b'[{"prefix": 1}, "b.csv"]', "can't be read: it is no JSON array of"),
        (b'[{"prefix": "s3://bucket/base/"}, 1]', "can't be read: it is no JSON array of"),
        (b'[{"prefix": "/etc/"}, "passwd"]', "is not an S3 URI"),
    ],
)
def test_a_wrong_manifest_fails_the_job(objects, content, part):
    objects.put("bucket", "m.json", content)
    with pytest.raises(JobFailure, match=part):
        channels.items(Channel("c", "s3://bucket/m.json", "p", data_type="ManifestFile"), objects)


def test_a_key_cannot_leave_the_channel_s_folder(objects, tmp_path):
    objects.put("bucket", "m.json", b'[{"prefix": "s3://bucket/d/"}, "../e"]')
    objects.put("bucket", "d/../e", b"x")
    channel = Channel("c", "s3://bucket/m.json", "p", data_type="ManifestFile")
    with pytest.raises(JobFailure, match="not a file name below"):
        channels.download(channels.items(channel, objects), tmp_path / "in", objects)


@pytest.mark.parametrize("uri", ["s3://bucket/none", "s3://no-such-bucket/x"])
def test_the_refusal_of_an_empty_input_is_aws_s(objects, uri):
    with pytest.raises(ValidationError) as caught:
        channels.check(uri, objects, region="us-west-2", role="arn:aws:iam::1:role/r")
    bucket = uri.split("/")[2]
    assert caught.value.message == (
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists '
        "in the selected region (us-west-2), that objects exist under that S3 prefix, and that the role "
        f'"arn:aws:iam::1:role/r" has "s3:ListBucket" permissions on bucket "{bucket}".'
    )


def test_downloads_are_copies_that_a_job_may_change(objects, tmp_path):
    objects.put("bucket", "d/big", b"0123456789" * 1_000_000)
    channels.download(channels.items(Channel("c", "s3://bucket/d", "p"), objects), tmp_path / "in", objects)
    copied = tmp_path / "in" / "big"
    assert copied.read_bytes() == b"0123456789" * 1_000_000
    with copied.open("r+b") as file:
        file.write(b"changed")
    assert (objects.read("bucket", "d/big") or b"")[:10] == b"0123456789"


def test_gzip_is_inflated_where_asked(objects, tmp_path):
    objects.put("bucket", "d/a.gz", gzip.compress(b"rows"))
    found = channels.items(Channel("c", "s3://bucket/d", "p"), objects)
    assert b"".join(channels.stream(found, objects, inflate=True)) == b"rows"
    channels.inflate(found[0], tmp_path / "a", objects)
    assert (tmp_path / "a").read_bytes() == b"rows"


@pytest.mark.parametrize(
    "data",
    [b"rows", gzip.compress(b"rows")[:-4], gzip.compress(b"rows")[:-8] + bytes(8)],
    ids=["plain", "cut", "wrong"],
)
def test_what_is_no_gzip_file_fails_the_job(objects, tmp_path, data):
    objects.put("bucket", "d/a.gz", data)
    found = channels.items(Channel("c", "s3://bucket/d", "p"), objects)
    with pytest.raises(JobFailure, match=r"ClientError: Data download failed: s3://bucket/d/a\.gz is no gzip file"):
        list(channels.stream(found, objects, inflate=True))


@pytest.mark.parametrize(
    ("keys", "part"),
    [
        (["up", "up/x"], "s3://bucket/d/up/x: another input has files in a folder of that name"),
        (["up/x/y", "up/x"], "s3://bucket/d/up/x/y: another input has files"),
        (["a\0b"], "is not a file name below the channel's folder"),
        (["n" * 300], "its name is too long for a file"),
        (["../e"], "is not a file name below the channel's folder"),
    ],
)
def test_keys_that_can_not_be_files_fail_the_job_in_words(objects, tmp_path, keys, part):
    for key in keys:
        objects.put("bucket", f"d/{key}", b"1")
    with pytest.raises(JobFailure, match=part) as caught:
        channels.download(channels.items(Channel("c", "s3://bucket/d/", "p"), objects), tmp_path / "in", objects)
    assert str(caught.value).startswith("ClientError: Data download failed: ")


def test_an_object_never_shares_its_bytes_with_a_file_of_a_job(objects, tmp_path):
    for name in ("a", "b/c", "b/d//e", "./f"):
        objects.put("bucket", f"d/{name}", b"original")
    channels.download(channels.items(Channel("c", "s3://bucket/d/", "p"), objects), tmp_path / "in", objects)
    inodes = {objects.path("bucket", info.key).stat().st_ino for info in objects.list("bucket")}
    files = [path for path in (tmp_path / "in").rglob("*") if path.is_file()]
    assert len(files) == 4
    for file in files:
        assert file.stat().st_ino not in inodes
        file.write_bytes(b"changed")
    assert {objects.read("bucket", info.key) for info in objects.list("bucket")} == {b"original"}
