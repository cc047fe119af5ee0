"""A user's program for test_monitors_sdk_v3.py: baselines and bias by the SageMaker SDK v3, read with its own readers.

Run as ``sdk_v3_monitors.py ROLE CSV_WITH_HEADER``; prints what the readers found as one line of JSON.
"""

import json
import sys

from sagemaker.core.clarify import BiasConfig, DataConfig, SageMakerClarifyProcessor
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.model_monitor import (
    Constraints,
    DatasetFormat,
    DefaultModelMonitor,
    ModelQualityMonitor,
    Statistics,
)

role, data = sys.argv[1:]
session = Session()
bucket = session.default_bucket()
options = {"role": role, "instance_count": 1, "instance_type": "ml.m5.large", "sagemaker_session": session}
found = {}

monitor = DefaultModelMonitor(**options)
output = f"s3://{bucket}/sdk-v3-monitors/data-quality"
monitor.suggest_baseline(
    baseline_dataset=data, dataset_format=DatasetFormat.csv(header=True), output_s3_uri=output, wait=True, logs=False
)
found["statistics"] = monitor.baseline_statistics().body_dict
found["constraints"] = monitor.suggested_constraints().body_dict
found["same"] = [
    Statistics.from_s3_uri(f"{output}/statistics.json", sagemaker_session=session).body_dict == found["statistics"],
    Constraints.from_s3_uri(f"{output}/constraints.json", sagemaker_session=session).body_dict == found["constraints"],
]

quality = ModelQualityMonitor(**options)
quality.suggest_baseline(
    baseline_dataset=data,
    dataset_format=DatasetFormat.csv(header=True),
    problem_type="BinaryClassification",
    inference_attribute="prediction",
    ground_truth_attribute="label",
    output_s3_uri=f"s3://{bucket}/sdk-v3-monitors/model-quality",
    wait=True,
)
found["quality"] = quality.baseline_statistics().body_dict

clarify = SageMakerClarifyProcessor(**options)
target = f"s3://{bucket}/sdk-v3-monitors/bias"
clarify.run_pre_training_bias(
    DataConfig(s3_data_input_path=data, s3_output_path=target, label="label", dataset_type="text/csv"),
    BiasConfig(label_values_or_threshold=[1], facet_name="group", facet_values_or_threshold=["x"]),
    wait=True,
    logs=False,
)
found["analysis"] = json.loads(session.read_s3_file(bucket, "sdk-v3-monitors/bias/analysis.json"))
sys.stdout.write("FOUND " + json.dumps(found) + "\n")
