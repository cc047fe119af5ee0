"""S3: one class per resource, over the object store."""

from __future__ import annotations

from local_sagemaker.api.operations import Resource
from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.services.s3.acls import Acls
from local_sagemaker.services.s3.buckets import BucketOperations
from local_sagemaker.services.s3.configurations import CONFIGURATIONS, configuration_resource
from local_sagemaker.services.s3.copy_object import Copies
from local_sagemaker.services.s3.delete_object import Deletions
from local_sagemaker.services.s3.listing import Listings
from local_sagemaker.services.s3.multipart import MultipartUploads
from local_sagemaker.services.s3.objects import ObjectOperations
from local_sagemaker.services.s3.tagging import ObjectTags

RESOURCES = (BucketOperations, ObjectOperations, Copies, Deletions, Listings, MultipartUploads, ObjectTags, Acls)


def build(*, objects: DiskObjects, settings: Settings) -> list[Resource]:
    """All resources; `operations.table("s3", ...)` finds their operations."""
    return [
        *(resource(objects=objects, settings=settings) for resource in RESOURCES),
        *(
            configuration_resource(configuration, objects=objects, settings=settings)
            for configuration in CONFIGURATIONS
        ),
    ]
