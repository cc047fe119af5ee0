"""Amazon SageMaker's API: one class per resource, all listed in `resources.py`."""
