"""Resource records: AWS-shaped JSON bodies in one SQLite file."""

from local_sagemaker.records.store import Records

__all__ = ["Records"]
