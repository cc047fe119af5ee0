"""SageMaker Runtime: invocations of endpoints."""

from __future__ import annotations

from local_sagemaker.api.operations import Call, Resource
from local_sagemaker.config import Settings
from local_sagemaker.endpoints.invocations import EndpointInvocations
from local_sagemaker.endpoints.registry import EndpointRegistry
from local_sagemaker.endpoints.response_streams import ResponseStreams
from local_sagemaker.objects.types import Objects
from local_sagemaker.records import Records
from local_sagemaker.services.sagemaker_runtime.asynchronous_invocations import AsynchronousInvocations
from local_sagemaker.services.sagemaker_runtime.invocations import RuntimeInvocations
from local_sagemaker.services.sagemaker_runtime.streamed_invocations import StreamedInvocations


def build(
    *, settings: Settings, records: Records, objects: Objects, endpoints: EndpointRegistry,
    invocations: EndpointInvocations, call: Call,
) -> list[Resource]:  # fmt: skip
    """The service's resources."""
    return [
        RuntimeInvocations(endpoints=endpoints, invocations=invocations),
        StreamedInvocations(endpoints=endpoints, streams=ResponseStreams(settings=settings, endpoints=endpoints)),
        AsynchronousInvocations(
            settings=settings,
            records=records,
            objects=objects,
            endpoints=endpoints,
            invocations=invocations,
            call=call,
        ),
    ]
