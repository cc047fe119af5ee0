"""A user's program for test_monitoring_sdk.py: the four monitors of the SageMaker SDK, from baselines to violations.

Run as ``sdk_monitors.py VERSION ROLE BUCKET ENDPOINT MODEL GROUND_TRUTH KINDS``; prints what it found as one line of
JSON. The same program runs with the SDK v2 and the SDK v3.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

version, role, bucket, endpoint, model, labels, kinds = sys.argv[1:]
if version == "2":
    from sagemaker import Session, clarify
    from sagemaker import model_monitor as mm
else:
    from sagemaker.core import clarify
    from sagemaker.core import model_monitor as mm
    from sagemaker.core.helper.session_helper import Session

session = Session()
options = {"role": role, "instance_count": 1, "instance_type": "ml.m5.large", "sagemaker_session": session}
base = f"s3://{bucket}/sdk{version}"
data = f"s3://{bucket}/sdk-data/data.csv"
now = {
    "schedule_cron_expression": mm.CronExpressionGenerator.now(),
    "data_analysis_start_time": "-PT1H",
    "data_analysis_end_time": "-PT0H",
}
headers = ["label", "a", "b", "c"]
destination = "/opt/ml/processing/input_data"
found = {}


def data_quality():
    monitor = mm.DefaultModelMonitor(**options)
    monitor.suggest_baseline(
        baseline_dataset=f"s3://{bucket}/baseline/in/data.csv", dataset_format=mm.DatasetFormat.csv(header=True),
        output_s3_uri=f"{base}/dq-baseline", wait=True, logs=False,
    )  # fmt: skip
    monitor.create_monitoring_schedule(
        monitor_schedule_name=f"sdk{version}-data-quality", endpoint_input=endpoint, output_s3_uri=f"{base}/dq",
        statistics=monitor.baseline_statistics(), constraints=monitor.suggested_constraints(), **now,
    )  # fmt: skip
    return monitor


SCRIPTS = {
    "prepare.py": """
def preprocess_handler(inference_record):
    a, b, c = map(float, inference_record.endpoint_input.data.split(","))
    prediction = int(float(inference_record.endpoint_output.data))
    return {"a": a + 50, "b": b, "c": c, "prediction": prediction}
""",
    "finish.py": """
def postprocess_handler():
    with open("/opt/ml/processing/output/finished.txt", "w") as file:
        file.write("finished")
""",
}


def batch():
    """Data quality of what a batch transform read, after the baseline of `data_quality`."""
    monitor = mm.DefaultModelMonitor(**options)
    source = mm.BatchTransformInput(
        data_captured_destination_s3_uri=f"s3://{bucket}/batch/capture", destination=destination,
        dataset_format=mm.MonitoringDatasetFormat.csv(header=True), exclude_features_attribute="prediction",
    )  # fmt: skip
    monitor.create_monitoring_schedule(
        monitor_schedule_name=f"sdk{version}-batch", batch_transform_input=source, output_s3_uri=f"{base}/batch",
        statistics=f"{base}/dq-baseline/statistics.json", constraints=f"{base}/dq-baseline/constraints.json", **now,
    )  # fmt: skip
    return monitor


def scripts():
    """Data quality with the user's preprocessor and postprocessor."""
    folder = Path(tempfile.mkdtemp())
    for name, text in SCRIPTS.items():
        (folder / name).write_text(text)
    monitor = mm.DefaultModelMonitor(**options)
    monitor.create_monitoring_schedule(
        monitor_schedule_name=f"sdk{version}-scripts", endpoint_input=endpoint, output_s3_uri=f"{base}/scripts",
        statistics=f"{base}/dq-baseline/statistics.json", constraints=f"{base}/dq-baseline/constraints.json",
        record_preprocessor_script=str(folder / "prepare.py"),
        post_analytics_processor_script=str(folder / "finish.py"), **now,
    )  # fmt: skip
    return monitor


def model_quality():
    monitor = mm.ModelQualityMonitor(**options)
    monitor.suggest_baseline(
        baseline_dataset=f"s3://{bucket}/sdk-data/quality.csv", dataset_format=mm.DatasetFormat.csv(header=True),
        problem_type="BinaryClassification", inference_attribute="prediction", ground_truth_attribute="label",
        output_s3_uri=f"{base}/mq-baseline", wait=True,
    )  # fmt: skip
    monitor.create_monitoring_schedule(
        monitor_schedule_name=f"sdk{version}-model-quality", ground_truth_input=labels,
        endpoint_input=mm.EndpointInput(endpoint_name=endpoint, destination=destination, inference_attribute="0"),
        problem_type="BinaryClassification", output_s3_uri=f"{base}/mq",
        constraints=monitor.suggested_constraints(), **now,
    )  # fmt: skip
    return monitor


MODEL = clarify.ModelConfig(
    model_name=model, instance_type="ml.m5.large", instance_count=1, content_type="text/csv", accept_type="text/csv"
)


def config_of(place):
    return clarify.DataConfig(
        s3_data_input_path=data, s3_output_path=f"{base}/{place}", label="label", headers=headers,
        dataset_type="text/csv",
    )  # fmt: skip


def baseline_of(monitor, kind, place, config, **more):
    """suggest_baseline; the SDK v3's reads an attribute that its processing job does not have, so that Clarify's
    processor makes the baseline there, and the schedule is told its configuration."""
    if version == "2":
        monitor.suggest_baseline(data_config=config_of(place), model_config=MODEL, wait=True, logs=False, **more)
        return {}
    run = getattr(clarify.SageMakerClarifyProcessor(**options), f"run_{kind}")
    run(config_of(place), model_config=MODEL, wait=True, logs=False, **more)
    return {"analysis_config": config, "constraints": f"{base}/{place}/analysis.json"}


def model_bias():
    monitor = mm.ModelBiasMonitor(**options)
    bias = clarify.BiasConfig(label_values_or_threshold=[1], facet_name="b", facet_values_or_threshold=[0])
    config = mm.BiasAnalysisConfig(bias, headers=headers, label="label")
    baseline = baseline_of(monitor, "bias", "bias-baseline", config, bias_config=bias)
    monitor.create_monitoring_schedule(
        monitor_schedule_name=f"sdk{version}-model-bias", ground_truth_input=labels, output_s3_uri=f"{base}/bias",
        endpoint_input=mm.EndpointInput(endpoint_name=endpoint, destination=destination, inference_attribute="0"),
        **baseline, **now,
    )  # fmt: skip
    return monitor


def model_explainability():
    monitor = mm.ModelExplainabilityMonitor(**options)
    shap = clarify.SHAPConfig(baseline=[[0.0, 0.0, 0.0]], num_samples=20, agg_method="mean_abs")
    config = mm.ExplainabilityAnalysisConfig(shap, MODEL, headers=headers[1:])
    baseline = baseline_of(monitor, "explainability", "shap-baseline", config, explainability_config=shap)
    monitor.create_monitoring_schedule(
        monitor_schedule_name=f"sdk{version}-model-explainability", output_s3_uri=f"{base}/shap",
        endpoint_input=mm.EndpointInput(endpoint_name=endpoint, destination=destination), **baseline, **now,
    )  # fmt: skip
    return monitor


MAKERS = {
    "dq": data_quality, "mq": model_quality, "bias": model_bias, "shap": model_explainability, "batch": batch,
    "scripts": scripts,
}  # fmt: skip
monitors = {kind: MAKERS[kind]() for kind in kinds.split(",")}
ENDED = ("Completed", "CompletedWithViolations", "Failed", "Stopped")


def executions_of(monitor, kind):
    """list_executions; that of the SDK v3's Clarify monitors reads an attribute that its executions do not have."""
    if version == "3" and kind in ("bias", "shap"):
        return mm.ModelMonitor.list_executions(monitor)
    return monitor.list_executions()


def change(monitor, kind):
    """Another definition in the old one's place."""
    before = monitor.describe_schedule()["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"]
    monitor.update_monitoring_schedule(
        schedule_cron_expression=mm.CronExpressionGenerator.hourly(), max_runtime_in_seconds=1700
    )
    config = monitor.describe_schedule()["MonitoringScheduleConfig"]
    found[kind]["updated"] = [
        config["ScheduleConfig"]["ScheduleExpression"], config["MonitoringJobDefinitionName"] != before,
    ]  # fmt: skip


for kind, monitor in monitors.items():
    deadline = time.monotonic() + 300
    summary = {}
    while summary.get("MonitoringExecutionStatus") not in ENDED and time.monotonic() < deadline:
        time.sleep(0.5)
        summary = monitor.describe_schedule().get("LastMonitoringExecutionSummary", {})
    found[kind] = {"status": summary.get("MonitoringExecutionStatus"), "reason": summary.get("FailureReason")}
    executions = executions_of(monitor, kind)
    if executions and summary["MonitoringExecutionStatus"] == "CompletedWithViolations":
        found[kind]["violations"] = executions[-1].constraint_violations().body_dict["violations"]
    found[kind]["schedule"] = monitor.describe_schedule()["MonitoringScheduleStatus"]
    job = session.sagemaker_client.describe_processing_job(
        ProcessingJobName=summary["ProcessingJobArn"].rpartition("/")[2]
    )
    place = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    found[kind]["files"] = [name.rpartition("/")[2] for name in session.list_s3_files(bucket, place.split("/", 3)[3])]
    change(monitor, kind)
    monitor.stop_monitoring_schedule()
    found[kind]["stopped"] = monitor.describe_schedule()["MonitoringScheduleStatus"]
    monitor.start_monitoring_schedule()
    found[kind]["started"] = monitor.describe_schedule()["MonitoringScheduleStatus"]
    monitor.delete_monitoring_schedule()
sys.stdout.write("\nFOUND " + json.dumps(found) + "\n")
