"""The words of docs/glossary.md in docstrings, comments and messages of shipped code, and in documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import ROOT
from tools import words


def test_no_replaced_word_comes_back() -> None:
    found = [place for path in (*words.modules(), *words.documents()) for place in words.places(path)]
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize(
    "text",
    [
        "# after a kill of the service",
        '"""Goes on at the next start."""',
        "raise ValueError('The folder is not there.')",
        "x = 1  # until the client is gone",
        '"""\nTwo lines.\n\nThe runner hears of it.\n"""',
        "log(f'whoever reads {x}')",
        '"""Sends it; answers the ARN."""',
        "raise ValueError('There is no answer.')",
        "custom_answers = {}",
        "class PendingAnswer: ...",
    ],
)
def test_it_finds_them_in_docstrings_comments_and_messages(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(f"{text}\n")
    (place,) = words.places(tmp_path / "module.py")
    assert text.splitlines()[place.line - 1].lower().count(place.word.lower())


@pytest.mark.parametrize(
    "text",
    [
        "results = query('gone')",
        "kill(pid)  # ends it by SIGKILL",
        '"""There is one."""',
        "raise E('Please ensure that there is an object')",
    ],
)
def test_names_and_other_uses_are_left_alone(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(f"{text}\n")
    assert words.places(tmp_path / "module.py") == []


def test_the_glossary_names_each_of_them() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text("utf-8").partition("## Words")[2]
    listed = [
        cell.strip() for line in page.splitlines() if line.startswith("| ") for cell in line.split("|")[1].split(",")
    ]
    for pattern in words.REPLACED:
        assert any(words.matches(pattern, word) for word in listed), pattern
