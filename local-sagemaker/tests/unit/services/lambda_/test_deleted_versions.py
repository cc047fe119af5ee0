"""DeleteFunction of versions: one that an alias names stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_sagemaker.config import Settings
from local_sagemaker.records import Records
from local_sagemaker.services.lambda_.errors import LambdaConflict, LambdaNotFound
from local_sagemaker.services.lambda_.names import FunctionReference
from local_sagemaker.services.lambda_.store import FunctionStore


def test_a_version_that_aliases_name_stays(tmp_path: Path) -> None:
    records = Records(tmp_path / "records.sqlite")
    store, of = FunctionStore(settings=Settings(home=tmp_path), records=records), FunctionReference.parse
    store.insert("f", {"FunctionName": "f", "RevisionId": "r"})
    for number in ("1", "2"):
        store.add_version("f", {"Version": number})
    for name in ("live", "blue"):
        store.add_alias("f", {"Name": name, "FunctionVersion": "1"})
    text = r"Unable to delete version because the following aliases reference it: \[blue, live\]"
    with pytest.raises(LambdaConflict, match=text) as refused:
        store.delete(of("f", "1"))
    assert (refused.value.code, refused.value.status) == ("ResourceConflictException", 409)
    assert store.delete(of("f:2")) == [{"Version": "2"}]
    assert store.delete(of("f", "99")) == []
    assert [row["Version"] for row in store.versions("f")] == ["1"]
    store.delete_alias("f", "live")
    store.put_alias("f", {"Name": "blue", "FunctionVersion": "$LATEST"})
    assert store.delete(of("f", "1")) == [{"Version": "1"}]
    assert len(store.delete(of("f"))) == 1 and store.aliases("f") == []
    with pytest.raises(LambdaNotFound):
        store.delete(of("f", "1"))
    records.close()
