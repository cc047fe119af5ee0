"""Channels in Pipe mode, which the container's tags up to 3.0-5 read and later ones refuse (data_utils.py of
aws/sagemaker-xgboost-container, before and after it gave up MLIO).
"""

from __future__ import annotations

import io
import re
from pathlib import Path

import pyarrow.parquet as parquet
import xgboost as xgb

from local_sagemaker.containers.failure import UserError
from local_sagemaker.containers.xgboost import data
from local_sagemaker.containers.xgboost.channels import CSV, PARQUET

_REFUSED = {CSV: "CSV", PARQUET: "Parquet"}
_BOUNDARY = re.compile(b"(?<=PAR1)(?=PAR1)")
"""Between two Parquet files, each of which begins and ends with its magic; in a pipe those of a channel follow."""


def refuse(content_format: str) -> None:
    """Raises the UserError of tags that read no pipes."""
    raise UserError(
        f"Pipe mode for {_REFUSED.get(content_format, 'RecordIO-Protobuf')} is no longer supported. Please use Fast "
        "File mode (default) instead. Set input_mode='File' in your SageMaker Estimator or TrainingInput."
    )


def load(channel: Path, content_format: str, *, csv_weights: bool) -> xgb.DMatrix | None:
    """The DMatrix of what comes through a channel's first pipe; None when nothing does or there is no pipe."""
    pipe = channel.with_name(f"{channel.name}_0")
    content = pipe.read_bytes() if pipe.exists() else b""
    if not content:
        return None
    if content_format == CSV:
        matrix = data.plain_csv([content], csv_weights)
        if matrix is None:
            raise UserError("Failed to load csv data with exception:\nThe rows are not numbers, or differ in number.")
    elif content_format == PARQUET:
        matrix = _parquet(content)
    else:
        matrix = data.recordio_matrix(content)
    return data.require_labels(matrix)


def _parquet(content: bytes) -> xgb.DMatrix:
    """The rows of all files, one below the other: columns go by their place, not by their name."""
    try:
        tables = [parquet.read_table(io.BytesIO(file)) for file in _BOUNDARY.split(content)]
        return data.parquet_matrix([table.to_pandas().to_numpy() for table in tables])
    except Exception as error:  # as for files
        raise UserError(f"Failed to load parquet data with exception:\n{error}") from error
