"""The unit tier: no process is started and no socket used."""

from local_sagemaker.testing.guard import pytest_runtest_call, pytest_runtest_setup

__all__ = ["pytest_runtest_call", "pytest_runtest_setup"]
