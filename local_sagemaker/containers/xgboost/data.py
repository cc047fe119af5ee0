"""Reads a channel into a DMatrix, by the rules of XGBoost's own text parsers (specs: containers 3.2).

The files of a channel are linked flat into a private folder, in sorted order, so that the same data always gives the
same rows in the same order (the container's order changes from process to process).
"""

from __future__ import annotations

import csv
import logging
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import xgboost as xgb

from local_sagemaker.containers.failure import UserError
from local_sagemaker.containers.paths import private_tmp
from local_sagemaker.containers.xgboost import recordio, tables
from local_sagemaker.containers.xgboost.channels import CSV, LIBSVM, PARQUET

MAX_FOLDER_DEPTH = 3
SMALL = 64 * 1024**2  # bytes
STAGING = "sagemaker_xgboost_input_data"
log = logging.getLogger(__name__)


def files_of(path: Path, depth: int = 1) -> Iterator[Path]:
    """The files of a channel in sorted order, sub-folders included down to the depth that the container reads."""
    if path.is_file():
        yield path
        return
    if depth > MAX_FOLDER_DEPTH:
        log.warning("Folder depth exceed the limit: %s. The content of %s is ignored.", MAX_FOLDER_DEPTH, path)
        return
    for item in sorted(path.iterdir()) if path.is_dir() else ():
        if item.is_file():
            yield item
    for item in sorted(path.iterdir()) if path.is_dir() else ():
        if item.is_dir():
            yield from files_of(item, depth + 1)


def load(path: Path, content_format: str, *, csv_weights: bool = False) -> xgb.DMatrix | None:
    """The DMatrix of a channel, None when its files hold no byte. UserError for data that cannot be read."""
    files = list(files_of(path))
    if any(file.name.startswith(".") for file in files):
        raise UserError("Hidden file found in the data path! Remove that before training.")
    if sum(file.stat().st_size for file in files) == 0:
        return None
    checked = [file for file in files if not file.name.startswith("_") and ".cache" not in file.name]
    if content_format == CSV:
        matrix = _csv(files, checked, csv_weights)
    elif content_format == LIBSVM:
        matrix = _libsvm(files, checked)
    elif content_format == PARQUET:
        matrix = _parquet(files)
    else:
        matrix = _recordio(files)
    if matrix.get_label().size == 0:
        raise UserError(
            "Got input data without labels. Please check the input data set. "
            "If training job is running on multiple instances, please switch to using single instance if number of "
            "records in the data set is less than number of workers (16 * number of instance) in the cluster."
        )
    return matrix


def delimiter_of(line: str) -> str:
    """The delimiter of a CSV line, guessed as the container guesses it."""
    try:
        delimiter = tables.sniff(line)
    except csv.Error as error:
        raise UserError(f"Could not determine delimiter on line {line[:50]}:\n{error}") from error
    log.info("Determined delimiter of CSV input is '%s'", delimiter)
    return delimiter


def _first_line(file: Path) -> str:
    with file.open(encoding="utf-8", errors="ignore") as lines:
        return lines.readline()


def _staged(files: list[Path]) -> str:
    """One URI of all files, under names that XGBoost's URI syntax has no meaning for."""
    folder = private_tmp() / STAGING
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    links = [folder / f"{index:06}" for index in range(len(files))]
    for link, file in zip(links, files, strict=True):
        link.symlink_to(file.resolve())
    return ";".join(map(str, links))


def _parse(uri: str, content_format: str) -> xgb.DMatrix:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # reading text is deprecated, but it is the contract
            return xgb.DMatrix(uri)
    except xgb.core.XGBoostError as error:
        text = str(error).split("\nStack trace", 1)[0]
        raise UserError(f"Failed to load {content_format} data with exception:\n{text}") from error


def _csv(files: list[Path], checked: list[Path], csv_weights: bool) -> xgb.DMatrix:
    filled = [file for file in checked if file.stat().st_size]
    delimiters = [delimiter_of(_first_line(file)) for file in filled]
    matrix = _plain_csv(filled, csv_weights) if filled == files and set(delimiters) == {","} else None
    if matrix is not None:
        return matrix
    options = f"format=csv&label_column=0&delimiter={delimiters[0] if delimiters else ','}"
    if csv_weights:
        options += "&weight_column=1"
    return _parse(f"{_staged(files)}?{options}", CSV)


def _plain_csv(files: list[Path], csv_weights: bool) -> xgb.DMatrix | None:
    """Small plain tables, which XGBoost's parser would take longer to start for than to read."""
    if sum(file.stat().st_size for file in files) > SMALL:
        return None
    parts = [tables.plain(file.read_bytes()) for file in files]
    first = 2 if csv_weights else 1
    width = max(0 if part is None else part.shape[1] for part in parts)
    if width <= first or any(part is None or part.shape[1] != width for part in parts):
        return None
    table = np.concatenate([part for part in parts if part is not None])
    if np.isnan(table[:, :first]).any() or np.isinf(table).any():
        return None
    return xgb.DMatrix(table[:, first:], label=table[:, 0], weight=table[:, 1] if csv_weights else None)


def _libsvm(files: list[Path], checked: list[Path]) -> xgb.DMatrix:
    for file in checked:
        _check_libsvm(file)
    return _parse(f"{_staged(files)}?format=libsvm", LIBSVM)


def _check_libsvm(file: Path) -> None:
    """Checks lines up to the first one with at least two features: ``label[:weight] index:value ...``."""
    with file.open(encoding="utf-8", errors="ignore") as lines:
        for line in lines:
            label, *features = line.split(" ")
            if not _is_label(label) or any(":" not in feature for feature in features):
                raise UserError(
                    f"First line '{line[:50]}...' of file '{file.name}' is not 'LIBSVM' format. "
                    "Please ensure the file is in 'LIBSVM' format."
                )
            if len(features) > 1:
                return
    log.warning("File %s is not an invalid LIBSVM file but has no features. Accepting simple validation.", file.name)


def _is_label(text: str) -> bool:
    parts = text.split(":")
    try:
        for part in parts:
            float(part)
    except ValueError:
        return False
    return len(parts) <= 2


def _parquet(files: list[Path]) -> xgb.DMatrix:
    try:
        tables = [parquet.read_table(file).to_pandas().to_numpy(dtype=np.float32) for file in files]
        table = np.concatenate(tables)
        return xgb.DMatrix(table[:, 1:], label=table[:, 0])
    except (OSError, ValueError, TypeError, xgb.core.XGBoostError) as error:
        raise UserError(f"Failed to load parquet data with exception:\n{error}") from error


def _recordio(files: list[Path]) -> xgb.DMatrix:
    try:
        records = [record for file in files for record in recordio.read(file.read_bytes())]
        features, labels = recordio.table(records)
        return xgb.DMatrix(features, label=labels)
    except (ValueError, xgb.core.XGBoostError) as error:
        raise UserError(f"Failed to load recordio-protobuf data with exception:\n{error}") from error
