"""The data of a window in S3: what endpoints and batch transforms captured, labels, and merged data, hour by hour."""

from __future__ import annotations

from collections.abc import Iterator

from local_sagemaker.api.operations import Call
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.monitoring.definition import WITH_LABELS, MonitoringDefinition
from local_sagemaker.monitoring.job_requests import Data
from local_sagemaker.monitoring.windows import AnalysisWindow
from local_sagemaker.objects import uris


class CaptureSources:
    """Finds the places that hold data."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def find(self, definition: MonitoringDefinition, window: AnalysisWindow) -> list[Data]:
        """The captured data of a window."""
        if definition.endpoint is None:
            return self._batches(definition, window)
        return self.below(self._destination(definition.endpoint), definition, window)

    def below(self, place: str, definition: MonitoringDefinition, window: AnalysisWindow) -> list[Data]:
        """The hours of a window that have data: ``<place>/<endpoint>/<variant>/yyyy/mm/dd/hh``."""
        if definition.endpoint is None:
            return self._hours(place, "", window)
        root = f"{place.rstrip('/')}/{definition.endpoint}"
        data = []
        for variant in self._folders(root):
            data += self._hours(f"{root}/{variant}", f"{definition.endpoint}/{variant}/", window)
        return data

    def labels(self, definition: MonitoringDefinition, window: AnalysisWindow) -> list[Data]:
        """The ground truth of a window, which is under the hour in which it was collected."""
        return self._hours(definition.ground_truth or "", "", window)

    def _destination(self, endpoint: str) -> str:
        body = self._call("sagemaker:DescribeEndpoint", {"EndpointName": endpoint})
        capture = body.get("DataCaptureConfig") or {}
        if not capture.get("DestinationS3Uri"):
            raise ValidationError(f"Endpoint {endpoint} has no data capture, so nothing can be analysed.")
        return str(capture["DestinationS3Uri"])

    def _batches(self, definition: MonitoringDefinition, window: AnalysisWindow) -> list[Data]:
        """The manifests of batch transforms: of what came out where labels are joined with it, else of what went in."""
        side = "output" if definition.type in WITH_LABELS else "input"
        place = f"{definition.source['DataCapturedDestinationS3Uri'].rstrip('/')}/{side}"
        data = []
        for hour in window.hours():
            bucket, prefix = uris.split(f"{place}/{hour}/")
            for number, key in enumerate(self._keys(bucket, prefix)):
                data.append(Data(f"s3://{bucket}/{key}", f"{hour}/{number}", "ManifestFile"))
        return data

    def _hours(self, place: str, below: str, window: AnalysisWindow) -> list[Data]:
        data = []
        for hour in window.hours():
            bucket, prefix = uris.split(f"{place.rstrip('/')}/{hour}/")
            if next(self._keys(bucket, prefix), None) is not None:
                data.append(Data(f"s3://{bucket}/{prefix.rstrip('/')}", f"{below}{hour}"))
        return data

    def _folders(self, place: str) -> list[str]:
        bucket, prefix = uris.split(f"{place}/")
        response = self._list(bucket, prefix, Delimiter="/")
        return [entry["Prefix"].removeprefix(prefix).rstrip("/") for entry in response.get("CommonPrefixes", ())]

    def _keys(self, bucket: str, prefix: str) -> Iterator[str]:
        yield from (entry["Key"] for entry in self._list(bucket, prefix).get("Contents", ()))

    def _list(self, bucket: str, prefix: str, **more: str) -> dict[str, list[dict[str, str]]]:
        try:
            return self._call("s3:ListObjectsV2", {"Bucket": bucket, "Prefix": prefix, **more})
        except ServiceError as error:
            if error.code == "NoSuchBucket":
                return {}
            raise
