"""Operating-system processes of jobs and endpoints: forked warm, each with its own /opt/ml and /tmp."""

from local_sagemaker.processes.client import ForkedProcesses
from local_sagemaker.processes.errors import ProcessNotStarted
from local_sagemaker.processes.isolation import Isolation, probe
from local_sagemaker.processes.spec import Process, Processes, ProcessSpec

__all__ = ["ForkedProcesses", "Isolation", "Process", "ProcessNotStarted", "ProcessSpec", "Processes", "probe"]
