"""The checks of a pipeline in two flavours with the same parameters, files, gate and registration.

``managed``: QualityCheck and ClarifyCheck steps, which run Model Monitor and Clarify. ``portable``: processing steps
that ship their analysis (`pipelines.check_job`, `model_checks`), for accounts in which those two are not available.
"""

from __future__ import annotations

from typing import Literal

Flavour = Literal["managed", "portable"]
FLAVOURS: tuple[Flavour, ...] = ("managed", "portable")
