"""The errors that the container distinguishes."""

from sagemaker_algorithm_toolkit.exceptions import BaseToolkitError, PlatformError, UserError

__all__ = ["BaseToolkitError", "PlatformError", "UserError"]
