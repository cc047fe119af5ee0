"""Reads channels into DMatrices, by the rules of the container and of XGBoost's own text parsers (contracts:
containers 3.2; aws/sagemaker-xgboost-container, data_utils.py and algorithm_mode/train.py).

The files of a channel are linked flat into a private folder, in sorted order, so that the same data always gives the
same rows in the same order (the container's order changes from process to process).
"""

from __future__ import annotations

import csv
import logging
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import xgboost as xgb

from local_sagemaker.containers.failure import UserError
from local_sagemaker.containers.paths import private_tmp
from local_sagemaker.containers.xgboost import compat, csv_table, recordio
from local_sagemaker.containers.xgboost.channels import CSV, LIBSVM, PARQUET

MAX_FOLDER_DEPTH = 3
SMALL = 64 * 1024**2  # bytes
STAGING = "sagemaker_xgboost_input_data"
log = logging.getLogger(__name__)


def load_channels(
    train: Path, validation: Path | None, content_format: str, *, csv_weights: bool
) -> tuple[xgb.DMatrix | None, xgb.DMatrix | None]:
    """The DMatrices of both channels, None for one that does not exist or whose files hold no byte.

    Sizes and first lines of both are looked at before either is read. UserError for data that cannot be read.
    """
    filled = [path for path in (train, validation) if path is not None and size_of(path)]
    for path in filled:
        check_first_lines(path, content_format)
    matrices = {path: _load(path, content_format, csv_weights) for path in filled}
    return matrices.get(train), matrices.get(validation) if validation else None


def load_files(paths: list[Path], content_format: str, *, csv_weights: bool) -> xgb.DMatrix:
    """One DMatrix of all files at or below some paths."""
    return _matrix([file for path in paths for file in files_of(path)], content_format, csv_weights)


def require_labels(matrix: xgb.DMatrix) -> xgb.DMatrix:
    """Raises UserError for a matrix without labels."""
    if matrix.get_label().size == 0:
        raise UserError(
            "Got input data without labels. Please check the input data set. "
            "If training job is running on multiple instances, please switch to using single instance if number of "
            "records in the data set is less than number of workers (16 * number of instance) in the cluster."
        )
    return matrix


def size_of(path: Path) -> int:
    """Bytes of a channel's files at any depth, none of which may be hidden."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            if name.startswith("."):
                raise UserError("Hidden file found in the data path! Remove that before training.")
            total += Path(folder, name).stat().st_size
    return total


def check_first_lines(path: Path, content_format: str) -> None:
    """Looks at the files of the first folder that has no sub-folder: of all folders, the container checks that one."""
    folder = next((Path(place) for place, folders, _ in _walk(path) if not folders), path)
    for file in sorted(folder.iterdir()):
        if not file.is_file() or not _is_data_file(file.name):
            continue
        if content_format == CSV:
            delimiter_of(_first_line(file, errors="ignore"))
        elif content_format == LIBSVM:
            _check_libsvm(file)


def _walk(path: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for place, folders, names in os.walk(path):
        folders.sort()
        yield place, folders, names


def _is_data_file(name: str) -> bool:
    """Whether a file's first line is checked, and its RecordIO records are read."""
    cache = ".cache" in name and ("dtrain" in name or "dval" in name)
    return not name.startswith((".", "_")) and not cache


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


def _load(path: Path, content_format: str, csv_weights: bool) -> xgb.DMatrix:
    return _matrix(list(files_of(path)), content_format, csv_weights)


def _matrix(files: list[Path], content_format: str, csv_weights: bool) -> xgb.DMatrix:
    if content_format == CSV:
        matrix = _csv(files, csv_weights)
    elif content_format == LIBSVM:
        matrix = _parse(f"{_stage(files)}?format=libsvm", LIBSVM)
    elif content_format == PARQUET:
        matrix = _parquet(files)
    else:
        matrix = _recordio(files)
    return require_labels(matrix)


def delimiter_of(line: str) -> str:
    """The delimiter of a CSV line, guessed as the container guesses it."""
    try:
        delimiter = csv_table.sniff(line)
    except csv.Error as error:
        raise UserError(f"Could not determine delimiter on line {line[:50]}:\n{error}") from error
    log.info("Determined delimiter of CSV input is '%s'", delimiter)
    return delimiter


def _first_line(file: Path, errors: str = "strict") -> str:
    with file.open(encoding="utf-8", errors=errors) as lines:
        return lines.readline()


def _link(files: list[Path]) -> list[Path]:
    """Links to the files in one folder: names begin as those of the files, so that both are sorted alike."""
    folder = private_tmp() / STAGING
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    links = []
    for index, file in enumerate(files):
        links.append(folder / f"{file.name}{index:06}")
        links[-1].symlink_to(file.resolve())
    return links


def _stage(files: list[Path]) -> str:
    """One URI of all files, under names that XGBoost's URI syntax has no meaning for."""
    links = []
    for index, link in enumerate(_link(files)):
        links.append(link.with_name(f"{index:06}"))
        link.rename(links[-1])
    return ";".join(map(str, links))


def _parse(uri: str, content_format: str) -> xgb.DMatrix:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # reading text is deprecated, but it is the contract
            return xgb.DMatrix(uri)
    except xgb.core.XGBoostError as error:
        text = str(error).split("\nStack trace", 1)[0]
        raise UserError(f"Failed to load {content_format} data with exception:\n{text}") from error


def _csv(files: list[Path], csv_weights: bool) -> xgb.DMatrix:
    """The delimiter is that of one file, whose first bytes must be UTF-8; the container takes any, this the first."""
    filled = [file for file in files if file.stat().st_size]
    delimiter = delimiter_of(_first_line(filled[0]))
    matrix = plain_csv([file.read_bytes() for file in filled], csv_weights) if _are_small(filled, delimiter) else None
    if matrix is not None:
        return matrix
    options = f"format=csv&label_column=0&delimiter={delimiter}"
    if csv_weights:
        options += "&weight_column=1"
    return _parse(f"{_stage(files)}?{options}", CSV)


def _are_small(files: list[Path], delimiter: str) -> bool:
    """Whether XGBoost's parser would take longer to start for than to read them."""
    return delimiter == "," and sum(file.stat().st_size for file in files) <= SMALL


def plain_csv(contents: list[bytes], csv_weights: bool) -> xgb.DMatrix | None:
    """The matrix of plain numeric tables of one width; None for anything else."""
    parts = [csv_table.plain(content) for content in contents]
    first = 2 if csv_weights else 1
    width = max(0 if part is None else part.shape[1] for part in parts)
    if width <= first or any(part is None or part.shape[1] != width for part in parts):
        return None
    table = np.concatenate([part for part in parts if part is not None])
    if np.isnan(table[:, :first]).any() or np.isinf(table).any():
        return None
    return xgb.DMatrix(compat.columns(table[:, first:]), label=table[:, 0], weight=table[:, 1] if csv_weights else None)


def _check_libsvm(file: Path) -> None:
    """Checks lines up to the first one with at least two features: ``label[:weight] index:value ...``."""
    with file.open(encoding="utf-8", errors="ignore") as lines:
        for line in lines:
            label, *features = line.split(" ")
            wrong = any(":" not in feature for feature in features) or (features and features[0].count(":") != 1)
            if wrong or not _is_label(label):
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
    """All files as one pyarrow dataset: names that begin with ``_`` are left out, columns are those of the first."""
    try:
        folder = _link(files)[0].parent
        return parquet_matrix([parquet.read_table(folder).to_pandas().to_numpy()])
    except Exception as error:  # whatever the data make of Arrow, pandas, NumPy and XGBoost, as in the container
        raise UserError(f"Failed to load parquet data with exception:\n{error}") from error


def parquet_matrix(tables: list[np.ndarray]) -> xgb.DMatrix:
    """The matrix of Parquet rows, whose first column is the label."""
    rows = tables[0] if len(tables) == 1 else np.vstack(tables)
    return xgb.DMatrix(compat.columns(rows[:, 1:]), label=rows[:, 0])


def _recordio(files: list[Path]) -> xgb.DMatrix:
    return recordio_matrix(b"".join(file.read_bytes() for file in files if _is_data_file(file.name)))


def recordio_matrix(data: bytes) -> xgb.DMatrix:
    """The matrix of RecordIO records."""
    try:
        features, labels = recordio.table(recordio.read(data))
        return xgb.DMatrix(features, label=labels)
    except (ValueError, TypeError, xgb.core.XGBoostError) as error:
        raise UserError(f"Failed to load recordio-protobuf data with exception:\n{error}") from error
