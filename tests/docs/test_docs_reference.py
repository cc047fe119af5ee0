"""The committed reference says what the code has."""

from __future__ import annotations

from local_sagemaker.cli.reference import render
from local_sagemaker.engine.steps import STEP_TYPES
from local_sagemaker.wire.detect import SUPPORT
from tests.support import ROOT


def test_the_committed_page_is_what_the_code_registers() -> None:
    assert (ROOT / SUPPORT).read_text("utf-8") == render(), f"{SUPPORT} is out of date; run: make docs"


def test_the_page_names_what_is_registered() -> None:
    page = render()
    for name in ("- CreateTrainingJob", "- PutObject", "- GetLogEvents", "`sagemaker-xgboost`", "iam"):
        assert name in page
    for kind in STEP_TYPES:
        assert f"- {kind.type}\n" in page
