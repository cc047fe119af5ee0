"""Hyperparameter tuning: which values to try next, when to stop, and which training job was the best.

`run` is one tuning job's loop; `course`, `ranges`, `points` and `trials` are pure. `gaussian` is the only module with
heavy imports and runs in a process of its own.
"""
