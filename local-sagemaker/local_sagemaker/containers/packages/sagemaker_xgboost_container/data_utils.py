"""Reads the files of a channel as a DMatrix, as the built-in algorithm does."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _local_programs import load
from sagemaker_algorithm_toolkit import exceptions as exc

CSV, LIBSVM, PARQUET, RECORDIO_PROTOBUF = "csv", "libsvm", "parquet", "recordio-protobuf"
MAX_FOLDER_DEPTH = 3
VALID_CONTENT_TYPES = [CSV, LIBSVM, PARQUET, RECORDIO_PROTOBUF, "text/csv", "text/libsvm", "text/x-libsvm",
                       "application/x-parquet", "application/x-recordio-protobuf"]  # fmt: skip
_FORMATS = {"text/csv": CSV, "text/libsvm": LIBSVM, "text/x-libsvm": LIBSVM, "application/x-parquet": PARQUET,
            "application/x-recordio-protobuf": RECORDIO_PROTOBUF}  # fmt: skip


def get_content_type(content_type_cfg_val: str | None) -> str:
    """``csv``, ``libsvm``, ``parquet`` or ``recordio-protobuf`` for the content type of a channel (None: libsvm)."""
    if content_type_cfg_val is None:
        return LIBSVM
    name, _, rest = content_type_cfg_val.lower().partition(";")
    name = name.strip()
    media_type = _FORMATS.get(name, name)
    if media_type not in (CSV, LIBSVM, PARQUET, RECORDIO_PROTOBUF):
        raise exc.UserError(f"{content_type_cfg_val} is not an accepted ContentType: {', '.join(VALID_CONTENT_TYPES)}.")
    labels = dict(part.strip().partition("=")[::2] for part in rest.split(";") if part.strip())
    if media_type == CSV and labels.get("label_size", "1") != "1":
        raise exc.UserError(
            f"{content_type_cfg_val} is not an accepted csv ContentType. "
            "Optional parameter label_size must be equal to 1"
        )
    return media_type


def get_dmatrix(
    data_path: str | os.PathLike[str] | Sequence[str], content_type: str, csv_weights: int = 0, is_pipe: bool = False
) -> Any:
    """The DMatrix of a file or folder (or a list of them), None where there is nothing.

    The first column of CSV and Parquet is the label, with `csv_weights` the second the weight.
    """
    paths = [Path(path) for path in ([data_path] if isinstance(data_path, (str, os.PathLike)) else data_path)]
    kind = content_type.lower()
    name = _FORMATS.get(kind, kind)
    if is_pipe:
        matrices = [load("xgboost.pipe_mode").load(path, name, csv_weights=int(csv_weights) == 1) for path in paths]
        if len(matrices) > 1:
            raise NotImplementedError("get_dmatrix reads one pipe at a time here")
        return matrices[0]
    paths = [path for path in paths if path.exists()]
    if not paths:
        logging.info("File path %s does not exist!", data_path)
        return None
    return load("xgboost.data").load_files(paths, name, csv_weights=int(csv_weights) == 1)


def validate_data_file_path(data_path: str, content_type: str) -> None:
    """Raises UserError for a path that is missing, or a first line that is not in the format."""
    path = Path(data_path)
    if not path.exists():
        raise exc.UserError(f"{data_path} is not a valid path!")
    load("xgboost.data").check_first_lines(path, get_content_type(content_type))


def get_size(data_path: str, is_pipe: bool = False) -> int:
    """Bytes of the files below a path; 1 for a channel in Pipe mode, 0 for what is missing."""
    if is_pipe and os.path.exists(f"{data_path}_0"):
        return 1
    path = Path(data_path)
    if not path.exists():
        logging.info("Path %s does not exist!", data_path)
        return 0
    return path.stat().st_size if path.is_file() else int(load("xgboost.data").size_of(path))
