"""Keys that no file system can hold are stored elsewhere, and nobody can tell from outside."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.layout import INTERNAL, StoreLayout, escape, unescape

ODD = (
    "/",
    "//",
    "a/",
    "a//b",
    "/leading",
    ".",
    "..",
    "../../escape",
    "a/../b",
    "./a",
    "x" * 256,
    "d/" + "é" * 128,
    "k" * 1024,
    "tab\tnew\nline",
    "\x00",
    "\x7f",
    "+/+",
    "a%2Fb",
    ".index/index.sqlite",
    "trailing.",
    "trailing ",
    "aux",
    "C:\\x",
    "\U0001f600/\U0001f600",
    "a\u0301",
    "\u00e1",
)
segments = st.sampled_from(["", ".", "..", "a", "b", "a+", "%2F", "é", "\n", "x" * 260, "A", "\uffff", "\U00010000"])
keys = st.one_of(
    st.lists(segments, min_size=1, max_size=4).map("/".join),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
).filter(lambda key: key and len(key.encode()) <= 1024)


@pytest.mark.parametrize("key", ODD, ids=lambda key: repr(key[:20]))
def test_odd_keys_round_trip(store: DiskObjects, folder: Path, key: str) -> None:
    store.put("box", key, key.encode())
    assert store.read("box", key) == key.encode()
    assert [item.key for item in store.list("box")] == [key]
    path = store.path("box", key)
    assert path is not None
    assert path.resolve().is_relative_to(folder)
    store.delete("box", key)
    assert list(store.list("box")) == []
    assert not path.exists()


@given(st.lists(keys, unique=True, max_size=12), st.data())
@settings(max_examples=60, deadline=None)
def test_any_keys_together_behave_like_a_dict(names: list[str], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(DiskObjects(Path(folder))) as store:
        store.buckets.create("box")
        model: dict[str, bytes] = {}
        for number, key in enumerate(names):
            model[key] = f"{number}:{key}".encode()
            store.put("box", key, model[key])
        for key in data.draw(st.lists(st.sampled_from(names), max_size=4)) if names else []:
            store.delete("box", key)
            model.pop(key, None)
        for key in names:
            assert store.read("box", key) == model.get(key)
        assert [item.key for item in store.list("box")] == sorted(model, key=str.encode)


@given(keys)
@settings(max_examples=200, deadline=None)
def test_escaped_names_are_valid_and_read_back(key: str) -> None:
    path = escape(key)
    assert unescape(path) == key
    pieces = path.split("/")
    assert all(0 < len(piece) <= 201 and piece not in (".", "..") for piece in pieces)
    assert all(piece.endswith("+") for piece in pieces[:-1])
    assert not pieces[-1].endswith("+")


@pytest.mark.parametrize("order", [("a", "a/b", "a/b/c"), ("a/b/c", "a/b", "a"), ("a/b", "a", "a/b/c")])
def test_an_object_beside_objects_below_its_name(store: DiskObjects, folder: Path, order: tuple[str, ...]) -> None:
    for key in order:
        store.put("box", key, key.encode())
    assert (folder / "box" / order[0]).read_bytes() == order[0].encode(), "the first has the plain name"
    assert {key: store.read("box", key) for key in order} == {key: key.encode() for key in order}
    assert [item.key for item in store.list("box")] == ["a", "a/b", "a/b/c"]


def test_a_name_that_became_free_is_plain_again(store: DiskObjects, folder: Path) -> None:
    store.put("box", "a/b", b"1")
    store.put("box", "a", b"2")
    store.delete("box", "a/b")
    assert store.read("box", "a") == b"2"
    store.put("box", "a", b"3")
    assert (folder / "box/a").read_bytes() == b"3"
    assert not any((folder / INTERNAL / "escaped" / "box").rglob("*"))


@pytest.mark.parametrize(
    ("key", "plain"), [("a/b.txt", True), ("A/b", False), ("é", False), ("a/./b", False), ("UPPER", False)]
)
def test_where_the_file_system_folds_names(tmp_path: Path, key: str, plain: bool) -> None:
    layout = StoreLayout(tmp_path)
    layout._folds_names = True
    assert (layout.plain("box", key) is not None) == plain
