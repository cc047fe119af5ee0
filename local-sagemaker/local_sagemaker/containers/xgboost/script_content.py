"""The default functions of XGBoost's script mode; apart, since the scikit-learn image has no XGBoost."""

from __future__ import annotations

from typing import Any

import xgboost as xgb

from local_sagemaker.containers.toolkit.content import CSV, NumpyCodec, UnsupportedFormat, bytes_of, text_of
from local_sagemaker.containers.xgboost import decode, recordio
from local_sagemaker.containers.xgboost.channels import parse_header


class XGBoostCodec(NumpyCodec):
    """XGBoost's defaults: a DMatrix in, and features that need not match the model's."""

    def decode(self, data: bytes | str, content_type: str) -> Any:
        """CSV, libsvm or RecordIO as a DMatrix; of a CSV body, a newline at its end begins another row."""
        name, _ = parse_header(content_type)
        if name == CSV:
            return xgb.DMatrix(decode.csv_rows(text_of(data)))
        if name in ("text/libsvm", "text/x-libsvm"):
            return xgb.DMatrix(decode.libsvm(text_of(data).strip(), shifts=False))
        if name == "application/x-recordio-protobuf":
            features, _ = recordio.table(recordio.read(bytes_of(data)))
            return xgb.DMatrix(features)
        raise UnsupportedFormat(name)

    def predict(self, data: Any, model: Any) -> Any:
        """``Booster.predict`` without the check of names and number of features."""
        return model.predict(data, validate_features=False)
