"""Listings against a naive model: prefixes, delimiters, pages."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.listing import common_prefix, successor

letters = st.sampled_from(["a", "b", "/", "//", "-", "é", "\ud7ff", "\ue000", "\U0010ffff"])
names = st.lists(letters, min_size=1, max_size=6).map("".join)
few = st.lists(letters, max_size=2).map("".join)


def naive(keys: list[str], prefix: str, delimiter: str) -> list[str]:
    """What a listing shows, in order: keys and common prefixes."""
    shown: list[str] = []
    for key in sorted(keys, key=str.encode):
        if key.startswith(prefix):
            entry = common_prefix(key, prefix, delimiter) or key
            if entry not in shown:
                shown.append(entry)
    return shown


@given(st.lists(names, max_size=25, unique=True), few, st.sampled_from(["", "/", "a", "é/"]), st.integers(1, 5))
@settings(max_examples=80, deadline=None)
def test_pages_together_are_the_whole_listing(keys: list[str], prefix: str, delimiter: str, limit: int) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(DiskObjects(Path(folder))) as store:
        store.buckets.create("box")
        for key in keys:
            store.put("box", key, b"")
        shown: list[str] = []
        start: str | None = ""
        while start is not None:
            page = store.page("box", prefix=prefix, delimiter=delimiter, start=start, limit=limit)
            entries = sorted([item.key for item in page.items] + page.prefixes, key=str.encode)
            assert len(entries) == limit or page.next is None
            assert not entries or page.last == entries[-1]
            shown += entries
            start = page.next
        assert shown == naive(keys, prefix, delimiter)
        assert [item.key for item in store.list("box", prefix)] == naive(keys, prefix, "")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4), st.text(max_size=3))
def test_successor_is_the_least_key_behind_a_prefix(prefix: str, rest: str) -> None:
    behind = successor(prefix)
    if behind is None:
        assert set(prefix) == {"\U0010ffff"}
        return
    assert (prefix + "\U0010ffff" * 8).encode() < behind.encode()
    rest = rest.encode("utf-8", "ignore").decode()
    assert (prefix + rest).encode() < behind.encode()


def test_a_prefix_hides_its_objects_without_reading_them(store: DiskObjects) -> None:
    for number in range(300):
        store.put("box", f"{'ab'[number % 2]}/{number}", b"")
    read: list[str] = []
    scan = store.index.scan

    def counted(sql: str, *values: object):  # type: ignore[no-untyped-def]
        for row in scan(sql, *values):
            read.append(row[1])
            yield row

    store.index.scan = counted  # type: ignore[method-assign]
    page = store.page("box", delimiter="/")
    assert page.prefixes == ["a/", "b/"]
    assert len(read) == 2


def test_buckets_do_not_show_each_others_objects(store: DiskObjects) -> None:
    store.buckets.create("box2")
    store.put("box", "z", b"")
    store.put("box2", "a", b"")
    assert [item.key for item in store.list("box")] == ["z"]
    assert [item.key for item in store.list("box2")] == ["a"]
