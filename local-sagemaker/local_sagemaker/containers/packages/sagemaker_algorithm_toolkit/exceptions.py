"""The errors that the containers tell apart: of the user, of the algorithm, of the platform."""

from _local_programs import load

_failure = load("failure")
BaseToolkitError, UserError = _failure.ToolkitError, _failure.UserError
AlgorithmError, PlatformError = _failure.AlgorithmError, _failure.PlatformError
