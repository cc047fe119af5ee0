"""Answers for a tuning job that asks what to try next, by its strategy."""

from __future__ import annotations

from local_sagemaker.tuning.points import Question, drawn, on_grid


class Suggestions:
    """The strategies. Hyperband draws at random, and trains what it draws to the end."""

    def __call__(self, question: Question) -> dict[str, str]:
        """The hyperparameters of the next training job."""
        return on_grid(question) if question.strategy == "Grid" else drawn(question)
