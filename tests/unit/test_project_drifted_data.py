"""The example of drifted data: what it changes, and that each change can be turned off."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from pipelines.abalone import drifted_data
from pipelines.data import COLUMNS, abalone_csv


def table(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), header=None, names=list(COLUMNS))


ORIGINAL = table(abalone_csv().decode())


def test_nothing_is_changed_when_all_is_off() -> None:
    assert table(drifted_data.make_drifted(1, 0, "height", 0)).equals(ORIGINAL)


def test_each_change_and_nothing_else(tmp_path: Path) -> None:
    assert drifted_data.main(["--output", str(tmp_path / "drifted.csv")]) == 0
    found = table((tmp_path / "drifted.csv").read_text())
    assert found["shell_weight"].to_numpy() == pytest.approx((ORIGINAL["shell_weight"] * 1.5).to_numpy(), rel=1e-5)
    assert found["height"].isna().mean() == pytest.approx(0.4, abs=0.02)
    assert (found["sex"] == "U").mean() == pytest.approx(0.1, abs=0.02)
    untouched = [name for name in COLUMNS if name not in ("shell_weight", "height", "sex")]
    assert found[untouched].equals(ORIGINAL[untouched])
    assert found["height"].dropna().equals(ORIGINAL["height"][found["height"].notna()])
    assert found["sex"][found["sex"] != "U"].equals(ORIGINAL["sex"][found["sex"] != "U"])


@pytest.mark.parametrize("words", [["--missing", "2"], ["--unknown", "x"], ["--column", "rings"], []])
def test_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        drifted_data.main([*words, *(["--output", "x.csv"] if words else [])])
    assert left.value.code == 2
    assert "usage:" in capsys.readouterr().err
