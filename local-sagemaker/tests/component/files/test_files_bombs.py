"""Archives that hold a thousand times their size: refused with a reason, in other memory than the service's."""

from __future__ import annotations

import base64
import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_sagemaker.codebuild.report_files import ReportError
from local_sagemaker.errors import ValidationError
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.types import FileRange
from local_sagemaker.services.cloudformation.handlers import developer_tools
from local_sagemaker.services.cloudformation.handlers.developer_tools import CodeRepository
from local_sagemaker.services.codebuild import batch_artifacts, build_reports
from local_sagemaker.services.codebuild.errors import BuildFailure
from local_sagemaker.services.codepipeline.actions import s3_deploy
from local_sagemaker.services.codepipeline.actions.action import ActionArtifacts
from local_sagemaker.services.codepipeline.actions.s3_deploy import StoreAction
from local_sagemaker.services.codepipeline.errors import ActionFailure

MIB = 1 << 20
SIZE = 64 * MIB
"""More than any of the bounds here, which are lowered where they are higher."""
OWN = 16 * MIB


@contextmanager
def little_memory() -> Iterator[None]:
    """This process, which stands for the service, allocates little."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < OWN, f"{peak / MIB:.0f} MiB"


@cache
def bomb(name: str = "a.json", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive, archive.open(name, "w") as member:
        for _ in range(SIZE // MIB):
            member.write(bytes(MIB))
    return out.getvalue()


def lying() -> bytes:
    """Of ten bytes, as both headers say."""
    return bomb().replace(struct.pack("<L", SIZE), struct.pack("<L", 10))


BOMBS: dict[str, Callable[[], bytes]] = {
    "honest": bomb,
    "lying": lying,
    "of bzip2": partial(bomb, method=zipfile.ZIP_BZIP2),
    "of lzma": partial(bomb, method=zipfile.ZIP_LZMA),
}
"""Made when a test wants one: to compress them takes seconds, which every worker would spend."""
Refusal = Callable[[DiskObjects, Path], Any]


def _member(objects: DiskObjects, _: Path) -> None:
    ActionArtifacts(objects).member(_work(), "Code", "a.json")


def _store(objects: DiskObjects, folder: Path) -> None:
    StoreAction(ActionArtifacts(objects), objects, folder / "unpacked")(_work())


def _work() -> Any:
    settings = {"BucketName": "box", "Extract": "true", "ObjectKey": "site"}
    return SimpleNamespace(inputs={"Code": ("box", "bomb.zip")}, configuration=settings)


def _seed(objects: DiskObjects, _: Path) -> None:
    file = objects.path("box", "bomb.zip")
    assert file is not None

    def call(*_: Any) -> dict[str, Any]:
        return {"Body": FileRange(file, 0, file.stat().st_size, file.open("rb"))}

    context: Any = SimpleNamespace(call=call)
    CodeRepository._read_seed(context, {"Bucket": "box", "Key": "bomb.zip"})


def _report(objects: DiskObjects, _: Path) -> None:
    file = objects.path("box", "bomb.zip")
    assert file is not None
    build_reports.read_archive(file, "JUNITXML")


def _combine(objects: DiskObjects, folder: Path) -> None:
    file = objects.path("box", "bomb.zip")
    assert file is not None
    batch_artifacts._files_of(Path(file.rename(folder / "1.zip")))


@pytest.mark.parametrize("kind", BOMBS)
@pytest.mark.parametrize(("read", "error"), [
    (_member, ActionFailure), (_store, ActionFailure), (_seed, ValidationError), (_report, ReportError),
    (_combine, BuildFailure),
])  # fmt: skip
def test_a_bomb_is_refused_elsewhere(
    read: Refusal, error: type[Exception], kind: str, store: DiskObjects, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for module, name in ((s3_deploy, "LARGEST"), (batch_artifacts, "LARGEST"), (build_reports, "LARGEST"),
                         (developer_tools, "LARGEST_UNPACKED")):  # fmt: skip
        monkeypatch.setattr(module, name, 32 * MIB)
    store.put("box", "bomb.zip", BOMBS[kind]())
    with little_memory(), pytest.raises(error) as raised:
        read(store, tmp_path)
    assert str(raised.value)
    assert not list(store.list("box", "site/"))


def test_what_is_no_bomb_is_read(store: DiskObjects, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.json", b"{}")
        archive.writestr("../odd/./b.html", b"b")
        archive.writestr("folder/", b"")
    store.put("box", "bomb.zip", out.getvalue())
    assert ActionArtifacts(store).member(_work(), "Code", "a.json") == b"{}"
    with pytest.raises(ActionFailure, match=r"The file b\.json is not in the artifact Code"):
        ActionArtifacts(store).member(_work(), "Code", "b.json")
    _store(store, tmp_path)
    assert store.read("box", "site/../odd/./b.html") == b"b"
    head = store.head("box", "site/../odd/./b.html")
    assert head is not None and head.content_type == "text/html"
    assert not list((tmp_path / "unpacked").iterdir())


def test_a_damaged_archive_is_refused_with_its_reason(store: DiskObjects, tmp_path: Path) -> None:
    store.put("box", "bomb.zip", base64.b64encode(bomb()[:1000]))
    for read, error in ((_member, ActionFailure), (_store, ActionFailure), (_seed, ValidationError),
                        (_report, ReportError), (_combine, BuildFailure)):  # fmt: skip
        with pytest.raises(error, match="zip"):
            read(store, tmp_path)
