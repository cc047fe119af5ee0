"""A user's program for test_monitor_readers.py, the same for SDK v2 and v3: baselines, violations, and Clarify's runs.

Run as ``sdk_monitor_readers.py ROLE TABLE_URI MODEL_NAME CHECK_JOB_ARN``; the table has the columns y, f, a, b, c.
Prints what the SDK's own readers found as one line of JSON.
"""

import json
import sys

try:
    from sagemaker.core import clarify
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.core.model_monitor import Constraints, DatasetFormat, DefaultModelMonitor, MonitoringExecution
except ImportError:
    from sagemaker import clarify
    from sagemaker.model_monitor import Constraints, DefaultModelMonitor, MonitoringExecution
    from sagemaker.model_monitor.dataset_format import DatasetFormat
    from sagemaker.session import Session

role, data, model, check_job = sys.argv[1:]
session = Session()
bucket = session.default_bucket()
base = "readers-" + ("v3" if "core" in clarify.__name__ else "v2")
options = {"role": role, "instance_count": 1, "instance_type": "ml.m5.large", "sagemaker_session": session}
found = {"sdk": base}

monitor = DefaultModelMonitor(**options)
output = f"s3://{bucket}/{base}/data-quality"
monitor.suggest_baseline(
    baseline_dataset=data, dataset_format=DatasetFormat.csv(header=True), output_s3_uri=output, wait=True, logs=False
)
found["statistics"] = monitor.baseline_statistics().body_dict
found["latest"] = monitor.latest_baselining_job.baseline_statistics().body_dict
found["constraints"] = Constraints.from_s3_uri(f"{output}/constraints.json", sagemaker_session=session).body_dict

execution = MonitoringExecution.from_processing_arn(sagemaker_session=session, processing_job_arn=check_job)
found["violations"] = execution.constraint_violations().body_dict
found["check_statistics"] = execution.statistics().body_dict

processor = clarify.SageMakerClarifyProcessor(**options)
columns = ["y", "f", "a", "b", "c"]
bias = clarify.BiasConfig(label_values_or_threshold=[1], facet_name="f", facet_values_or_threshold=[0])
asked = clarify.ModelConfig(
    model_name=model, instance_count=1, instance_type="ml.m5.large", accept_type="text/csv", content_type="text/csv"
)
threshold = clarify.ModelPredictedLabelConfig(probability_threshold=0.5)
shap = clarify.SHAPConfig(baseline=[[0, 0.0, 0.0, 0.0]], num_samples=14, agg_method="mean_abs", seed=1)


def read(name, run):
    target = f"s3://{bucket}/{base}/{name}"
    run(
        clarify.DataConfig(
            s3_data_input_path=data, s3_output_path=target, label="y", headers=columns, dataset_type="text/csv"
        )
    )
    found[name] = json.loads(session.read_s3_file(bucket, f"{base}/{name}/analysis.json"))


quiet = {"wait": True, "logs": False}
read(
    "bias",
    lambda config: processor.run_bias(
        data_config=config,
        bias_config=bias,
        model_config=asked,
        model_predicted_label_config=threshold,
        **quiet,
    ),
)
read(
    "explainability",
    lambda config: processor.run_explainability(
        data_config=config, model_config=asked, explainability_config=shap, **quiet
    ),
)
read(
    "both",
    lambda config: processor.run_bias_and_explainability(
        data_config=config,
        model_config=asked,
        explainability_config=[shap, clarify.PDPConfig(features=["a"], grid_resolution=3)],
        bias_config=bias,
        model_predicted_label_config=threshold,
        **quiet,
    ),
)
sys.stdout.write("\nFOUND " + json.dumps(found) + "\n")
