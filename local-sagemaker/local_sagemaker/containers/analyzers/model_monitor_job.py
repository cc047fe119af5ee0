"""The program of the Model Monitor image: baseline statistics and constraints, and violations of an earlier baseline.

It is configured by environment variables (contracts: model-monitor 1.1); ``analysis_type`` says which of the `monitors`
it is. Reports go to `output_path`, the exit message to /opt/ml/output/message; the job completes with or without
violations.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from local_sagemaker.containers.analyzers import cloudwatch, monitors, user_scripts
from local_sagemaker.containers.analyzers.contract import exit_code_of, local, require_variable, write

NO_VIOLATIONS = "Completed: Job completed successfully with no violations."


def main(arguments: list[str]) -> int:
    """Runs one job; the container takes no arguments. The exit code is 0, or 255 when the job fails."""
    del arguments
    return exit_code_of(lambda: run(os.environ))


def run(environment: Mapping[str, str]) -> str:
    """Analyses the dataset, writes the reports and returns the exit message."""
    output = local(require_variable(environment, "output_path"))
    monitor = monitors.find(environment.get("analysis_type"))
    analysis = monitor.analyse(environment)
    if excluded := environment.get("exclude_features_attribute"):
        analysis = analysis.without([name.strip() for name in excluded.split(",")])
    for name, text in analysis.files().items():
        write(output / name, text)
    if environment.get("publish_cloudwatch_metrics") == "Enabled" and analysis.statistics is not None:
        cloudwatch.write_metrics(environment, monitor.metrics(analysis.statistics, analysis.violations or []))
    if script := environment.get("post_analytics_processor_script"):
        user_scripts.postprocess(local(script))
    if not analysis.violations:
        return NO_VIOLATIONS
    return f"CompletedWithViolations: Job completed successfully with {len(analysis.violations)} violations."
