"""The ``SM_*`` variables and command-line arguments that a training script gets (contracts: containers 2.7)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_sagemaker.containers.paths import ml

# Read by the toolkit itself; every other hyperparameter is the script's.
RESERVED = (
    "sagemaker_program", "sagemaker_submit_directory", "sagemaker_job_name", "sagemaker_region",
    "sagemaker_container_log_level", "sagemaker_enable_cloudwatch_metrics", "sagemaker_s3_output",
    "default_user_module_name", "_tuning_objective_metric",
)  # fmt: skip


def decode(text: str) -> Any:
    """A hyperparameter's value: JSON where it is, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def read(name: str, default: Any) -> Any:
    """A file of /opt/ml/input/config."""
    file = ml() / "input" / "config" / f"{name}.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else default


@dataclass(frozen=True)
class TrainingEnvironment:
    """What the toolkit knows of a job before the script starts."""

    script: str
    source: str
    hyperparameters: Mapping[str, Any]
    framework_parameters: Mapping[str, Any]
    channels: Mapping[str, Mapping[str, Any]]
    resources: Mapping[str, Any]
    framework_module: str

    @classmethod
    def from_files(cls, framework_module: str) -> TrainingEnvironment:
        """From the configuration files of this process's /opt/ml."""
        values = {name: decode(text) for name, text in read("hyperparameters", {}).items()}
        reserved = {n: v for n, v in values.items() if n in RESERVED or n.startswith("sagemaker_")}
        return cls(
            script=str(reserved.get("sagemaker_program") or os.environ.get("SAGEMAKER_PROGRAM", "")),
            source=str(reserved.get("sagemaker_submit_directory") or os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", "")),
            hyperparameters={n: v for n, v in values.items() if n not in reserved},
            framework_parameters=reserved,
            channels=read("inputdataconfig", {}),
            resources=read("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1"]}),
            framework_module=framework_module,
        )

    def arguments(self) -> list[str]:
        """The script's command line: ``--name value``, a single letter with one dash, in the order of the names."""
        arguments = []
        for name in sorted(self.hyperparameters):
            arguments += [f"-{name}" if len(name) == 1 else f"--{name}", _argument(self.hyperparameters[name])]
        return arguments

    def variables(self) -> dict[str, str]:
        """The environment variables: texts as they are, everything else as compact JSON."""
        values = self._values()
        values["training_env"] = self._document(values)
        values |= {f"channel_{name}": str(_data(name)) for name in self.channels}
        values |= {f"hp_{name}": value for name, value in self.hyperparameters.items()}
        return {f"SM_{name.upper()}": _variable(value) for name, value in values.items()}

    def _values(self) -> dict[str, Any]:
        root = ml()
        current = self.resources["current_host"]
        groups = self.resources.get("instance_groups", [])
        group = self.resources.get("current_group_name", "homogeneousCluster")
        return {
            "hosts": self.resources["hosts"],
            "network_interface_name": self.resources.get("network_interface_name", "eth0"),
            "hps": dict(self.hyperparameters),
            "user_entry_point": self.script,
            "framework_params": dict(self.framework_parameters),
            "resource_config": dict(self.resources),
            "input_data_config": dict(self.channels),
            "output_data_dir": str(root / "output" / "data"),
            "channels": sorted(self.channels),
            "current_host": current,
            "current_instance_type": self.resources.get("current_instance_type", "local"),
            "current_instance_group": group,
            "current_instance_group_hosts": self.resources["hosts"],
            "instance_groups": [entry["instance_group_name"] for entry in groups] or [group],
            "instance_groups_dict": {entry["instance_group_name"]: entry for entry in groups},
            "distribution_instance_groups": [],
            "is_hetero": False,
            "module_name": self.script.removesuffix(".py"),
            "log_level": self.framework_parameters.get("sagemaker_container_log_level", 20),
            "framework_module": self.framework_module,
            "input_dir": str(root / "input"),
            "input_config_dir": str(root / "input" / "config"),
            "output_dir": str(root / "output"),
            "num_cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            "num_gpus": 0,
            "num_neurons": 0,
            "model_dir": str(root / "model"),
            "module_dir": self.source,
            "user_args": self.arguments(),
            "output_intermediate_dir": str(root / "output" / "intermediate"),
        }

    def _document(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """SM_TRAINING_ENV: the same facts under the toolkit's own names."""
        names = (
            "hosts", "network_interface_name", "resource_config", "input_data_config", "output_data_dir",
            "current_host", "current_instance_type", "current_instance_group", "current_instance_group_hosts",
            "instance_groups", "instance_groups_dict", "is_hetero", "module_name", "log_level", "framework_module",
            "input_dir", "input_config_dir", "output_dir", "num_cpus", "num_gpus", "num_neurons", "model_dir",
            "module_dir", "user_entry_point", "output_intermediate_dir",
        )  # fmt: skip
        return {
            **{name: values[name] for name in names},
            "additional_framework_parameters": {
                n: v for n, v in self.framework_parameters.items() if n not in RESERVED
            },
            "channel_input_dirs": {name: str(_data(name)) for name in self.channels},
            "hyperparameters": dict(self.hyperparameters),
            "is_master": values["current_host"] == sorted(values["hosts"])[0],
            "job_name": self.framework_parameters.get("sagemaker_job_name") or os.environ.get("TRAINING_JOB_NAME"),
            "master_hostname": sorted(values["hosts"])[0],
        }


def _data(channel: str) -> Path:
    return ml() / "input" / "data" / channel


def _argument(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}={inner}" for name, inner in value.items())
    return str(value)


def _variable(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
