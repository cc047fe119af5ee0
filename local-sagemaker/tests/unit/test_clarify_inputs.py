"""Where a Clarify job's inputs are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.clarify_inputs import folder_of


def entry(name: str, path: Any) -> dict[str, Any]:
    return {"InputName": name, "S3Input": {"LocalPath": path}}


@pytest.mark.parametrize(
    ("inputs", "config", "data"),
    [
        ([], "processing/input/config", "processing/input/data"),
        (
            [entry("analysis_config", "/opt/ml/processing/input/elsewhere"), entry("dataset", "/opt/ml/processing/d")],
            "processing/input/elsewhere", "processing/d",
        ),
        ([entry("config", "/opt/ml/processing/input/other")], "processing/input/config", "processing/input/data"),
        ([entry("analysis_config", "/opt/ml/../../etc")], "processing/input/config", "processing/input/data"),
        ([entry("analysis_config", "/etc")], "processing/input/config", "processing/input/data"),
        ([entry("dataset", None)], "processing/input/config", "processing/input/data"),
        ([{"InputName": "dataset"}, "x"], "processing/input/config", "processing/input/data"),
        ("none", "processing/input/config", "processing/input/data"),
    ],
)  # fmt: skip
def test_the_names_of_the_inputs_count(tmp_path: Path, inputs: Any, config: str, data: str) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "processingjobconfig.json").write_text(json.dumps({"ProcessingInputs": inputs}))
    assert folder_of("analysis_config", tmp_path) == tmp_path / config
    assert folder_of("dataset", tmp_path) == tmp_path / data


def test_without_a_job_configuration_the_guide_s_folders_count(tmp_path: Path) -> None:
    assert folder_of("dataset", tmp_path) == tmp_path / "processing" / "input" / "data"
