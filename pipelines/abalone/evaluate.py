"""Measures the trained model on the test split. Runs alone, as the script of a processing job.

Reads model.tar.gz and the test split (label first), predicts, and writes evaluation.json, whose mean squared error
decides whether the model is registered.

Runs in the XGBoost 3.0-5 image as well as with current libraries: Python 3.9 grammar.
"""

from __future__ import annotations

import argparse
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost

MODEL = "xgboost-model"


class BadInput(Exception):
    """The model or the test split is missing or wrong. The text says which."""


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    try:
        model = load(Path(arguments.model))
        labels, features = read(Path(arguments.test))
    except BadInput as error:
        print(f"evaluate: {error}", file=sys.stderr)
        explain(arguments.message, str(error))
        return 1
    report = measure(labels, model.predict(xgboost.DMatrix(features)))
    folder = Path(arguments.output)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(report), encoding="utf-8")
    print(f"evaluate: {json.dumps(report)}")
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="/opt/ml/processing/model/model.tar.gz", help="the training job's archive")
    parser.add_argument("--test", default="/opt/ml/processing/test", help="folder of CSV files, label first")
    parser.add_argument("--output", default="/opt/ml/processing/evaluation", help="folder that gets evaluation.json")
    parser.add_argument("--message", default="/opt/ml/output/message", help="file whose text the job shows at its end")
    return parser.parse_args(argv)


def load(archive: Path) -> xgboost.Booster:
    """The booster in the archive. Only that one member is read, into memory: an archive cannot write anywhere."""
    try:
        with tarfile.open(archive) as tar:
            members = [item for item in tar.getmembers() if item.isfile() and Path(item.name).name == MODEL]
            if not members:
                raise BadInput(f"{archive} holds no file {MODEL}")
            content = tar.extractfile(members[0]).read()  # type: ignore[union-attr]
    except (OSError, tarfile.TarError) as error:
        raise BadInput(f"cannot read {archive}: {error}") from error
    booster = xgboost.Booster()
    try:
        booster.load_model(bytearray(content))
    except xgboost.core.XGBoostError as error:
        raise BadInput(f"{MODEL} in {archive} is not an XGBoost model: {error}") from error
    return booster


def read(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Labels and features of all files in the folder."""
    files = [file for file in sorted(folder.rglob("*.csv")) if file.stat().st_size]
    if not files:
        raise BadInput(f"there is no test data in {folder}")
    rows = pd.concat([pd.read_csv(file, header=None) for file in files]).to_numpy(dtype=float)
    return rows[:, 0], rows[:, 1:]


def measure(labels: np.ndarray, predictions: np.ndarray) -> dict[str, dict[str, dict[str, float]]]:
    """The mean squared error, and the standard deviation of the residuals."""
    residuals = labels - predictions
    mse = {"value": float(np.mean(residuals**2)), "standard_deviation": float(np.std(residuals))}
    return {"regression_metrics": {"mse": mse}}


def explain(path: str, text: str) -> None:
    """SageMaker shows the start of this file as the job's exit message."""
    file = Path(path)
    if file.parent.is_dir():
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
