"""Bias and explainability of a dataset and a model, as an analysis configuration of Clarify requests them."""
