"""The registry's resources over real stores, called as over the wire: validated requests, complete answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.validate import ParamValidator

from local_sagemaker.api import models
from local_sagemaker.api.operations import Call, Response, dispatcher, table
from local_sagemaker.api.validation import check_of_client
from local_sagemaker.config import Settings
from local_sagemaker.events import Event
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.records import Records
from local_sagemaker.services.sagemaker.experiments import Experiments
from local_sagemaker.services.sagemaker.model_package_groups import ModelPackageGroups
from local_sagemaker.services.sagemaker.model_packages import ModelPackages
from local_sagemaker.services.sagemaker.models import ModelOperations
from local_sagemaker.services.sagemaker.search import Search
from local_sagemaker.services.sagemaker.tags import Tags
from local_sagemaker.services.sagemaker.trial_components import TrialComponents


@dataclass
class Registry:
    """The operations as functions: ``registry("CreateModel", ModelName=...)``."""

    call: Call
    records: Records
    objects: DiskObjects
    events: list[Event]

    def __call__(self, operation: str, **request: Any) -> Response:
        answer = self.call(f"sagemaker:{operation}", request)
        shape = models.operation("sagemaker", operation).output_shape
        if shape is not None:
            problems = ParamValidator().validate(answer, shape).generate_report()
            # AWS itself leaves out the name of a version, though its model says that it is required.
            assert not problems.replace('Missing required parameter in input: "ModelPackageName"', ""), problems
        return answer

    def upload(self, uri: str, data: bytes = b"archive") -> str:
        """Puts an object at an S3 URI; the bucket is made when it is new."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not self.objects.bucket_exists(bucket):
            self.objects.buckets.create(bucket)
        self.objects.put(bucket, key, data)
        return uri


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """Models, packages, experiments and Search over an empty state."""
    settings = Settings(home=tmp_path)
    records = Records(settings.records_file)
    objects, seen = DiskObjects(settings.objects), list[Event]()
    records.events.subscribe(seen.append)

    def late(name: str, request: dict[str, Any]) -> Response:
        return call(name, request)

    tags = Tags(records, late)

    resources = [
        tags,
        ModelOperations(settings=settings, records=records, objects=objects, tags=tags, call=late),
        ModelPackageGroups(settings=settings, records=records, tags=tags),
        ModelPackages(settings=settings, records=records, tags=tags),
        Experiments(settings=settings, records=records, tags=tags),
        TrialComponents(settings=settings, records=records, tags=tags),
        Search(records=records, tags=tags, call=late),
    ]
    call = dispatcher(table("sagemaker", resources), check_of_client)
    yield Registry(call, records, objects, seen)
    objects.close()
    records.close()
