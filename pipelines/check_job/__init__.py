"""The program of a portable check: what a check step does, inside an ordinary processing job.

Shipped with the job in one archive with `model_checks` (pipelines/checks/archive.py): so it imports nothing else of
this project, and its own modules by relative names. It runs in the scikit-learn 1.4-2 and XGBoost 3.0-5 images, which
have Python 3.10.
"""
