"""A service that is started where the user's keys are in the environment keeps none: no process of it shows them."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_sagemaker.files.removal import discard
from tests.integration.endpoint_models import Made, script
from tests.support import SCIKIT_LEARN, Service, create_function

SECRET = f"a key of the user's own {uuid.uuid4().hex}"
KEYS = dict.fromkeys(("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN"), SECRET)
FUNCTION = "def handler(event, context): return 1"
MODEL = (
    "def model_fn(folder): return None\ndef predict_fn(data, model): return data\n"
    "def input_fn(body, kind): return body\ndef output_fn(prediction, accept): return str(prediction)\n"
)


@pytest.fixture
def started_with_keys() -> Iterator[Service]:
    home = Path(tempfile.mkdtemp(prefix="keys-"))
    service = Service(home, start_environment=KEYS)
    service.up()
    yield service
    service.down()
    discard(home)


def variables(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def descendants(pid: int) -> set[int]:
    """A process and all that it started, by their parents."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                status = (folder / "status").read_text()
            except OSError:
                continue
            parents[int(folder.name)] = int(status.split("PPid:")[1].split()[0])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


@pytest.mark.timeout(500)
def test_the_service_and_what_it_starts_hold_no_keys(started_with_keys: Service) -> None:
    made = Made(started_with_keys)
    functions = started_with_keys.client("lambda")
    create_function(functions, "keys", FUNCTION, Timeout=60)
    assert functions.invoke(FunctionName="keys")["Payload"].read() == b"1"
    model = made.model(script(MODEL), SCIKIT_LEARN, SAGEMAKER_PROGRAM="inference.py")
    endpoint = made.endpoint(made.config(model))
    assert made.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"1", ContentType="text/csv")["Body"].read()
    processes = descendants(started_with_keys.description["pid"])
    with_variables = [pid for pid in processes if b"PATH=" in variables(pid)]
    assert len(with_variables) >= 4, "the service, its fork servers, a function, a model server"
    assert [pid for pid in with_variables if SECRET.encode() in variables(pid)] == []
