"""CodePipeline's errors: codes of its model, its texts."""

from __future__ import annotations

from local_sagemaker.errors import ServiceError


class PipelineError(ServiceError):
    """An error of the caller; the code says which."""

    status = 400


def invalid_structure(text: str) -> PipelineError:
    """The error for an invalid pipeline."""
    return PipelineError(text, code="InvalidStructureException")


def invalid_action(text: str) -> PipelineError:
    """An action that can't be."""
    return PipelineError(text, code="InvalidActionDeclarationException")


def invalid_token(text: str) -> PipelineError:
    """A pagination token that no response had."""
    return PipelineError(text, code="InvalidNextTokenException")


class ActionFailure(Exception):
    """An action fails: the code and the message of its error details."""

    def __init__(self, message: str, code: str = "JobFailed") -> None:
        super().__init__(message)
        self.message, self.code = message, code


class ActionEnded(Exception):
    """The work on an action was given up: the service ends, or nobody waits for the action any more."""
