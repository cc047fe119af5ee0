"""Clarify's datasets in blocks: types that change further down, several files, and predictions that are asked once."""

from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import pandas as pd
import pytest

from local_sagemaker.containers.analyzers.clarify_model import ClarifyModel
from model_checks.analysis import bias
from model_checks.clarify.bias_blocks import BiasBlocks
from model_checks.clarify.data import ClarifyData, load
from model_checks.datasets.tables import CsvTable, ParquetTable, Table

RANDOM = np.random.default_rng(2)
FRAME = pd.DataFrame(
    {
        "y": RANDOM.integers(0, 2, 230),
        "f": RANDOM.choice(["a", "b", "c"], 230),
        "x": [*range(200), *(0.5 for _ in range(30))],
        "late": [*(1 for _ in range(120)), *("z" for _ in range(110))],
    }
)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model_checks.datasets.tables.BLOCK_ROWS", 50)


def tables(folder: Path) -> list[Table]:
    FRAME[:90].to_csv(folder / "a.csv", index=False)
    FRAME[90:].to_csv(folder / "b.csv", index=False)
    FRAME.astype({"late": str}).to_parquet(folder / "c.parquet")
    return [CsvTable.of([folder / "a.csv", folder / "b.csv"], None), ParquetTable([folder / "c.parquet"])]


class Doubled:
    """A model whose label depends on x; it notes how many rows it was asked about."""

    def __init__(self) -> None:
        self.rows = 0

    def labels(self, rows: Any) -> pd.Series:
        self.rows += len(rows)
        return pd.Series((rows[:, 1].astype(float) > 100).astype(int))


@pytest.mark.parametrize("facet", [("f", ["a"]), ("f", None), ("late", ["z"]), ("late", ["1"]), ("x", [7])])
def test_blocks_of_files_give_what_the_whole_frame_gives(tmp_path: Path, facet: tuple[str, Any]) -> None:
    methods = {name: {"methods": "all"} for name in ("pre_training_bias", "post_training_bias")}
    facets = [{"name_or_index": facet[0], "value_or_threshold": facet[1]}]
    config: dict[str, Any] = {"methods": methods, "facet": facets}
    config |= {"label_values_or_threshold": [1]}
    predicted = (FRAME["x"] > 100).astype(int)
    frame = FRAME.drop(columns="y").astype({"late": str})
    every = [*bias.PRE_TRAINING, *bias.POST_TRAINING]
    expected = bias.section(
        bias.BiasData(frame, "y", FRAME["y"], [1], [bias.Facet(*facet)], predicted, FRAME["f"]), every
    )
    for table in tables(tmp_path):
        model: Any = Doubled()
        data = ClarifyData(table, "y", None, None, ["f", "x", "late"], "f")
        with TemporaryFile() as answers:
            found = bias.count_metrics(BiasBlocks(data, config, answers, True, lambda m=model: m).stream(), every)  # type: ignore[misc]
        assert bias.section(found, every) == expected
        assert model.rows == len(FRAME)


def test_the_frame_and_the_blocks_hold_the_same_rows(tmp_path: Path) -> None:
    for table in tables(tmp_path):
        whole = table.frame()
        blocks = list(table.blocks(["y", "x"]))
        assert max(map(len, blocks)) == 50
        pd.testing.assert_frame_equal(pd.concat(blocks, ignore_index=True), whole[["y", "x"]], check_dtype=False)


def test_a_dataset_without_rows_fails(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pd.DataFrame({"y": []}).to_parquet(file)
    config = {"dataset_type": "application/x-parquet", "label": "y", "facet": [{"name_or_index": "y"}]}
    data = load(config, [file], lambda *_: tmp_path)
    with TemporaryFile() as answers, pytest.raises(ValueError, match="has no rows"):
        config = {"label_values_or_threshold": [1], "facet": [{"name_or_index": "y"}]}
        bias.count_metrics(
            BiasBlocks(data, config, answers, False, lambda: ClarifyModel({}, "text/csv", [], bytes)).stream(), []
        )
