"""What the columns of a file without a header mean: the containers know them by number only (``_c7``, ``column_7``)."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

NUMBERED = re.compile(r"(?:_c|column_)(\d+)")
# The checks of the features; the predictions that model quality reads have columns of their own.
OF_FEATURES = ("DATA_QUALITY", "DATA_BIAS", "MODEL_BIAS", "MODEL_EXPLAINABILITY")


@dataclass(frozen=True)
class Names:
    """The names of a table's columns in their order; none are known by default."""

    columns: Sequence[str] = ()

    def of(self, column: str) -> str:
        """``shell_weight (_c7)``, or the column as it is if its meaning is not known."""
        name = self.short(column)
        return column if name == column else f"{name} ({column})"

    def short(self, column: str) -> str:
        """``shell_weight``, for plots."""
        numbered = NUMBERED.fullmatch(column)
        known = numbered and int(numbered[1]) < len(self.columns)
        return self.columns[int(numbered[1])] if numbered and known else column


def for_check(kind: str, columns: Sequence[str]) -> Names:
    """The names that hold for this kind of check."""
    return Names(columns if kind in OF_FEATURES else ())


def of_module(module: str | None) -> Sequence[str]:
    """``SPLIT_COLUMNS`` of the package that a pipeline's module is in: the columns of what its checks read.

    In the package, since importing the module itself imports the SDK. None are known if the package does not say.
    """
    package = (module or "").rpartition(".")[0]
    columns = getattr(importlib.import_module(package), "SPLIT_COLUMNS", ()) if package else ()
    return tuple(map(str, columns))
