"""Predictions for dense rows by XGBoost's C interface, without the Python around ``Booster.inplace_predict``.

The response is the same; for one row the general method spends most of its time finding out what kind of data it has.
"""

from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING

import numpy as np
import xgboost as xgb
from xgboost.core import _LIB, _check_call

if TYPE_CHECKING:
    from numpy.typing import NDArray  # NumPy of older images has none

_CONFIG = (
    b'{"type":0,"training":false,"iteration_begin":0,"iteration_end":0,"missing":NaN,"strict_shape":false,"cache_id":0}'
)
_MATRIX = b'{"data":[%d,true],"typestr":"<f4","shape":[%d,%d],"version":3}'
_own = threading.local()


def _proxy() -> ctypes.c_void_p:
    """What holds the rows of a call, one for each thread: a new one reads the machine's number of cores from files."""
    proxy: ctypes.c_void_p | None = getattr(_own, "proxy", None)
    if proxy is None:
        proxy = _own.proxy = ctypes.c_void_p()
        _check_call(_LIB.XGProxyDMatrixCreate(ctypes.byref(proxy)))
    return proxy


def predict(booster: xgb.Booster, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """``booster.inplace_predict(rows, validate_features=False)`` for a tree booster. Raises XGBoostError."""
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    shape, size = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
    pointer = ctypes.POINTER(ctypes.c_float)()
    _check_call(
        _LIB.XGBoosterPredictFromDense(
            booster.handle, _MATRIX % (rows.ctypes.data, *rows.shape), _CONFIG, _proxy(),
            ctypes.byref(shape), ctypes.byref(size), ctypes.byref(pointer),
        )
    )  # fmt: skip
    if size.value == 1:
        count = shape[0]
        return np.frombuffer(ctypes.string_at(pointer, 4 * count), dtype=np.float32)
    extent = tuple(shape[: size.value])
    return np.frombuffer(ctypes.string_at(pointer, 4 * int(np.prod(extent))), dtype=np.float32).reshape(extent)
