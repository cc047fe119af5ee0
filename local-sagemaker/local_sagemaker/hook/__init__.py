"""Loaded by `sitecustomize` into the processes that `local-sagemaker exec` and jobs start (see that module)."""
