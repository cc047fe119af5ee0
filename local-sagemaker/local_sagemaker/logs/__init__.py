"""CloudWatch log streams as plain text files that can be read with any tool."""

from local_sagemaker.logs.lines import Line
from local_sagemaker.logs.reading import Page
from local_sagemaker.logs.store import Logs, Stream

__all__ = ["Line", "Logs", "Page", "Stream"]
