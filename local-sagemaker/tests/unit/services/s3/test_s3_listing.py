"""Listings as clients page through them."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.objects.errors import S3Error

KEYS = ("a/1", "a/2", "b", "b/x/1", "b/x/2", "c d&e", "é")


@pytest.fixture
def full(s3: Any) -> Any:
    for key in KEYS:
        s3.put(key, key.encode())
    return s3


def shown(page: dict[str, Any]) -> list[str]:
    entries = [entry["Key"] for entry in page.get("Contents", [])]
    return sorted(entries + [entry["Prefix"] for entry in page.get("CommonPrefixes", [])])


def test_v2_tells_what_it_was_asked_and_shows_the_entries(full: Any) -> None:
    page = full("ListObjectsV2", Bucket="box", Prefix="a/", StartAfter="a/1")
    entry = page["Contents"][0]
    assert (entry["Key"], entry["Size"], entry["StorageClass"]) == ("a/2", 3, "STANDARD")
    assert entry["ETag"].startswith('"')
    assert "Owner" not in entry
    del page["Contents"]
    assert page == {
        "Name": "box", "Prefix": "a/", "StartAfter": "a/1", "MaxKeys": 1000, "KeyCount": 1, "IsTruncated": False,
    }  # fmt: skip
    assert "Owner" in full("ListObjectsV2", Bucket="box", FetchOwner=True)["Contents"][0]


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
@pytest.mark.parametrize(("prefix", "delimiter"), [("", ""), ("", "/"), ("b", "/"), ("b/", "/"), ("", "x/")])
def test_both_versions_page_through_everything(full: Any, prefix: str, delimiter: str, limit: int) -> None:
    request = {"Bucket": "box", "Prefix": prefix, "Delimiter": delimiter, "MaxKeys": limit}
    whole = shown(full("ListObjectsV2", **request | {"MaxKeys": 1000}))
    found: list[str] = []
    page = full("ListObjectsV2", **request)
    while True:
        found += shown(page)
        assert page["KeyCount"] == len(shown(page)) <= limit
        if not page["IsTruncated"]:
            break
        page = full("ListObjectsV2", **request, ContinuationToken=page["NextContinuationToken"])
    assert found == whole
    found = []
    page = full("ListObjects", **request)
    while True:
        found += shown(page)
        if not page["IsTruncated"]:
            break
        marker = page["NextMarker"] if delimiter else page["Contents"][-1]["Key"]
        page = full("ListObjects", **request, Marker=marker)
    assert found == whole


def test_next_marker_only_with_a_delimiter(full: Any) -> None:
    assert "NextMarker" not in full("ListObjects", Bucket="box", MaxKeys=1)
    assert full("ListObjects", Bucket="box", MaxKeys=1, Delimiter="/")["NextMarker"] == "a/"


def test_zero_keys(full: Any) -> None:
    for operation in ("ListObjects", "ListObjectsV2", "ListObjectVersions"):
        page = full(operation, Bucket="box", MaxKeys=0)
        assert (page["MaxKeys"], page["IsTruncated"], "Contents" in page, "Versions" in page) == (
            0,
            False,
            False,
            False,
        )


def test_limits(full: Any) -> None:
    assert full("ListObjects", Bucket="box", MaxKeys=5000)["MaxKeys"] == 1000
    with pytest.raises(S3Error) as raised:
        full("ListObjects", Bucket="box", MaxKeys=-1)
    assert raised.value.code == "InvalidArgument"
    with pytest.raises(S3Error) as raised:
        full("ListObjectsV2", Bucket="box", ContinuationToken="nonsense")
    assert raised.value.message == "The continuation token provided is incorrect"


def test_url_encoding(full: Any) -> None:
    page = full("ListObjectsV2", Bucket="box", EncodingType="url", StartAfter="b/x/2")
    assert shown(page) == ["%C3%A9", "c%20d%26e"]
    assert (page["EncodingType"], page["StartAfter"]) == ("url", "b/x/2")


def test_versions_and_markers(s3: Any) -> None:
    s3("PutBucketVersioning", Bucket="box", VersioningConfiguration={"Status": "Enabled"})
    for data in (b"1", b"22"):
        s3.put("x", data)
    s3("DeleteObject", Bucket="box", Key="x")
    s3.put("y/1", b"")
    everything = s3("ListObjectVersions", Bucket="box")
    assert [(v["Key"], v["Size"], v["IsLatest"]) for v in everything["Versions"]] == [
        ("x", 2, False), ("x", 1, False), ("y/1", 0, True),
    ]  # fmt: skip
    assert [(marker["Key"], marker["IsLatest"]) for marker in everything["DeleteMarkers"]] == [("x", True)]
    found: list[str] = []
    request: dict[str, Any] = {"Bucket": "box", "MaxKeys": 1, "Delimiter": "/"}
    page = s3("ListObjectVersions", **request)
    while True:
        found += [entry["VersionId"] for entry in page.get("Versions", []) + page.get("DeleteMarkers", [])]
        found += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
        if not page["IsTruncated"]:
            break
        markers = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker")}
        page = s3("ListObjectVersions", **request, **{name: value for name, value in markers.items() if value})
    newest = everything["DeleteMarkers"] + everything["Versions"][:2]
    assert found == [entry["VersionId"] for entry in newest] + ["y/"]
    with pytest.raises(S3Error):
        s3("ListObjectVersions", Bucket="box", VersionIdMarker="x")
