"""Pythons of the machine, tried by starting them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from local_sagemaker.images.libraries import interpreters


def _script(place: Path, text: str) -> Path:
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)
    return place


def test_what_is_run_is_found_behind_scripts_and_only_where_it_can_make_environments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = f"{sys.version_info.major}.{sys.version_info.minor}"
    monkeypatch.setenv("LOCAL_SAGEMAKER_PYTHONS", f"{tmp_path}:none")
    place = _script(tmp_path / f"python{real}", f'exec "{sys.executable}" "$@"')
    interpreters.find_any.cache_clear()
    try:
        found = interpreters.find_any(real, venv=True)
        assert found is not None and found.path == place
        assert found.prefix == Path(sys.base_prefix).resolve()
        assert found.program.is_file() and found.program != place and found.program.resolve() == found.program
        _script(place, f'case "$*" in *ensurepip*) exit 1;; esac\nexec "{sys.executable}" "$@"')
        interpreters.find_any.cache_clear()
        assert interpreters.find_any(real) is not None
        assert interpreters.find_any(real, venv=True) is None
        _script(place, f"echo {real}.1")
        interpreters.find_any.cache_clear()
        assert interpreters.find_any(real) is None
    finally:
        interpreters.find_any.cache_clear()
