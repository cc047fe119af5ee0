"""The parameters that steer one check."""

from __future__ import annotations

from dataclasses import dataclass

from sagemaker.core.workflow.parameters import Parameter, ParameterBoolean, ParameterString


@dataclass(frozen=True)
class Switches:
    """Whether it compares, whether it registers a new baseline, and the S3 URIs of a supplied one (empty: none).

    Bias and explainability have no supplied statistics.
    """

    skip: ParameterBoolean
    register: ParameterBoolean
    constraints: ParameterString
    statistics: ParameterString | None = None

    def in_order(self) -> list[Parameter]:
        """As the stock pipeline lists them."""
        return [item for item in (self.skip, self.register, self.statistics, self.constraints) if item is not None]
