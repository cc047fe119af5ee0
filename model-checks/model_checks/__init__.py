"""Data quality, model quality, bias and explainability as SageMaker Model Monitor and Clarify report them.

Used by the local service's images and, shipped with a processing job, by the project's portable checks. So it runs on
Python 3.10 with the libraries of AWS's scikit-learn and XGBoost images, and imports neither of its users.
"""
