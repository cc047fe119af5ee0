"""Fixtures that all tests share are the service's own, for everybody's tests (`local_sagemaker.testing`)."""

pytest_plugins = ["local_sagemaker.testing.fixtures"]
