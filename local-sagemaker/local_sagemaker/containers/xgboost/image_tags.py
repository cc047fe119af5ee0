"""What the tags of the XGBoost image do differently (contracts: containers 3.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Behaviour:
    """What one image tag does differently from the others."""

    silent_accepted: bool  # hyperparameter `silent`; later tags refuse it as extraneous
    pickled_model: bool  # the model file is a pickled Booster instead of Booster.save_model's
    binary_model: bool  # Booster.save_model writes its old binary format instead of UBJSON
    comma_joined: bool  # the CSV response is one line without a newline at its end
    reads_pipes: bool  # channels in Pipe mode; later tags refuse them
    shifts_libsvm: bool  # in requests, libsvm indices that begin at 1 are counted from 0

    @classmethod
    def of(cls, tag: str) -> Behaviour:
        """The row of the tags table; an unknown or missing tag is taken as the newest."""
        match = re.match(r"(\d+)\.(\d+)-(\d+)", tag)
        if not match:
            old = tag in ("1", "latest")  # the first repository, `xgboost`, which 0.90-1 replaced
            return cls(old, old, False, old, old, not old)
        version = tuple(int(part) for part in match.groups())
        return cls(
            silent_accepted=version < (1, 2, 0),
            pickled_model=version < (1, 3, 0),
            binary_model=version < (2, 0, 0),
            comma_joined=version < (1, 2, 2),
            reads_pipes=version < (3, 1, 0),
            shifts_libsvm=version >= (3, 1, 0),
        )
