"""Hyperparameter tuning: which values to try next, when to stop, and which training job was the best.

`run` is one tuning job's loop; `policy`, `ranges`, `sampling` and `training_jobs` are pure. `bayesian` is the only
module with heavy imports and runs in a process of its own.
"""
