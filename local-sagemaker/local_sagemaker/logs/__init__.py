"""CloudWatch log streams as plain text files that can be read with any tool."""

from local_sagemaker.logs.event_pages import LogPage
from local_sagemaker.logs.lines import Line
from local_sagemaker.logs.store import Logs, LogStream

__all__ = ["Line", "LogPage", "LogStream", "Logs"]
