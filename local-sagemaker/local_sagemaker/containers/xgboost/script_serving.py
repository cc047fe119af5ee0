"""The XGBoost image's ``serve`` where the user brings a script."""

from __future__ import annotations

from local_sagemaker.containers.program_log import configure
from local_sagemaker.containers.toolkit import serve
from local_sagemaker.containers.xgboost.script_content import XGBoostCodec


def run() -> int:
    """Serves by the user's functions until SIGTERM."""
    return serve.run_script(XGBoostCodec(), f"{__name__}:resume")


def resume(_arguments: list[str] | None = None) -> int:
    """Continues in an interpreter of its own (`serve.run_script`)."""
    configure()
    return serve.resume_script(XGBoostCodec())
