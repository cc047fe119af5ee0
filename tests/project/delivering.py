"""What the tests of delivery share: real archives of models, and the commands as a user runs them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from functools import cache
from typing import Any
from unittest import mock

import pytest

from delivery.local_model.packaging import archive_of
from delivery.model_registry import main
from pipelines.session import boto_session
from tests.commands import PROJECT_COMMANDS, run_command
from tests.support import XGBOOST, Service

REGISTRY = "model-registry"
ROWS = "\n".join(f"{n},{n + 1}" for n in range(4))


@cache
def regressor(depth: int = 2, features: int = 2) -> tuple[bytes, Any]:
    """A trained model's archive, and the model."""
    import numpy
    import xgboost

    data = numpy.random.default_rng(depth).random((200, features)).astype("float32")
    model = xgboost.train({"max_depth": depth, "seed": 1}, xgboost.DMatrix(data, data.sum(axis=1)), 5)
    return archive_of(bytes(model.save_raw("ubj"))), model


def upload(service: Service, bucket: str, key: str = "model.tar.gz", depth: int = 2) -> str:
    """The URI of a model's archive in a bucket of its own."""
    s3 = service.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=regressor(depth)[0])
    return f"s3://{bucket}/{key}"


def register(service: Service, group: str, uri: str, **more: Any) -> str:
    """A version of a group, by boto3; its ARN."""
    specification = {
        "Containers": [{"Image": XGBOOST, "ModelDataUrl": uri}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    sagemaker = service.client("sagemaker")
    request = {"ModelPackageGroupName": group, "InferenceSpecification": specification, **more}
    return str(sagemaker.create_model_package(**request)["ModelPackageArn"])


def run(service: Service, *words: str, fails: int = 0, **options: Any) -> subprocess.CompletedProcess[str]:
    """A command, which must end with this exit code; a mistake is one line and never a traceback."""
    if words[0] in PROJECT_COMMANDS:
        done = run_command(service, *words, check=False, **options)
    else:
        done = service.run(*words, check=False, **options)
    assert done.returncode == fails, done.stdout + done.stderr
    if fails:
        assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    return done


def registry(service: Service, *words: str, fails: int = 0, **options: Any) -> str:
    """What ``model-registry`` says: what it prints, or if it fails, the line on the standard error."""
    done = run(service, REGISTRY, *words, fails=fails, **options)
    return done.stderr if fails else done.stdout


def mistaken(service: Service, capsys: pytest.CaptureFixture[str], words: Sequence[str], code: int) -> str:
    """The one line that ``model-registry`` writes to the standard error; run in this process, as there are many."""
    boto_session.cache_clear()
    with mock.patch.dict(os.environ, service.environment()):
        try:
            found = main(words)
        except SystemExit as usage:
            found = int(str(usage.code))
    boto_session.cache_clear()
    said = capsys.readouterr().err
    assert found == code and len(said.splitlines()) == 1, said
    return said
