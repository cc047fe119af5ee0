"""What the trial component of a job shows of it: parameters, artifacts, status, times and metrics.

Names, forms and status messages are those of components that AWS made in 2022 and 2024 (opendatadiscovery's
odd-collector-aws, test client; sagemaker-core's deserializer tests; sagemaker-experiments, integration tests).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.records.own_members import own_training_job
from local_sagemaker.records.store import Body

_TRAINING = "TrainingJob"


def describe_job(noun: str, job: Body, model: Body | None = None) -> Body:
    """The members of the component of a job. `noun` is TrainingJob, ProcessingJob or TransformJob; `model` is what
    DescribeModel says of a transform job's model, None when it no longer exists.
    """
    kind = noun.removesuffix("Job")
    if noun == "TransformJob":
        parameters, inputs, outputs = _transform(job, model or {})
    else:
        parameters, inputs, outputs = _training(job) if noun == _TRAINING else _processing(job)
    times = {"StartTime": job.get(f"{kind}StartTime"), "EndTime": job.get(f"{kind}EndTime")}
    return {
        "Parameters": {name: _parameter(value) for name, value in parameters.items() if value is not None},
        "InputArtifacts": inputs,
        "OutputArtifacts": outputs,
        "Status": {"PrimaryStatus": job[f"{noun}Status"], "Message": _message(noun, job)},
        **{name: value for name, value in times.items() if value is not None},
        "Metrics": [_metric(one, job["TrainingJobArn"]) for one in own_training_job(job).get("_metrics", ())],
    }


def _training(job: Body) -> tuple[Body, Body, Body]:
    inputs = {
        channel["ChannelName"]: _artifact(uri, channel.get("ContentType"))
        for channel in job.get("InputDataConfig", ())
        if (uri := channel["DataSource"].get("S3DataSource", {}).get("S3Uri"))
    }
    outputs = {}
    if "S3OutputPath" in job.get("DebugHookConfig", {}):
        outputs["SageMaker.DebugHookOutput"] = _artifact(job["DebugHookConfig"]["S3OutputPath"])
    if "ModelArtifacts" in job:
        outputs["SageMaker.ModelArtifact"] = _artifact(job["ModelArtifacts"]["S3ModelArtifacts"])
    image = {"SageMaker.ImageUri": job["AlgorithmSpecification"].get("TrainingImage")}
    return {**image, **_cluster(job["ResourceConfig"]), **job.get("HyperParameters", {})}, inputs, outputs


def _processing(job: Body) -> tuple[Body, Body, Body]:
    inputs = {"SageMaker.ImageUri": _artifact(job["AppSpecification"]["ImageUri"])}
    inputs |= {
        one["InputName"]: _artifact(one["S3Input"]["S3Uri"])
        for one in job.get("ProcessingInputs", ())
        if "S3Uri" in one.get("S3Input", {})
    }
    outputs = {
        one["OutputName"]: _artifact(one["S3Output"]["S3Uri"])
        for one in job.get("ProcessingOutputConfig", {}).get("Outputs", ())
        if "S3Uri" in one.get("S3Output", {})
    }
    return _cluster(job["ProcessingResources"]["ClusterConfig"]), inputs, outputs


def _transform(job: Body, model: Body) -> tuple[Body, Body, Body]:
    primary = (model.get("Containers") or [model.get("PrimaryContainer", {})])[0]
    parameters = {
        **_cluster(job["TransformResources"]),
        "SageMaker.ModelName": job["ModelName"],
        "SageMaker.ModelPrimary.DataUrl": primary.get("ModelDataUrl"),
        "SageMaker.ModelPrimary.Image": primary.get("Image"),
    }
    source = job["TransformInput"]
    data = _artifact(source["DataSource"]["S3DataSource"]["S3Uri"], source.get("ContentType"))
    made = _artifact(job["TransformOutput"]["S3OutputPath"], job["TransformOutput"].get("Accept"))
    return parameters, {"SageMaker.TransformInput": data}, {"SageMaker.TransformOutput": made}


def _cluster(resources: Mapping[str, Any]) -> Body:
    return {f"SageMaker.{name}": resources.get(name) for name in ("InstanceCount", "InstanceType", "VolumeSizeInGB")}


def _artifact(uri: str, media: str | None = None) -> Body:
    return {"MediaType": media, "Value": uri} if media else {"Value": uri}


def _parameter(value: Any) -> Body:
    """Texts that are numbers are numbers, as hyperparameters are texts on the way in."""
    try:
        return {"NumberValue": float(value)}
    except ValueError:
        return {"StringValue": str(value)}


def _message(noun: str, job: Body) -> str:
    parts = [f"Status: {job[f'{noun}Status']}"]
    if noun == _TRAINING:
        parts.append(f"secondary status: {job.get('SecondaryStatus', 'null')}")
    if noun == "ProcessingJob":
        parts.append(f"exit message: {job.get('ExitMessage', 'null')}")
    return ", ".join([*parts, f"failure reason: {job.get('FailureReason', 'null')}"])[:1024]


def _metric(metric: Body, arn: str) -> Body:
    return {
        "MetricName": metric["MetricName"],
        "SourceArn": arn,
        "TimeStamp": metric["Timestamp"],
        **metric.get("Statistics", {}),
        "Last": metric["Value"],
    }
