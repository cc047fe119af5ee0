"""The configuration files that a job finds below /opt/ml (contracts: containers 1.1, 2.1)."""

from __future__ import annotations

from typing import Any

from local_sagemaker.jobs.spec import JobSpec

Document = dict[str, Any]


def resource_config(job: JobSpec, host: str) -> Document:
    """resourceconfig.json of one host."""
    hosts = job.host_names
    group = {"instance_group_name": "homogeneousCluster", "instance_type": job.instance_type, "hosts": hosts}
    return {
        "current_host": host,
        "current_instance_type": job.instance_type,
        "current_group_name": "homogeneousCluster",
        "hosts": hosts,
        "instance_groups": [group],
        "network_interface_name": "lo",
    }


def processing_config(request: Document, instance_type: str, instances: int) -> Document:
    """processingjobconfig.json: the request with every optional member present, as null or as its default."""
    application = request["AppSpecification"]
    cluster = request["ProcessingResources"]["ClusterConfig"]
    outputs = request.get("ProcessingOutputConfig", {})
    return {
        "ProcessingJobArn": request["ProcessingJobArn"],
        "ProcessingJobName": request["ProcessingJobName"],
        "Environment": request.get("Environment", {}),
        "AppSpecification": {
            "ImageUri": application["ImageUri"],
            "ContainerEntrypoint": application.get("ContainerEntrypoint"),
            "ContainerArguments": application.get("ContainerArguments"),
        },
        "ProcessingInputs": [_processing_input(item) for item in request.get("ProcessingInputs", [])],
        "ProcessingOutputConfig": {
            "Outputs": [_processing_output(item) for item in outputs.get("Outputs", [])],
            "KmsKeyId": outputs.get("KmsKeyId"),
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": instances,
                "InstanceType": instance_type,
                "VolumeSizeInGB": cluster["VolumeSizeInGB"],
                "VolumeKmsKeyId": cluster.get("VolumeKmsKeyId"),
            }
        },
        "RoleArn": request["RoleArn"],
        "StoppingCondition": request.get("StoppingCondition", {"MaxRuntimeInSeconds": 86400}),
    }


def _processing_input(item: Document) -> Document:
    s3 = item.get("S3Input", {})
    return {
        "InputName": item["InputName"],
        "AppManaged": item.get("AppManaged", False),
        "S3Input": {
            "LocalPath": s3.get("LocalPath"),
            "S3Uri": s3.get("S3Uri"),
            "S3DataDistributionType": s3.get("S3DataDistributionType", "FullyReplicated"),
            "S3DataType": s3.get("S3DataType", "S3Prefix"),
            "S3InputMode": s3.get("S3InputMode", "File"),
            "S3CompressionType": s3.get("S3CompressionType", "None"),
            "S3DownloadMode": "StartOfJob",
        },
        "DatasetDefinition": item.get("DatasetDefinition"),
    }


def _processing_output(item: Document) -> Document:
    s3 = item.get("S3Output", {})
    return {
        "OutputName": item["OutputName"],
        "AppManaged": item.get("AppManaged", False),
        "S3Output": {
            "LocalPath": s3.get("LocalPath"),
            "S3Uri": s3.get("S3Uri"),
            "S3UploadMode": s3.get("S3UploadMode", "EndOfJob"),
        },
        "FeatureStoreOutput": item.get("FeatureStoreOutput"),
    }


def input_data_config(channels: list[Document], mode: str) -> Document:
    """inputdataconfig.json: what of each channel the algorithm needs to know; ContentType only when given."""
    document: Document = {}
    for channel in channels:
        s3 = channel.get("DataSource", {}).get("S3DataSource", {})
        entry = {
            "TrainingInputMode": channel.get("InputMode", mode),
            "S3DistributionType": s3.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        }
        for member in ("ContentType", "CompressionType"):
            if channel.get(member) and channel[member] != "None":
                entry[member] = channel[member]
        document[channel["ChannelName"]] = entry
    return document
