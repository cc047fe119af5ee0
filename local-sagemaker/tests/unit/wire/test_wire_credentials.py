"""The access keys of a state folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.credentials import KEPT, AccessKey, Credentials


def test_keys_are_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "home" / "credentials.json"
    made = Credentials(file)
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", made.access_key_id)
    assert len(made.secret_access_key) == 40
    assert file.stat().st_mode & 0o777 == 0o600
    again = Credentials(file)
    assert (again.access_key_id, again.secret_access_key) == (made.access_key_id, made.secret_access_key)
    assert again.find(made.access_key_id) == AccessKey(made.secret_access_key)
    assert again.find("AKIAOTHER") is None


def test_issued_keys_survive_a_restart_and_the_oldest_are_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    made = Credentials(file)
    made._issued.update({f"ASIA{number}": AccessKey("s") for number in range(KEPT)})
    made.issue("ASIALAST", "secret", "token", 5.0)
    again = Credentials(file)
    assert again.find("ASIALAST") == AccessKey("secret", "token", 5.0)
    assert again.find("ASIA0") is None
    assert again.find("ASIA1") == AccessKey("s")
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"access_key_id": 1, "secret_access_key": "x"}'])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(content)
    with pytest.raises(ServiceError, match=re.escape(str(file))):
        Credentials(file)
    assert file.read_text() == content
