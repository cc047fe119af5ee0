"""evaluate.py: the report it writes, and how it refuses a model or test data that is not there."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import xgboost

from pipelines.abalone import evaluate


@pytest.fixture
def trained(tmp_path: Path) -> tuple[xgboost.Booster, np.ndarray]:
    rows = np.random.default_rng(0).normal(size=(200, 4))
    booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(rows[:, 1:], rows[:, 0]), 5)
    pack(tmp_path / "model.tar.gz", "xgboost-model", bytes(booster.save_raw("ubj")))
    (tmp_path / "test").mkdir()
    np.savetxt(tmp_path / "test/a.csv", rows[:50], delimiter=",")
    np.savetxt(tmp_path / "test/b.csv", rows[50:80], delimiter=",")
    return booster, rows[:80]


def pack(archive: Path, name: str, content: bytes) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))


def run(folder: Path) -> int:
    return evaluate.main(
        ["--model", str(folder / "model.tar.gz"), "--test", str(folder / "test"), "--output", str(folder / "out"),
         "--message", str(folder / "message")]
    )  # fmt: skip


def test_the_report_holds_the_error_and_the_spread_of_the_residuals(
    trained: tuple[xgboost.Booster, np.ndarray], tmp_path: Path
) -> None:
    assert run(tmp_path) == 0
    booster, rows = trained
    residuals = rows[:, 0] - booster.predict(xgboost.DMatrix(rows[:, 1:]))
    mse = json.loads((tmp_path / "out/evaluation.json").read_text())["regression_metrics"]["mse"]
    assert mse["value"] == pytest.approx((residuals**2).mean(), rel=1e-5)
    assert mse["standard_deviation"] == pytest.approx(residuals.std(), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("../../outside", b"x", "holds no file xgboost-model"),
        ("xgboost-model", b"not a model", "is not an XGBoost model"),
    ],
)
def test_an_archive_without_a_model_is_refused(
    trained: object, name: str, content: bytes, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack(tmp_path / "model.tar.gz", name, content)
    assert run(tmp_path) == 1
    assert expected in capsys.readouterr().err
    assert not (tmp_path.parent.parent / "outside").exists()


def test_missing_files_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 1
    assert "cannot read" in capsys.readouterr().err


def test_no_test_data_is_refused(trained: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in (tmp_path / "test").iterdir():
        file.write_text("")
    assert run(tmp_path) == 1
    assert "there is no test data" in capsys.readouterr().err
