"""The one error that an analysis ends with."""

from __future__ import annotations


class AnalysisError(Exception):
    """The analysis can't be done as requested. The text is for the user, in the wording of AWS's containers."""
